"""Frozen attrs classes in English. They know nothing of the wire."""
