"""The account: its credits, messages, files, and their state on disk."""
