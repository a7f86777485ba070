"""The password of the page, where other machines reach it."""

from __future__ import annotations

import os
import secrets

from .page.gate import is_loopback

VARIABLE = "MENSATEK_SANDBOX_PASSWORD"
"""The environment variable that may hold it."""


def choose_password(given: str | None, host: str) -> tuple[str | None, bool]:
    """The password for a sandbox: the given one, that of the environment, or a new one if others reach the page.

    Args:
        given: what the user chose; None for nothing.
        host: the address the sandbox listens on.

    Returns:
        The password, None where the page needs none; and whether it was made up here, so that somebody must be told.
    """
    password = given or os.environ.get(VARIABLE)
    if password or is_loopback(host):
        return password or None, False
    return secrets.token_urlsafe(12), True
