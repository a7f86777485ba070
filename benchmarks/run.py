"""Runs the programs, one after the other; other options than those below go to each of them.

python benchmarks/run.py [--table] [--only NAME ...] [OPTION ...]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from peers import home
from table import PROGRAMS, write

HERE = Path(__file__).parent


def main() -> None:
    there = [name for name in PROGRAMS if (HERE / f"{name}.py").exists()]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=there, default=there, metavar="NAME")
    parser.add_argument("--table", action="store_true", help="write what was found into README.md")
    parser.add_argument("--results", type=Path, metavar="DIR", default=home() / "results")
    asked, more = parser.parse_known_args()
    asked.results.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in asked.only:
        saved = asked.results / f"{name}.json"
        saved.unlink(missing_ok=True)
        done = subprocess.run([sys.executable, HERE / f"{name}.py", "--save", saved, *more])
        if done.returncode or not json.loads(saved.read_text(encoding="utf-8"))["lines"]:
            failed.append(name)
    if asked.table:
        write(asked.results, HERE / "README.md")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
