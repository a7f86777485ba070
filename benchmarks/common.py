"""What the programs share: their options, what they send, and rounds that take turns."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

PHONE = "34600000000"
TEXT = "Su cita es mañana a las 10:00"
TEMPLATE = "Hola {nombre}, su cita es mañana a las {hora}"
FIELDS = {"nombre": "Ana María", "hora": "10:00"}
SENDER = "MIEMPRESA"
CHUNK = 500  # recipients a request
CONCURRENCY = 8  # requests in flight


class Timing(NamedTuple):
    """Seconds one unit of work took: by the clock, and of the processor in the process that did it."""

    wall: float
    cpu: float


class Spread(NamedTuple):
    """The median of a number of rounds and their quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = sorted(values)
        if len(found) < 2:
            return cls(found[0], found[0], found[0])
        low, median, high = statistics.quantiles(found, n=4, method="inclusive")
        return cls(median, low, high)


class Meter:
    """Timings of several ways to do the same, taken in turn, so that what slows the machine slows them all."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.times: dict[str, list[Timing]] = {}
        self._warm = False

    def turns(self, ways: Iterable[str]) -> Iterator[str]:
        """Each way once a round. A first round is not kept: it pays for imports, caches and connections."""
        names = list(ways)
        self.times = {name: [] for name in names}
        for number in range(self.rounds + 1):
            self._warm = number > 0
            yield from reversed(names) if number % 2 else names  # none always goes first

    def add(self, name: str, timing: Timing) -> None:
        """Keep what a way took, of one unit of its work."""
        if self._warm:
            self.times[name].append(timing)


def phones(count: int) -> Iterator[str]:
    """That many different Spanish mobiles, never held together."""
    first = int(PHONE)
    return (str(number) for number in range(first, first + count))


def options(about: str | None, rounds: int) -> argparse.ArgumentParser:
    """What every program can be asked."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"rounds that count ({rounds})")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the JSON object there too")
    parser.add_argument("--peers", type=Path, metavar="DIR", help="the peers' environments (see peers.py)")
    return parser


def peak_megabytes() -> float:
    """Peak memory of this process so far."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    # Not ru_maxrss: on Linux that counts the memory of the process that started this one.
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def body(recipients: Iterable[str]) -> dict[str, Any]:
    """What the manual asks for in one request, written by hand."""
    return {
        "Remitente": SENDER,
        "Destinatarios": [{"Movil": phone} for phone in recipients],
        "Mensaje": TEXT,
        "Resp": "JSON",
    }


def body_with_fields(recipients: Iterable[str]) -> dict[str, Any]:
    """The same with two personal fields in the text."""
    return {
        "Remitente": SENDER,
        "Destinatarios": [
            {"Movil": phone, "Variable_1": FIELDS["nombre"], "Variable_2": FIELDS["hora"]}
            for phone in recipients
        ],
        "Mensaje": TEMPLATE.format(nombre="(Variable_1)", hora="(Variable_2)"),
        "Resp": "JSON",
    }
