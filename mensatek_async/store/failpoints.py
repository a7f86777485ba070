"""Named points at which tests kill, stop or cancel a worker; in every other run nothing is called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from ..settings import fault_points


def _installed(module: str | None) -> Callable[[str], None] | None:
    if not module:
        return None
    reach: Callable[[str], None] = import_module(module).reach
    return reach


_reach = _installed(fault_points())
POINTS: Final = _reach is not None
"""Whether this is a test's run: callers look here first, so that a point costs nothing elsewhere."""


def reach(point: str) -> None:
    """Tell the test that a point was reached."""
    if _reach is not None:
        _reach(point)
