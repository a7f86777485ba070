"""Contracts in flight: who has opened, read, signed or rejected theirs, by what webhooks told."""
