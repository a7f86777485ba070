"""What the parts of a sandbox share: the provider they work on."""

from __future__ import annotations

from .api.provider import Provider


class Desk:
    """A part of a sandbox."""

    _provider: Provider
