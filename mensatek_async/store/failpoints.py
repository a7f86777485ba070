"""Failpoints: named places at which tests kill, stop or cancel a worker; in every other run they do nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ..settings import fault_points


def _installed(module: str | None) -> Callable[[str], None]:
    if not module:
        return lambda name: None
    reach: Callable[[str], None] = import_module(module).reach
    return reach


failpoint: Callable[[str], None] = _installed(fault_points())
"""Tell the test, if this is one's run, that the place of this name was reached."""
