"""The peers, each in an environment of its own; run as a program it makes those that are not there yet.

    python benchmarks/peers.py [DIRECTORY]

Without a directory they go into the user's cache, from where the programs take them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from report import Report

# What is installed into each environment.
PEERS = {
    "twilio": ("twilio>=9",),
    "telnyx": ("telnyx>=4",),
    "vonage": ("vonage>=4",),
    "aiohttp": ("aiohttp>=3.12",),
}


def home(asked: Path | None = None) -> Path:
    """Where the environments are."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (asked or Path(cache) / "mensatek-async-bench").absolute()


def python_of(peer: str, asked: Path | None = None) -> Path:
    """Its interpreter, whether it is there or not."""
    return home(asked) / peer / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def found(peer: str, report: Report, asked: Path | None = None) -> Path | None:
    """Its interpreter, with its versions noted in the report; without one the report says that it is left out."""
    python = python_of(peer, asked)
    if not (python.parent.parent / "installed.txt").exists():
        report.skip(peer, "not installed (python benchmarks/peers.py installs it)")
        return None
    told = (python.parent.parent / "installed.txt").read_text(encoding="utf-8").splitlines()
    report.packages.update(line.split("==", 1) for line in told)  # type: ignore[misc]
    return python


def install(peer: str, asked: Path | None = None) -> None:
    """Make its environment, unless it is there."""
    python = python_of(peer, asked)
    folder = python.parent.parent
    done = folder / "installed.txt"
    if done.exists():
        return
    print(f"peers: installing {peer}", flush=True)
    venv.create(folder, with_pip=True, clear=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", *PEERS[peer]], check=True)
    names = [requirement.partition(">")[0] for requirement in PEERS[peer]]
    ask = "import importlib.metadata as m, sys; [print(f'{n}=={m.version(n)}') for n in sys.argv[1:]]"
    told = subprocess.run([python, "-c", ask, *names], check=True, capture_output=True, text=True).stdout
    done.write_text(told, encoding="utf-8")


def main() -> None:
    asked = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for peer in PEERS:
        try:
            install(peer, asked)
        except (OSError, subprocess.CalledProcessError) as error:  # the programs leave it out and say so
            print(f"peers: {peer} could not be installed: {error}", flush=True)


if __name__ == "__main__":
    main()
