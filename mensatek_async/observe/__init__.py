"""Observers: what they are told, and the telling."""
