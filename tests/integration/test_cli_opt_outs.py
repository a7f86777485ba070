"""`mensatek opt-outs`, `--opt-outs` of what sends, and what `webhooks listen --store` writes down."""

from __future__ import annotations

import csv
import json
import re
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from mensatek_async import (
    Mensatek,
    SendResult,
    SyncCampaigns,
    SyncContracts,
    SyncOptOuts,
    SyncOutbox,
    testing,
)
from mensatek_async.sandbox import Fault, Sandbox
from tests.command_line import Command
from tests.integration.test_webhook_listen import end, listening
from tests.sandbox_calls import ANA, EVA, LUIS, NO_TLS

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two rows, and a list with one of them, another phone and a row without any."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENSATEK_SENDER", "ACME")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("rows.csv").write_text("nombre;movil\nAna;600000001\nLuis;600000002\n")
    Path("robinson.txt").write_text("600000002\n12\n600000003\n")
    return tmp_path


def test_phones_in_and_out(command: Command) -> None:
    """Added, removed, loaded and exported; each answer says how many, and in which store."""
    assert command("opt-outs", "add", "600000001", f"+{LUIS}", "--reason", "phone").out.startswith(
        "2 phones opted out"
    )
    assert command("opt-outs", "add", ANA, "--json").json == {"added": 0, "known": 1}
    assert command("opt-outs", "remove", ANA, EVA).code == 1
    assert command("opt-outs", "remove", LUIS).code == 0
    said = command("opt-outs", "load", "robinson.txt", "--json")
    assert (said.code, said.json["added"], said.json["known"]) == (1, 2, 0)
    assert [one["row"] for one in said.json["problems"]] == [2]
    listed = command("opt-outs", "list", "--json").json
    assert listed["count"] == 2
    assert {one["phone"] for one in listed["opt_outs"]} == {LUIS, EVA}
    assert "2 phones opted out in campaigns.db." in command("opt-outs", "list").out
    command("opt-outs", "add", ANA)
    assert re.search(rf"^{ANA}  .+  orden$", command("opt-outs", "list", "--lang", "es").out, re.MULTILINE)
    command("opt-outs", "remove", ANA)
    assert command("opt-outs", "export", "out.csv").out == "2 phones: out.csv\n"
    assert command("opt-outs", "export", "rows.csv").code == 2
    assert command("opt-outs", "export", "rows.csv", "--force").code == 0
    assert [row["phone"] for row in csv.DictReader(Path("out.csv").read_text().splitlines())] == [LUIS, EVA]


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on the other side of the world."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_times_are_shown_as_in_spain(command: Command, sandbox: Sandbox, far_away: None) -> None:
    """Whatever the machine's own zone: of opt-outs, unknown recipients, contracts and callbacks."""
    command("opt-outs", "add", EVA)
    sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS", times=1)
    command("campaign", "start", "promo", "rows.csv", "--text", "Hola", "--yes")
    contracts = SyncContracts("campaigns.db")
    contracts.record_sent(SendResult(message_id=7, accepted=1), ANA, expires_at=datetime.now().astimezone())
    contracts.close()
    shows = (
        ("opt-outs", "list"),
        ("campaign", "unknown", "promo"),
        ("contract", "status", "--waiting-for", "read"),
    )
    said = [
        command(*words, *(("--store", "campaigns.db") if words[0] == "contract" else ())).out
        for words in shows
    ]
    with listening("--allow-unauthenticated") as (process, url):
        payload = testing.delivery_report()
        httpx.post(url, content=payload.body, headers={"Content-Type": payload.content_type}, verify=NO_TLS)
        said.append(end(process)[0])

    now = datetime.now(ZoneInfo("Europe/Madrid"))
    recent = {f"{now - timedelta(minutes=ago):%H:%M}" for ago in range(3)}
    for shown in said:
        assert set(re.findall(r"\b(\d\d:\d\d)\b", shown.splitlines()[0])) <= recent, shown
        assert re.search(r"\b\d\d:\d\d", shown)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("add",), "Say whom"),
        (("add", "12"), "too short"),
        (("load", "nowhere.csv"), "nowhere.csv"),
        (("list", "--store", "."), "directory"),
        (("export", "-"), "no name for the export"),
    ],
    ids=["nobody", "no phone", "no file", "no store", "standard output"],
)
def test_wrong_use(command: Command, arguments: tuple[str, ...], told: str) -> None:
    """Said in a line, with the exit code of wrong use."""
    code, _, err = command("opt-outs", *arguments)
    assert (code, told in err) == (2, True), err


@pytest.mark.parametrize("send", [("campaign", "start", "promo"), ("bulk",)], ids=["campaign", "bulk"])
def test_what_sends_leaves_out_a_file_of_phones(
    command: Command, sandbox: Sandbox, send: tuple[str, ...]
) -> None:
    """They are in the store from then on; a dry run and a file that is not there leave everything as it is."""
    what = (*send, "rows.csv", "--text", "Hola {nombre}", "--yes")
    assert (
        "2 phones of robinson.txt would be opted out"
        in command(*what, "--dry-run", "--opt-outs", "robinson.txt").out
    )
    assert command(*what, "--opt-outs", "nowhere.txt").code == 2
    assert not sandbox.texts
    said = command(*what, "--opt-outs", "robinson.txt", "--json")
    assert (said.code, said.json["opted_out"], said.json["exit_code"]) == (0, 1, 0)
    assert [text.phone for text in sandbox.texts] == [ANA]
    again = command(*what[:-1], "--yes", *(("--again",) if send == ("bulk",) else ("--sender", "ACME")))
    assert "1 opted out" in again.out
    assert LUIS not in {text.phone for text in sandbox.texts}


def test_a_recall_goes_to_everybody(command: Command, sandbox: Sandbox) -> None:
    """What is no advertising goes to those too who have opted out."""
    command("opt-outs", "add", ANA)
    command("campaign", "start", "recall", "rows.csv", "--text", "Aviso", "--yes", "--ignore-opt-outs")
    assert {text.phone for text in sandbox.texts} == {ANA, LUIS}


def test_the_listener_writes_down_what_comes(sandbox: Sandbox, folder: Path) -> None:
    """A reply opts out, a report fills the counts of a campaign and the status of an outbox's text."""
    store = str(folder / "c.db")
    with Mensatek() as client, SyncCampaigns(client, store) as campaigns, SyncOutbox(client, store) as outbox:
        campaign = campaigns.start("promo", "Hola", [ANA])
        campaign.complete()
        outbox.put("order-1", LUIS, "Hola")
        outbox.drain(10)
        with listening("--store", store, "--json") as (process, url):
            texts = {text.phone: text for text in sandbox.texts}
            payloads = [
                testing.incoming_message(sender=EVA, text="Baja por favor"),
                testing.incoming_message(sender=LUIS, text="ok, no baja nunca"),
                *(
                    testing.delivery_report(
                        status=11,
                        phone=phone,
                        message_id=texts[phone].message_id,
                        reference=texts[phone].reference,
                    )
                    for phone in (ANA, LUIS)
                ),
            ]
            with httpx.Client(verify=NO_TLS) as http:
                for payload in payloads:
                    headers = {"Content-Type": payload.content_type}
                    assert http.post(url, content=payload.body, headers=headers).status_code == 200
            out, err = end(process, signal.SIGINT)
        assert len([json.loads(line) for line in out.splitlines()]) == 4
        assert f"opted out: {EVA}" in err
        assert campaign.progress().delivered == 1
        item = outbox.get("order-1")
        assert item is not None
        assert item.status is not None
    assert [one.phone for one in SyncOptOuts(store).list()] == [EVA]
