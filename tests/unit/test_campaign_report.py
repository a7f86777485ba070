"""What a campaign's report is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import permutations

import pytest

from mensatek_async import DeliveryReport, DeliveryStatus
from mensatek_async.campaigns.journal import deliveries
from mensatek_async.campaigns.journal import lifecycle as journal
from mensatek_async.campaigns.journal.records import Settings
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.store.opening import open_database
from mensatek_async.store.schema import Schema
from mensatek_async.store.transaction import Tx

PHONE = "34600000001"
FIRST_RELEASE = Schema("", CAMPAIGNS.steps[:1], CAMPAIGNS.recover)


def reported(code: int, minute: int | None, seconds: float | None = None) -> DeliveryReport:
    """A delivery report of the only message."""
    when = None if minute is None else datetime(2027, 1, 8, 10, minute, tzinfo=UTC)
    return DeliveryReport(
        service="SMS",
        status=DeliveryStatus(code),
        phone=PHONE,
        reported_at=when,
        seconds=seconds,
        message_id=77,
    )


def journalled(tx: Tx) -> None:
    """A campaign whose message is open."""
    journal.create(tx, "a", "user", "{}", Settings(), "digest")
    tx.run("UPDATE mensatek_campaign SET idmensaje = 77")


@pytest.mark.parametrize("order", [*permutations(((0, 1, 60), (13, 2, 120), (14, 9, 540)))])
def test_a_text_arrived_when_it_was_first_delivered(
    store: str, order: tuple[tuple[int, int, float], ...]
) -> None:
    """In whatever order the reports come; a store of the first release keeps it too."""
    old = open_database(store, FIRST_RELEASE)
    old.write(journalled)
    old.close()
    db = open_database(store, CAMPAIGNS)
    for one in order:
        assert db.write(partial(deliveries.record, report=reported(*one)))
    kept = db.read(lambda tx: tx.one("SELECT code, standing, delivered_at, seconds FROM mensatek_delivery"))
    db.close()
    assert kept == (14, 1, datetime(2027, 1, 8, 10, 2, tzinfo=UTC).timestamp(), 120.0)
