"""The warning for synchronous calls in asynchronous code."""

from __future__ import annotations

import asyncio
import sys

import sniffio

from ..warning import warn


class MensatekAsyncUsageWarning(UserWarning):
    """Warns that the synchronous client was called in asynchronous code, where it holds everything up."""


def warn_in_async_code(own: asyncio.AbstractEventLoop) -> None:
    """Warn, once a call site, when the calling thread runs an event loop other than the client's own."""
    loop = asyncio._get_running_loop()
    if (loop is None or loop is own) and sniffio.thread_local.name is None:
        return
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        return  # a notebook has a running loop, and nobody waits for it
    warn(
        "Mensatek was called in asynchronous code and holds up its event loop; use AsyncMensatek there, or call it in "
        "a thread (asyncio.to_thread).",
        MensatekAsyncUsageWarning,
    )
