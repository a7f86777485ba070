"""What happens at the named points of the campaign code in a worker; MENSATEK_FAULT_POINTS names this module."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Sequence

from tests.faults.jobs import Trip

_trips: Sequence[Trip] = ()
_reached: Counter[str] = Counter()
_record: int | None = None


class Tripped(Exception):
    """An error that nobody expects, raised at a point."""


def arm(trips: Sequence[Trip], record: str = "") -> None:
    """Set the trouble of this process, and the file that tells what was reached."""
    global _trips, _record
    _trips = trips
    _reached.clear()
    _record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if record else None


def reach(name: str) -> None:
    """The campaign code is at a point."""
    _reached[name] += 1
    _reached["*"] += 1
    if _record is not None:
        os.write(_record, f"{os.getpid()} {name}\n".encode())
    for trip in _trips:
        if trip.point in (name, "*") and trip.nth == _reached[trip.point]:
            _act(trip)


def _act(trip: Trip) -> None:
    if trip.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # the other threads run on for a moment, this one must not
    elif trip.action == "stop":
        time.sleep(0.2)  # what another thread writes ends: everybody would wait for it
        os.kill(os.getpid(), signal.SIGSTOP)
    elif trip.action == "sleep":
        time.sleep(trip.seconds)
    else:
        raise Tripped(trip.point)
