"""What importing costs, and what it loads: the package, its parts and the peers, each time in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from common import Meter, Timing, options
from peers import found
from report import Report, Target, versions

HEAVY = ("httpx", "httpcore", "cattrs", "attr", "anyio", "trio", "asyncio", "rich", "click", "ssl")
FORBIDDEN = ("httpx", "cattrs", "anyio")
SDK = "import mensatek_async"
WAYS = {
    SDK: "import mensatek_async",
    "from mensatek_async import AsyncMensatek": "from mensatek_async import AsyncMensatek",
    "import httpx, attrs, cattrs, anyio": "httpx, attrs, cattrs and anyio, which it builds on",
    "import mensatek_async.webhooks": "import mensatek_async.webhooks",
    "import mensatek_async.text": "import mensatek_async.text",
}
PEERS = {
    "twilio": "from twilio.rest import Client",
    "telnyx": "from telnyx import AsyncTelnyx",
    "vonage": "from vonage import Vonage",
}
PROGRAM = """
import sys, time
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
{statement}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
import json
print(json.dumps([wall, cpu, sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})]))
"""
TARGET = Target("`import mensatek_async`, ms", "<= 10")
NONE = Target("of httpx, cattrs and anyio loaded by it", "<= 0", "<= 0")


def importing(python: Path | str, statement: str) -> tuple[Timing, list[str]]:
    """What the statement takes in a fresh process, and the top-level modules that it loads."""
    command = [str(python), "-I", "-c", PROGRAM.format(statement=statement)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wall, cpu, loaded = json.loads(told)
    return Timing(wall, cpu), loaded


def main() -> None:
    asked = options(__doc__, rounds=15).parse_args()
    report = Report("imports", "one import in a fresh process, its bytecode and files already cached")
    report.packages = versions("mensatek-async", "httpx", "attrs", "cattrs", "anyio")
    ways: dict[str, tuple[Path | str, str]] = {name: (sys.executable, name) for name in WAYS}
    labels = dict(WAYS)
    for peer, statement in PEERS.items():
        if python := found(peer, report, asked.peers):
            ways[peer], labels[peer] = (python, statement), statement
    meter = Meter(1 if asked.quick else asked.rounds)
    loaded: dict[str, list[str]] = {}
    for name in meter.turns(ways):
        timing, loaded[name] = importing(*ways[name])
        meter.add(name, timing)
    for name in ways:
        target = TARGET if name == SDK else None
        report.took(name, labels[name], meter.times[name], "ms", target)
    heavy = [name for name in FORBIDDEN if name in loaded[SDK]]
    report.number(
        "forbidden", "of httpx, cattrs and anyio, import mensatek_async loads", "modules", [len(heavy)], NONE
    )
    for name in WAYS:
        told = [one for one in HEAVY if one in loaded[name]]
        report.notes.append(f"{name} loads {', '.join(told) or 'none'} of {', '.join(HEAVY)}")
    report.finish(asked)


if __name__ == "__main__":
    main()
