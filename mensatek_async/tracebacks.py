"""Keeps what a call was given, and what became of it on its way, out of tracebacks.

Whatever shows the local variables of frames (rich, error trackers, debuggers) would show tokens, texts and phones with
those of this package, so no exception that leaves it holds on to them.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast

from .errors import MensatekError

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = f"{__package__}."
_NOTE = "raised in "


def private(what: F) -> F:
    """Let what a function, or the public methods of a class, raise end at the call of it: see `hide_frames`."""
    if isinstance(what, type):
        for name, method in list(vars(what).items()):
            if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
                setattr(what, name, private(method))
        return cast("F", what)
    if inspect.iscoroutinefunction(what):

        @wraps(what)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await what(*args, **kwargs)
            except BaseException as error:
                del args, kwargs
                hide_frames(error)
                raise

        return cast("F", call_async)

    @wraps(what)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return what(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            hide_frames(error)
            raise

    return cast("F", call)


def hide_frames(error: BaseException) -> None:
    """Take the package's frames out of an exception, and out of those that it came of; those it hides go.

    An error of the package is left with the frame that caught it: its words say what happened. Another one, such as an
    error in the rows a caller gave, keeps the frames of other code; a note says where in the package it came up.
    """
    own, caught = isinstance(error, MensatekError), error.__traceback__
    if caught is not None:
        below = list(_entries(caught.tb_next))
        kept = [] if own else [one for one in below if not _is_ours(one)]
        noted = any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ()))
        if below and _is_ours(below[-1]) and isinstance(error, Exception) and not own and not noted:
            code = below[-1].tb_frame.f_code
            error.add_note(f"{_NOTE}{code.co_filename}, line {below[-1].tb_lineno}, in {code.co_name}")
        for entry in kept:
            caught.tb_next, caught = entry, entry
        caught.tb_next = None
    around, chain, gone = _stack(), [error, *_others(error)], set()
    for other in chain[1:]:
        entries = list(_entries(other.__traceback__))
        ours = next((at for at, entry in enumerate(entries) if _is_ours(entry)), None)
        # What the caller was handling stays; what was raised and caught on the way of the call goes.
        inside = own and bool(entries) and id(entries[0].tb_frame) not in around
        if inside or ours == 0:
            other.__traceback__ = None
            gone.add(id(other))
        elif ours is not None:
            entries[ours - 1].tb_next = None
    for one in chain:
        if one.__suppress_context__ and id(one.__context__) in gone:
            one.__context__ = None  # an error of Python's own holds the text or body it was raised for


def _stack() -> set[int]:
    # By their ids: a frame that held itself would keep the error, and the caller's variables, until a collection.
    frame: FrameType | None = sys._getframe(1)
    frames = set()
    while frame is not None:
        frames.add(id(frame))
        frame = frame.f_back
    return frames


def _entries(entry: TracebackType | None) -> Iterator[TracebackType]:
    while entry is not None:
        yield entry
        entry = entry.tb_next


def _is_ours(entry: TracebackType) -> bool:
    return str(entry.tb_frame.f_globals.get("__name__")).startswith(_PACKAGE)


def _others(error: BaseException) -> Iterator[BaseException]:
    """Return the exceptions that one came of, or holds; they may be a ring."""
    seen, waiting = {id(error)}, [error]
    while waiting:
        one = waiting.pop()
        for other in (one.__cause__, one.__context__, *getattr(one, "exceptions", ())):
            if isinstance(other, BaseException) and id(other) not in seen:
                seen.add(id(other))
                waiting.append(other)
                yield other
