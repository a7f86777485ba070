"""Certificates kept as evidence: a folder of files, each with a record of what it is and how it came."""
