"""The synchronous classes, written by the generator."""
