"""Which process has something in a store, so that others of the same machine can see that it has ended."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot() -> str:
    """Return what tells this run of the machine from others; "" where the system does not say."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def this_process() -> str:
    """Return this process's name, which no other of any machine has."""
    return f"{_machine()} {os.getpid()} {_state(os.getpid())[1]}"


def has_ended(process: str) -> bool:
    """Return whether a process is known to have ended; of one of another machine nobody can tell."""
    machine, _, rest = process.partition(" ")
    number, _, began = rest.partition(" ")
    if machine != _machine() or not number.isdigit() or sys.platform == "win32":
        return False
    try:
        os.kill(int(number), 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    state, begins = _state(int(number))
    return state == "Z" or begins != began  # dead and not yet buried, or another one with its number


def _machine() -> str:
    # A container has numbers of its own for the processes, whatever name it gives the machine.
    with suppress(OSError):
        return f"{boot()}/{os.readlink('/proc/self/ns/pid')}"
    return socket.gethostname()


def _state(process: int) -> tuple[str, str]:
    """Return a process's state, and when it began; two empty texts where the system does not say."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "", ""
    fields = told.rpartition(")")[2].split()
    return fields[0], fields[19]
