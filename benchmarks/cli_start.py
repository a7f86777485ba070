"""How long the command takes to start, do something small and end, beside an empty program of the same library."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from common import TEXT, Meter, Timing, options
from report import Report, Target, versions

TARGET = Target("`mensatek --help`, against an empty cyclopts program's", "<= 1.25")
EMPTY = "from cyclopts import App; App(name='empty', help='Nothing.')(['--help'])"


def spent() -> float:
    """Processor seconds of all children so far: to the microsecond where the system tells it."""
    if sys.platform == "win32":
        return sum(os.times()[2:4])
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def running(command: list[str]) -> Timing:
    start, cpu = time.perf_counter(), spent()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Timing(time.perf_counter() - start, spent() - cpu)


def main() -> None:
    asked = options(__doc__, rounds=21).parse_args()
    report = Report("cli_start", "seconds from start to end of a command")
    report.packages = versions("mensatek-async", "cyclopts", "rich")
    mensatek = str(Path(sys.executable).with_name("mensatek"))
    ways = {
        "help": [mensatek, "--help"],
        "segments": [mensatek, "segments", TEXT],
        "version": [mensatek, "--version"],
        "empty": [sys.executable, "-c", EMPTY],
        "python": [sys.executable, "-c", "pass"],
    }
    labels = {
        "help": "mensatek --help",
        "segments": "mensatek segments TEXT",
        "version": "mensatek --version",
        "empty": "an empty cyclopts program --help",
        "python": "python -c pass",
    }
    meter = Meter(1 if asked.quick else asked.rounds)
    for name in meter.turns(ways):
        meter.add(name, running(ways[name]))
    for name, label in labels.items():
        report.took(name, label, meter.times[name], "s")
    told = f"{labels['help']} over {labels['empty']}"
    report.ratio("help_over_empty", told, meter.times["help"], meter.times["empty"], TARGET)
    report.finish(asked)


if __name__ == "__main__":
    main()
