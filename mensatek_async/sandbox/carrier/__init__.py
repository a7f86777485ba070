"""The carrier and the recipients: what becomes of a text."""
