"""Writes the table of targets into README.md, from what the programs saved.

    python benchmarks/table.py RESULTS [README]

RESULTS is a folder of their JSON objects, as `run.py` leaves it; the README's text between the two markers is replaced.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from common import Spread
from report import Line, Target, measured

START, END = "<!-- measured: written by table.py -->\n", "<!-- /measured -->\n"
# In the order of the table; a program's rows are its lines that have a target.
PROGRAMS = (
    "send",
    "bulk",
    "per_recipient",
    "webhooks",
    "sync_overhead",
    "imports",
    "memory",
    "campaign",
    "scaling",
    "callers",
    "accounts",
    "priority",
    "cli_start",
    "transports",
    "allowed_rate",
    "many_workers",
    "outbox",
    "opt_outs",
    "observer",
)


def line_of(found: dict[str, Any]) -> Line:
    """A line, from its JSON."""
    target = Target(**found["target"]) if found["target"] else None
    cpu = Spread(*found["cpu"]) if found["cpu"] else None
    return Line(found["label"], found["unit"], Spread(*found["wall"]), cpu, target)


def lines_of(report: dict[str, Any]) -> list[Line]:
    return [line_of(found) for found in report["lines"].values()]


def rows(reports: dict[str, dict[str, Any]]) -> list[str]:
    """The table of targets."""
    told = ["| what | gate | aim | measured | |", "| --- | --- | --- | --- | --- |"]
    for name in PROGRAMS:
        for line in lines_of(reports[name]) if name in reports else ():
            if line.target is not None:
                target = line.target
                verdict = {"aim": "aim met", "gate": "gate met", "missed": "**missed**"}[str(line.verdict)]
                verdict += " (by CPU)" if target.by == "cpu" else ""
                link = f"[{name}.py]({name}.py): {verdict}"
                told.append(f"| {target.row} | {target.gate} | {target.aim} | {measured(line)} | {link} |")
    return told


def others(reports: dict[str, dict[str, Any]]) -> list[str]:
    """The ratios for which nobody set a target."""
    told = ["| ratio | measured | |", "| --- | --- | --- |"]
    for name in PROGRAMS:
        for line in lines_of(reports[name]) if name in reports else ():
            if line.unit == "x" and line.target is None:
                told.append(f"| {line.label} | {measured(line)} | {name}.py |")
    return told


def circumstances(reports: dict[str, dict[str, Any]]) -> list[str]:
    """Versions, machine, the server's ceiling, and what was left out."""
    packages: dict[str, str] = {}
    for report in reports.values():
        packages |= report["packages"]
    machine = next(iter(reports.values()))["machine"]
    ceilings = [report["server"] for report in reports.values() if report["server"]]
    dates = ", ".join(sorted({report["date"] for report in reports.values()}))
    told = [
        f"Measured on {dates}, {machine['implementation']} {machine['python']}, {machine['system']}, "
        f"{machine['cores']} cores; {', '.join(f'{name} {one}' for name, one in sorted(packages.items()))}."
    ]
    for what in ceilings[0] if ceilings else ():
        most = sorted(one[what] for one in ceilings)
        told.append(f"The server's ceiling with {what}: {most[0]:,.0f} to {most[-1]:,.0f} requests/s.")
    if any(report["quick"] for report in reports.values()):
        told.append("**Quick runs, to see that they run: not for reading.**")
    for name, report in reports.items():
        told += [f"{name}.py left out {what}: {why}." for what, why in report["skipped"].items()]
    return told


def table(reports: dict[str, dict[str, Any]]) -> str:
    """All that stands between the markers."""
    parts = [circumstances(reports), rows(reports), ["Other ratios of the same runs:"], others(reports)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def write(results: Path, readme: Path) -> None:
    """Put the results into the README.

    Raises:
        ValueError: it has no markers, or there are no results.
    """
    reports = {
        name: json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
        for name in PROGRAMS
        if (results / f"{name}.json").exists()
    }
    text = readme.read_text(encoding="utf-8")
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not reports or not start or not end:
        raise ValueError(f"no results in {results}, or no markers in {readme}")
    readme.write_text(f"{before}{start}\n{table(reports)}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    write(
        Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("README.md")
    )
