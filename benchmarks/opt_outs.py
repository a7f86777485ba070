"""Opt-outs: what looking up the phones of a chunk costs the transaction that claims it."""

from __future__ import annotations

import time
from random import Random

import anyio
from common import options
from outbox import NAMES, stores
from report import Report, Target, versions

from mensatek_async import OptOuts
from mensatek_async.opt_outs import tables
from mensatek_async.store.transaction import Tx

CHUNK = 500
FIRST = 34_600_000_000


async def measure(report: Report, kind: str, store: str, most: int, count: int) -> None:
    opt_outs, random = OptOuts(store), Random(1)
    took: list[float] = []
    await opt_outs.add(str(FIRST))
    for first in range(1, most, 5000):
        phones = [str(FIRST + number) for number in range(first, min(first + 5000, most))]
        opt_outs._db.write(lambda tx, phones=phones: tables.add(tx, phones, "reply", "5757"))

    def look(tx: Tx) -> None:
        # One in ten has opted out; the others lie between those who have.
        phones = [f"{FIRST + random.randrange(most)}{'' if at % 10 == 0 else 0}" for at in range(CHUNK)]
        started = time.perf_counter()
        assert tables.changes(tx) is not None
        tables.opted_out(tx, phones)
        took.append(time.perf_counter() - started)

    for _ in range(count + 20):
        opt_outs._db.write(look)
    target = Target(f"opt-outs: a chunk of 500 against {most:,}, {NAMES[kind]}, ms", "<= 2", "<= 1")
    told = f"looking up {CHUNK} phones among {most:,} on {NAMES[kind]}"
    report.number(f"look_{kind}", told, "ms", [one * 1000 for one in took[20:]], target)
    await opt_outs.aclose()


def main() -> None:
    parser = options(__doc__, rounds=1)
    parser.add_argument("--count", type=int, default=500, help="chunks (500)")
    parser.add_argument("--most", type=int, default=1_000_000, help="opt-outs (1,000,000)")
    asked = parser.parse_args()
    if asked.quick:
        asked.count, asked.most = 20, 5_000
    report = Report("opt_outs", "opt-outs: a chunk looked up by the claim that sends it")
    report.packages = versions("mensatek-async", "psycopg")
    with stores(report) as found:
        for kind, store in found.items():
            anyio.run(measure, report, kind, store, asked.most, asked.count)
    report.finish(asked)


if __name__ == "__main__":
    main()
