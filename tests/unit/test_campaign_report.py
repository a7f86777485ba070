"""What a campaign's report is made of: when texts arrived, the curve, numbers and durations, HTML."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from mensatek_async import DeliveryReport, DeliveryStatus
from mensatek_async.campaigns.journal import chunks, deliveries
from mensatek_async.campaigns.journal import lifecycle as journal
from mensatek_async.campaigns.journal.recipients import ChunkRecipients
from mensatek_async.campaigns.journal.records import Settings, by_id
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.campaigns.options import Content
from mensatek_async.campaigns.report.curve import curve
from mensatek_async.campaigns.report.markup import tag
from mensatek_async.campaigns.report.page import report
from mensatek_async.campaigns.report.plot import plot
from mensatek_async.campaigns.report.words import Words
from mensatek_async.language import language
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
    journal.create(tx, "a", "user", '{"params": {}}', Settings(), "digest")
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


def test_a_store_of_the_first_release_has_a_report(store: str, tmp_path: Path) -> None:
    """It is brought up to date; what was reported before tells when the texts arrived."""
    old = open_database(store, FIRST_RELEASE)
    old.write(journalled)
    sql = "INSERT INTO mensatek_delivery VALUES (1, '34600000001', 77, 13, 1, 1800000000)"
    old.write(lambda tx: (tx.run(sql), sent(tx, 1, 1_799_999_990.0)))
    old.close()
    db = open_database(store, CAMPAIGNS)
    content = Content(
        product="sms",
        template=False,
        text="Hola",
        params={},
        encoding="auto",
        region="ES",
        size=1,
        anchor=None,
    )
    words, row = Words(language("en")), db.read(lambda tx: by_id(tx, 1))
    report(db, row, content, tmp_path / "r.html", words=words, price=None, with_phones=False, force=False)
    db.close()
    assert re.search(r"346\*\*\*01</td><td[^>]*>10\s*s</td>", (tmp_path / "r.html").read_text())


def sent(tx: Tx, seq: int, since: float, phones: list[str] | None = None) -> None:
    """A request that was taken."""
    phones = phones or [PHONE]
    chunks.add(tx, 1, seq, ChunkRecipients.of(range(len(phones)), [{"Movil": one} for one in phones]))
    chunks.change(tx, 1, seq, state="sent", accepted=len(phones), since=since, due_at=None)


@pytest.mark.parametrize(
    ("arrivals", "width", "later"),
    [
        ([], 1, 0),
        ([1000.0] * 5, 1, 0),
        ([1000.0 + at for at in range(600)], 3, 0),
        ([*(1000.0 + at for at in range(600)), 260_000.0], 3, 1),
        ([-4e9, *(1000.0 + at for at in range(600)), 9e9, None], None, 1),
    ],
    ids=["none", "all at once", "ten minutes", "one three days later", "dates that cannot be, and none"],
)
def test_the_curve_shows_when_most_arrived(
    store: str, arrivals: list[float | None], width: int | None, later: int
) -> None:
    """It never falls, ends with all but those that came much later, and can be drawn."""
    db = open_database(store, CAMPAIGNS)
    rows = [(f"346{at:08}", arrival) for at, arrival in enumerate(arrivals)]
    add = "INSERT INTO mensatek_delivery VALUES (1, ?, 77, 13, 1, NULL, ?, NULL)"
    db.write(lambda tx: (journalled(tx), sent(tx, 1, 999.5), tx.many(add, rows)))
    found = db.read(lambda tx: curve(tx, 1, 0.0))
    db.close()
    assert found is not None
    assert width in (None, found.width)
    assert (found.later, found.untimed) == (later, arrivals.count(None))
    assert found.timed + found.untimed == len(arrivals)
    assert all(earlier <= one for earlier, one in pairwise(found.arrived))
    assert found.taken[-1] == 1
    drawn = plot(found, Words(language("es")))
    assert drawn.count("<path") == (3 if arrivals else 1)
    assert "nan" not in drawn


@pytest.mark.parametrize(
    ("part", "whole", "english", "spanish"),
    [
        (0, 0, "", ""),
        (0, 5, "0 %", "0 %"),
        (5, 5, "100 %", "100 %"),
        (1, 3, "33 %", "33 %"),
        (999_999, 1_000_000, "99.9 %", "99,9 %"),
        (1, 1_000_000, "0.1 %", "0,1 %"),
        (7, 1000, "0.7 %", "0,7 %"),
    ],
)
def test_shares(part: int, whole: int, english: str, spanish: str) -> None:
    """What is not all never reads as all, and what is not nothing not as nothing."""
    for lang, expected in (("en", english), ("es", spanish)):
        assert Words(language(lang)).share(part, whole).replace("\xa0", " ") == expected


def test_what_nobody_sees_is_shown() -> None:
    """A character that turns a line around, or none at all, does not get into the page."""
    assert tag("p", "a\0b\u202ec<") == "<p>a\ufffdb\ufffdc&lt;</p>"
