"""A very large campaign in a SQLite file: URL FILE COUNT; reads it, then measures claims at its start and its end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import anyio
from common import CHUNK, PHONE, TEXT, peak_megabytes, phones
from ways_campaign import client_of

from mensatek_async import Campaigns
from mensatek_async.campaigns.journal.claims import Claimer, claim
from mensatek_async.campaigns.journal.outcomes import finish
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.campaigns.journal.states import Work
from mensatek_async.durable.work import Finish, Taken, new_token
from mensatek_async.store.sqlite import SqliteDatabase
from mensatek_async.store.transaction import Tx

CLAIMS = 100


def scattered(count: int) -> Iterator[str]:
    """That many different phones in no order, as customers have them: neighbours would make a small file."""
    first = int(PHONE)
    return (str(first + number * 12_345_677 % 10**8) for number in range(count))


async def read(url: str, file: str, count: int) -> dict[str, float]:
    async with client_of(url) as client:
        campaigns = Campaigns(client, file)
        await campaigns.start("small", TEXT, phones(CHUNK))
        empty, started = peak_megabytes(), time.perf_counter()
        await campaigns.start("large", TEXT, scattered(count))
        took = time.perf_counter() - started
        await campaigns.aclose()
    return {"seconds": took, "memory": max(peak_megabytes() - empty, 0.0)}


def step(tx: Tx, done: list[Finish[Work]], who: Claimer, token: str) -> object:
    """What a worker does between two requests, in one transaction."""
    for one in done:
        finish(tx, who, one)
    account = tx.one("SELECT account FROM mensatek_campaign WHERE id = 2")[0]
    return claim(tx, who, [token], account, None, 0)[0]


def claims(db: SqliteDatabase, part: int) -> list[float]:
    """Seconds a claim takes, with the finish of the one before and the commit, when so many per cent are sent."""

    def send(tx: Tx) -> None:
        last = tx.one("SELECT max(seq) FROM mensatek_chunk WHERE campaign_id = 2")[0] * part // 100
        tx.run("UPDATE mensatek_campaign SET idmensaje = 7 WHERE id = 2")
        tx.run(
            "UPDATE mensatek_chunk SET state = 'sent', accepted = n, due_at = NULL WHERE campaign_id = 2 AND seq < ?",
            last,
        )

    db.write(send)
    who, took = Claimer("bench", 300.0), []
    done: list[Finish[Work]] = []
    for _ in range(CLAIMS):
        before = time.perf_counter()
        found = db.write(partial(step, done=done, who=who, token=new_token()))
        took.append(time.perf_counter() - before)
        if not isinstance(found, Work):
            break
        size = len(found.content)
        taken = Taken(message_id=7, accepted=size, repeated=0, credits=Decimal(size), left=Decimal(1))
        done = [Finish(found, taken)]
    return took[1:]


def main(url: str, file: str, count: int) -> None:
    told: dict[str, object] = {**anyio.run(read, url, file, count)}
    told["megabytes"] = Path(file).stat().st_size / 1e6
    db = SqliteDatabase(Path(file), CAMPAIGNS)
    told["claims"] = {str(part): claims(db, part) for part in (1, 99)}
    db.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
