"""Async and typed SDK for the Mensatek messaging API v7."""
