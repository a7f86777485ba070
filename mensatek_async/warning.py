"""The warnings: what goes on, and perhaps not as it was meant."""

from __future__ import annotations

import os
import sys
import warnings
from contextvars import ContextVar


class MensatekWarning(UserWarning):
    """Root of the warnings about what goes on, and perhaps not as it was meant."""


class TextAltered(MensatekWarning):
    """Warned when a forced GSM encoding loses characters of a text."""


class SenderWarning(MensatekWarning):
    """Warned when a sender holds what the provider does not advise: it may arrive altered, or not at all."""


class DateWarning(MensatekWarning):
    """Warned when a date is in the second of the two hours that autumn has twice: it is read as the first."""


class ElementWarning(MensatekWarning):
    """Warned when a text carries a message element that the manuals give to another product only."""


class StoreWarning(MensatekWarning):
    """Warned once when the guard's store does not work: then each process knows its own pauses alone."""


class MensatekAsyncUsageWarning(UserWarning):
    """Warns that the synchronous client was called in asynchronous code, where it holds everything up."""


calling_thread: ContextVar[int | None] = ContextVar("calling_thread", default=None)
"""The thread that waits for this work of the synchronous client; None for the asynchronous one."""

_PACKAGE = os.path.dirname(__file__) + os.sep


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the line outside this package that made the call."""
    thread = calling_thread.get()
    frame = sys._current_frames().get(thread) if thread is not None else sys._getframe(1)
    for inside in (False, True):  # out of what the package has called, then out of the package
        while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE) is inside:
            frame = frame.f_back
    if frame is None:
        warnings.warn(message, category, stacklevel=2)
        return
    known = frame.f_globals.setdefault("__warningregistry__", {})
    where = frame.f_code.co_filename, frame.f_lineno, frame.f_globals.get("__name__")
    warnings.warn_explicit(message, category, *where, registry=known)
