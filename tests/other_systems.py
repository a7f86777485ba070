"""Lets a process see what a program sees on Windows or macOS, as far as Linux can show it.

`python -m tests.other_systems windows PROGRAM`. Modules that ask for the system when they are imported are imported
before.
"""

from __future__ import annotations

import asyncio  # noqa: F401
import builtins
import importlib.abc
import io
import os
import runpy
import signal
import socket  # noqa: F401
import sqlite3  # noqa: F401
import subprocess  # noqa: F401
import sys
import tempfile  # noqa: F401
import time
import zoneinfo  # noqa: F401
from collections.abc import Callable
from typing import Any

import anyio._backends._asyncio
import anyio._backends._trio  # noqa: F401
import cyclopts  # noqa: F401
import httpx  # noqa: F401
import rich.console  # noqa: F401
import trio  # noqa: F401
import uvicorn  # noqa: F401

_POSIX_MODULES = ("fcntl", "resource", "pwd", "grp", "termios")
_NOT_ON_WINDOWS = {
    os: (
        *("fork", "forkpty", "register_at_fork", "geteuid", "getuid", "pread", "pwrite", "mkfifo", "killpg"),
        *("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_DIRECTORY", "sched_getaffinity", "setsid"),
    ),
    # A program can be ended there, but not be asked to: handlers of SIGTERM are never called.
    signal: ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGKILL", "SIGCHLD", "SIGQUIT"),
    time: ("clock_gettime", "CLOCK_BOOTTIME", "CLOCK_MONOTONIC"),
}
_NOT_ON_MACOS = {os: ("sched_getaffinity", "posix_fallocate"), time: ("CLOCK_BOOTTIME",)}


class _Missing(importlib.abc.MetaPathFinder):
    """Modules that are nowhere."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in _POSIX_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _open_here() -> set[str]:
    found = set()
    for one in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{one}"))
        except OSError:
            pass  # it was the folder's own
    return found


def _refusing_open_files(real: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*paths: Any, **options: Any) -> Any:
        for path in paths:
            if isinstance(path, str | os.PathLike) and os.path.realpath(path) in _open_here():
                raise PermissionError(13, "It is being used by another process", str(path))
        return real(*paths, **options)

    return checked


def _without_proc(real: Callable[..., Any]) -> Callable[..., Any]:
    def checked(path: Any, *more: Any, **options: Any) -> Any:
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith("/proc"):
            raise FileNotFoundError(2, "No such file or directory", os.fspath(path))
        return real(path, *more, **options)

    return checked


def _take_away(names: dict[Any, tuple[str, ...]]) -> None:
    for module, gone in names.items():
        for name in gone:
            if hasattr(module, name):
                delattr(module, name)


def windows() -> None:
    """No fork, no signals but Ctrl-C, no locks of POSIX, and no open file that is renamed, replaced or removed."""
    for name in _POSIX_MODULES:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, _Missing())
    _take_away(_NOT_ON_WINDOWS)
    for name in ("replace", "rename", "unlink", "remove"):
        setattr(os, name, _refusing_open_files(getattr(os, name)))
    sys.platform = "win32"


def macos() -> None:
    """Nothing in /proc."""
    _take_away(_NOT_ON_MACOS)
    for home, name in ((builtins, "open"), (io, "open"), (os, "open"), (os, "readlink"), (os, "stat")):
        setattr(home, name, _without_proc(getattr(home, name)))
    sys.platform = "darwin"


if __name__ == "__main__":
    {"windows": windows, "macos": macos}[sys.argv[1]]()
    del sys.argv[1]
    runpy.run_path(sys.argv[1], run_name="__main__")
