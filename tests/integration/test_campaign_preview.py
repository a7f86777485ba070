"""What a campaign would send: `Campaigns.preview`, and what the command shows before it asks."""

from __future__ import annotations

import csv
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import (
    AsyncMensatek,
    BrokenRow,
    Campaigns,
    InvalidDate,
    InvalidRequest,
    Issuer,
    Mensatek,
    OptOuts,
    Recipient,
    SyncCampaigns,
    SyncOptOuts,
    Template,
)
from mensatek_async.sandbox import Sandbox
from mensatek_async.store.opening import open_database
from mensatek_async.text import segments
from tests.command_line import Command, Said
from tests.sandbox_calls import ANA, EVA, LUIS

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000_000, strict=True)

ROWS = [
    Recipient(ANA, {"n": "Ana"}),
    Recipient(LUIS, {"n": "Luis " * 60}),
    Recipient("+34 600 00 00 01", {"n": "Ana again"}),
    BrokenRow(4, "it is broken", "6"),
    Recipient("12", {"n": "x"}),
    Recipient("600000009"),
    Recipient("600000004", {"n": "😀"}),
    Recipient(EVA, {"n": ""}),
]


async def test_everything_is_counted_and_nothing_done(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """Each row is in one place; the first texts are in the file's order, whatever request they would be in."""
    opt_outs = OptOuts(store)
    campaigns = Campaigns(client, store)
    told: list[tuple[int, str, str]] = []
    before = await campaigns.preview(Template("Hola {n}"), ROWS, on_progress=told.extend)
    looked = open_database(store)
    assert not looked.is_there()
    looked.close()
    assert (before.rows, before.ready, before.opted_out, before.repeated, before.invalid) == (8, 4, 0, 1, 3)
    assert (before.segments, before.texts, before.credits) == ({1: 3, 2: 1}, 5, 5)
    assert (before.unicode, before.forcing, before.gaps) == (1, ("😀",), 1)
    assert [(one.row, one.phone, one.text) for one in before.samples] == [
        (1, ANA, "Hola Ana"),
        (2, LUIS, "Hola " + "Luis " * 60),
        (7, "34600000004", "Hola 😀"),
    ]
    assert before.longest == before.samples[1]
    assert (before.longest.segments, before.longest.unicode) == (2, False)
    assert {one.row: one.reason for one in before.problems}[3] == "repeats the phone of an earlier row"
    assert {one.row for one in before.problems} == {3, 4, 5, 6}
    assert [(row, phone) for row, phone, reason in told if not reason] == [
        (1, ANA),
        (2, LUIS),
        (7, "34600000004"),
        (8, EVA),
    ]
    assert [row for row, _, _ in told] == list(range(1, 9))

    await opt_outs.add(LUIS)
    after = await campaigns.preview(Template("Hola {n}"), ROWS, on_progress=told.extend)
    assert (after.ready, after.opted_out, after.texts) == (3, 1, 3)
    assert LUIS not in {one.phone for one in (*after.samples, after.longest) if one}
    assert told[9] == (2, LUIS, "has opted out")
    assert (await campaigns.preview("Hola", ROWS, respect_opt_outs=False)).opted_out == 0
    assert await campaigns.list() == []
    assert not sandbox.requests
    assert LUIS not in repr(after)
    await campaigns.aclose()
    await opt_outs.aclose()


async def rows_of(count: int) -> AsyncIterator[Recipient]:
    """Rows of all kinds, some of them repeated."""
    for at in range(count):
        yield Recipient(
            str(34_600_000_000 + at % (count - 3)),
            {"n": ("€" if at % 3 else "ж") * (at % 170), "Variable_7": "x"},
        )


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (Template("Hola {n}, {n} ({phone})"), {}),
        (Template("Hola {n}"), {"encoding": "unicode"}),
        ("Hola (Variable_7), baja en (LINK:https://example.com/a)", {}),
        ("Hola 😀" + "x" * 80, {"product": "certified", "issuer": Issuer("ACME", "900000000", "B00000000")}),
    ],
    ids=["both encodings", "unicode", "elements", "certified"],
)
async def test_it_is_what_a_campaign_then_does(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path, text: Any, options: dict[str, Any]
) -> None:
    """As many are sent, for as many credits; the longest text is the longest of all."""
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        preview = await campaigns.preview(text, rows_of(600), **options)
        done = await (await campaigns.start("c", text, rows_of(600), **options)).complete()
    assert (done.total, done.sent, done.invalid) == (preview.rows, preview.ready, preview.repeated)
    assert done.credits_used == preview.credits
    if options.get("product") is None and "LINK" not in str(text):
        lengths = [len(one.text) for one in sandbox.texts]
        assert preview.longest is not None
        assert len(preview.longest.text) == max(lengths)
        assert (
            preview.longest.segments
            == segments(preview.longest.text, options.get("encoding", "auto")).segments
        )


def test_in_synchronous_code(sandbox: Sandbox, tmp_path: Path) -> None:
    """The same; what calls back does so where the call was made, and whatever it raises comes out."""
    here: set[int] = set()
    SyncOptOuts(tmp_path / "c.db").add(ANA)
    with Mensatek() as client, SyncCampaigns(client, tmp_path / "c.db") as campaigns:
        preview = campaigns.preview(
            Template("{n}"), (one for one in ROWS), on_progress=lambda rows: here.add(threading.get_ident())
        )
        assert (preview.ready, preview.opted_out) == (3, 1)
        assert here == {threading.get_ident()}
        with pytest.raises(ZeroDivisionError):
            campaigns.preview("Hola", [ANA], on_progress=lambda rows: 1 / 0)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"anchor": "12"}, InvalidRequest),
        ({"start_at": datetime(2020, 1, 1)}, InvalidDate),
        ({"nothing": 1}, TypeError),
    ],
    ids=str,
)
async def test_what_start_refuses(
    client: AsyncMensatek, tmp_path: Path, given: dict[str, Any], error: type[Exception]
) -> None:
    """A preview refuses as well, and before a row is read."""
    campaigns = Campaigns(client, tmp_path / "c.db")
    for call in (
        campaigns.preview("Hola", rows_of(9), **given),
        campaigns.start("c", "Hola", [ANA], **given),
    ):
        with pytest.raises(error):
            await call
    with pytest.raises(InvalidRequest, match="braces"):
        await campaigns.preview("Hola {n}", ROWS)
    assert not (tmp_path / "c.db").exists()


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """But for the phones already met, and the first problems."""
    peaks = []
    with Mensatek("user", "token") as client, SyncCampaigns(client, tmp_path / "c.db") as campaigns:
        for count in (20_000, 60_000):
            tracemalloc.start()
            try:
                rows = (str(34_600_000_000 + at // 2) for at in range(count))
                preview = campaigns.preview("Hola", rows)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
            assert (preview.ready, preview.repeated) == (count // 2, count // 2)
    assert len(preview.problems) == 10_000
    assert peaks[1] < peaks[0] + 1_000_000


# --- the command ---------------------------------------------------------------------------------------------


@pytest.fixture
def start(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """`campaign start sale` or `bulk` in a folder of its own, with five rows of which three are ready."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENSATEK_SENDER", "ACME")
    Path("people.csv").write_text(
        f"name;phone\nAna;{ANA}\nAna;{ANA}\nLuis;{LUIS}\nEva;\nEva{'!' * 170};{EVA}\nMar;600000004\nTo;600000005\n"
    )
    SyncOptOuts("campaigns.db").add(LUIS)
    what = ("campaign", "start", "sale", "people.csv", "--text", "Hola {name}")
    return lambda *words, **typed: command(*what, *words, **typed)


def test_what_is_shown_before_it_is_asked(sandbox: Sandbox, start: Callable[..., Said]) -> None:
    """Who gets what, what it costs, and who is left out; nothing has left yet, and nothing is written down."""
    said = start("--price", "2", "--euros", "0,05", "--test-to", "600 99 99 99", typed="n\n")
    assert said.code == 1
    for words in (
        "4 rows to send, 2 broken or repeated.",
        "Left out: 1 opted out, 1 repeated, 1 invalid.",
        "Segments: 1 for 3 recipients, 2 for 1 recipient.",
        "Credits: 10 estimated, at 2 credits a text",
        "Euros: 0.50 estimated, at 0.05 a credit.",
        f"Row 2, to {ANA}: 1 text, GSM, 2 credits\n    Hola Ana\n",
        f"Row 6, to {EVA}: 2 texts, GSM, 4 credits\n    Hola Eva!!!",
        "Row 7, to 34600000004",
        "The longest text is that of row 6.",
        "Sent to 600 99 99 99 first: the text of row 2.",
    ):
        assert words in said.out
    assert "Row 8" not in said.out
    assert "Send 5 texts to 4 recipients?" in said.err
    assert said.err.endswith("Nothing was sent but the test.\n")
    assert {one.phone: one.text for one in sandbox.texts} == {"34600999999": "Hola Ana"}
    with Mensatek() as client:
        assert client.campaigns("campaigns.db").list() == []
    assert start("--yes", "--test-to", LUIS).code == 1  # though they have opted out: they are you
    assert sandbox.count(LUIS) == 1
    again = start("--yes", "--test-to", LUIS)
    assert "No test is sent" in again.err
    assert len(sandbox.texts) == 6


@pytest.mark.parametrize(
    "words", [("--test-to", "12", "--yes"), ("--test-to", "600999999"), ("--rate", "0", "--yes")]
)
def test_what_is_wrong_is_said_before_the_test_leaves(
    sandbox: Sandbox, start: Callable[..., Said], words: tuple[str, ...]
) -> None:
    """A phone that is none, nobody to ask, an option."""
    assert start(*words).code == 2
    assert not sandbox.requests


@pytest.mark.parametrize("send", [("campaign", "start", "sale"), ("bulk",)], ids=["campaign", "bulk"])
def test_a_dry_run_knows_who_has_opted_out(
    sandbox: Sandbox, command: Command, start: Callable[..., Said], send: tuple[str, ...]
) -> None:
    """In the store and in the file of --opt-outs, which is not written down."""
    Path("no.txt").write_text(f"{LUIS}\n600000004\n")
    what = (*send, "people.csv", "--text", "Hola", "--store", "campaigns.db", "--dry-run", "--json")
    report = () if send[0] == "campaign" else ("--report", "out.csv")
    before = Path("campaigns.db").read_bytes()
    told = command(*what, *report, "--opt-outs", "no.txt").json
    assert (told["ready"], told["opted_out"], told["repeated"], told["invalid"]) == (3, 2, 1, 2)
    assert told["longest"]["text"] == "Hola"
    assert command(*what).json["opted_out"] == 1
    assert command(*what, "--ignore-opt-outs").json["opted_out"] == 0
    if report:
        with open("out.csv", newline="") as file:
            outcomes = {int(one["row"]): one["outcome"] for one in csv.DictReader(file)}
        assert [outcomes[row][:3] for row in range(2, 9)] == ["rea", "inv", "opt", "inv", "rea", "opt", "rea"]
    assert Path("campaigns.db").read_bytes() == before
    assert not sandbox.requests
