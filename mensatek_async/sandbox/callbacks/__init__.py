"""The callbacks that the provider would post."""
