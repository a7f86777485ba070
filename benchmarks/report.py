"""What a program found: lines with a median, a spread and, for a row of the table of targets, its bounds."""

from __future__ import annotations

import argparse
import json
import operator
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from common import Spread, Timing

COMPARES = {"<=": operator.le, ">=": operator.ge}
PARTS = {"s": 1, "ms": 1e3, "us": 1e6}  # of a second
Verdict = Literal["aim", "gate", "missed"]


@dataclass
class Target:
    """A row of the table of targets: its text and its bounds, such as "<= 1.10".

    Attributes:
        by: what is held against them; processor time where waiting in turn would hide or feign a cost.
    """

    row: str
    gate: str
    aim: str = ""
    by: Literal["wall", "cpu"] = "wall"


@dataclass
class Line:
    """One thing measured."""

    label: str
    unit: str
    wall: Spread  # by the clock; of a number that is no time, that number
    cpu: Spread | None = None  # the same by processor time
    target: Target | None = None
    verdict: Verdict | None = None  # how the median stands to the target

    def __post_init__(self) -> None:
        if self.target is not None:
            median = (self.cpu if self.target.by == "cpu" and self.cpu else self.wall).median
            gate: Verdict = "gate" if _within(median, self.target.gate) else "missed"
            self.verdict = "aim" if _within(median, self.target.aim) else gate


def _within(value: float, bound: str) -> bool:
    if not bound:
        return False
    compare, number = bound.split()
    return bool(COMPARES[compare](value, float(number)))


@dataclass
class Report:
    """All that one program found, as text and as JSON.

    Attributes:
        name: the program's.
        about: what it compares, in a line.
        server: what the loopback server can do at most, in requests/s, where one was used.
        skipped: what was left out, and why.
        notes: what else a reader should know.
    """

    name: str
    about: str
    lines: dict[str, Line] = field(default_factory=dict)
    server: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=dict)

    def took(
        self, key: str, label: str, timings: Sequence[Timing], unit: str = "us", target: Target | None = None
    ) -> None:
        """What one unit of work takes, in "us", "ms" or "s"."""
        wall, cpu = (Spread.of(one[part] * PARTS[unit] for one in timings) for part in (0, 1))
        self.lines[key] = Line(label, unit, wall, cpu, target)

    def rate(self, key: str, label: str, timings: Sequence[Timing], unit: str = "recipients/s") -> None:
        """How many units a second; the processor's part stays microseconds a unit."""
        wall = Spread.of(1 / one.wall for one in timings)
        self.lines[key] = Line(label, unit, wall, Spread.of(one.cpu * 1e6 for one in timings))

    def ratio(
        self,
        key: str,
        label: str,
        over: Sequence[Timing],
        under: Sequence[Timing],
        target: Target | None = None,
    ) -> None:
        """How many times `under` fits into `over`, round by round: both took turns.

        Rounds too short for the processor's clock have no ratio of it.
        """
        pairs = list(zip(over, under, strict=True))
        wall = Spread.of(a.wall / b.wall for a, b in pairs)
        cpu = Spread.of(a.cpu / b.cpu for a, b in pairs) if all(b.cpu for _, b in pairs) else None
        self.lines[key] = Line(label, "x", wall, cpu, target)

    def number(
        self, key: str, label: str, unit: str, values: Iterable[float], target: Target | None = None
    ) -> None:
        """Anything else."""
        self.lines[key] = Line(label, unit, Spread.of(values), target=target)

    def skip(self, what: str, why: str) -> None:
        self.skipped[what] = why

    def finish(self, asked: argparse.Namespace) -> None:
        """Print it, and save it if asked to."""
        more = {"quick": asked.quick, "machine": machine(), "date": str(date.today())}
        told = json.dumps({**asdict(self), **more}, default=str)
        if asked.save:
            asked.save.write_text(told + "\n", encoding="utf-8")
        print(told if asked.json else self.text(), flush=True)

    def text(self) -> str:
        """For people."""
        told = [f"{self.name}: {self.about}"]
        wide = max((len(line.label) for line in self.lines.values()), default=0)
        told += [
            f"  {line.label:{wide}}  {measured(line, wide=True)}{bounds(line)}"
            for line in self.lines.values()
        ]
        if self.server:
            most = ", ".join(f"{rate:,.0f} ({what})" for what, rate in self.server.items())
            told.append(f"  the server's ceiling, requests/s: {most}")
        told += [f"  left out: {what}: {why}" for what, why in self.skipped.items()]
        told += [f"  {note}" for note in self.notes]
        return "\n".join([*told, ""])


def shown(value: float) -> str:
    """Three or so digits that count."""
    size = abs(value)
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def measured(line: Line, *, wide: bool = False) -> str:
    """Median, quartiles and, where there is one, the processor's part."""
    told = f"{shown(line.wall.median):>9} {line.unit}" if wide else f"{shown(line.wall.median)} {line.unit}"
    if line.wall.low != line.wall.high:
        told += f" ({shown(line.wall.low)} to {shown(line.wall.high)})"
    if line.cpu is not None:
        unit = "" if line.unit == "x" else f" {line.unit}" if line.unit in PARTS else " us"
        told += f", CPU {shown(line.cpu.median)}{unit}"
    return told


def bounds(line: Line) -> str:
    if line.target is None:
        return ""
    told = f"gate {line.target.gate}" + (f", aim {line.target.aim}" if line.target.aim else "")
    told += ", by CPU" if line.target.by == "cpu" else ""
    return f"   [{told}: {'MISSED' if line.verdict == 'missed' else f'{line.verdict} met'}]"


def machine() -> dict[str, Any]:
    """What the figures were seen on."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
    }


def versions(*names: str) -> dict[str, str]:
    """The installed versions of those distributions."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
