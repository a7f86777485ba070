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


def arm(trips: Sequence[Trip]) -> None:
    global _trips
    _trips = trips
    _reached.clear()


def reach(name: str) -> None:
    _reached[name] += 1
    _reached["*"] += 1
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
    else:
        time.sleep(trip.seconds)
