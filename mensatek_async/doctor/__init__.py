"""Finds out what this package assumes of the live provider and nobody could check without an account."""
