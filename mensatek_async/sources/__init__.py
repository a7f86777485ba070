"""Where recipients come from: files and databases, read a few rows at a time."""
