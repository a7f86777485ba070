"""Bulk sends: in memory, in chunks, several at once, every row accounted for."""
