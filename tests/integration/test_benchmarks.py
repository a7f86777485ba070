"""The benchmarks run as programs do; what they measure is not looked at, only that it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"
README = "Before.\n<!-- measured: written by table.py -->\nold\n<!-- /measured -->\nAfter.\n"


def _run(*command: str | Path) -> str:
    done = subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True, text=True)
    return done.stdout


def _line(median: float, *, cpu: float | None = None, **target: str) -> dict[str, Any]:
    spread = None if cpu is None else [cpu, cpu, cpu]
    row = {"row": "one send", "gate": "<= 1.10", "aim": "<= 1.00", "by": "wall"} | target
    return {"label": "send", "unit": "x", "wall": [median, median, median], "cpu": spread, "target": row}


def _table(folder: Path, *lines: dict[str, Any]) -> str:
    report = {
        "lines": {str(number): line for number, line in enumerate(lines)},
        "server": {"1 recipient": 9000.0},
        "packages": {"httpx": "0.28.1"},
        "skipped": {"twilio": "not installed"},
        "quick": False,
        "date": "2026-11-22",
        "machine": {"python": "3.11.7", "implementation": "CPython", "system": "Linux", "cores": 2},
    }
    (folder / "send.json").write_text(json.dumps(report), encoding="utf-8")
    readme = folder / "README.md"
    readme.write_text(README, encoding="utf-8")
    _run(HERE / "table.py", folder, readme)
    return readme.read_text(encoding="utf-8")


@pytest.mark.parametrize("program", ["webhooks", "per_recipient"])
def test_a_program_tells_what_it_measured(program: str, tmp_path: Path) -> None:
    """A quick run without peers prints one JSON object, saves the same, and says what it left out."""
    saved = tmp_path / "saved.json"
    told = _run(HERE / f"{program}.py", "--quick", "--json", "--peers", tmp_path, "--save", saved)
    report = json.loads(told)
    assert report == json.loads(saved.read_text(encoding="utf-8"))
    assert {"name", "about", "lines", "server", "skipped", "packages", "quick", "machine"} <= set(report)
    assert all(line["wall"][1] <= line["wall"][0] <= line["wall"][2] for line in report["lines"].values())
    assert "telnyx" in report["skipped"]


def test_the_table_holds_the_median_against_its_bounds(tmp_path: Path) -> None:
    """A row names the aim or the gate that is met, by processor time where waiting would feign a cost, or the miss. The
    rest of the document stays, and what was left out is named."""
    told = _table(tmp_path, _line(0.99), _line(1.05), _line(1.2), _line(3.0, cpu=0.9, by="cpu"))
    assert told.count("| one send | <= 1.10 | <= 1.00 | ") == 4
    for row in ("0.99 x | [send.py](send.py): aim met |", "1.05 x | [send.py](send.py): gate met |"):
        assert row in told
    assert "1.20 x | [send.py](send.py): **missed** |" in told
    assert "aim met (by CPU)" in told
    assert (told.startswith("Before.\n"), told.endswith("After.\n"), "\nold\n" in told) == (True, True, False)
    assert "send.py left out twilio: not installed." in told
