"""A signature, a docstring and one call each."""
