"""The doctor, against the sandbox as it is and against sandboxes that deviate one by one."""

from __future__ import annotations

import ast
import socket
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    ConfigurationError,
    Diagnosis,
    Finding,
    Guard,
    InvalidPhone,
    InvalidRequest,
    Issuer,
    Mensatek,
    diagnose,
    sync_diagnose,
)
from mensatek_async.doctor import doctor as module
from mensatek_async.doctor.checks import CHECKS
from mensatek_async.sandbox import Callbacks, Fault, Sandbox
from tests.markdown import ROOT, blocks

OWN = "600000001"
ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000", check=False)
SENDS, INFERRED = "EnviarSMS", ("CancelarSMSCERTIFICADO", "ReprogramarSMSCERTIFICADO")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty calls come at once, but for one test."""
    monkeypatch.setattr(module, "_APART", 0.0)


def client_of(sandbox: Sandbox, **settings: Any) -> AsyncMensatek:
    return AsyncMensatek(
        sandbox.user,
        sandbox.token,
        **{"base_url": sandbox.base_url, "sender": "ACME", "guard": Guard(read_interval=0), **settings},
    )


def by_name(diagnosis: Diagnosis) -> dict[str, Finding]:
    return {one.check: one for one in diagnosis.findings}


def wrong(diagnosis: Diagnosis) -> list[str]:
    return [one.check for one in diagnosis.findings if not one.ok]


def check_limits(sandbox: Sandbox) -> None:
    """Never more than three texts, and three calls that send nothing and ask nothing of one."""
    operations = [call.operation for call in sandbox.requests]
    assert operations.count(SENDS) <= 3
    assert sum(name in ("GetCreditos", *INFERRED) for name in operations) <= 3
    assert not sandbox.calls("EnviarSMSCERTIFICADO")


async def test_a_provider_that_is_as_assumed(free_tcp_port: int) -> None:
    """Everything in the table is looked at and right; text 3 never leaves, and text 2 is none."""
    with Sandbox(delivery_seconds=0) as sandbox:
        sandbox.call_back(Callbacks(url := f"http://127.0.0.1:{free_tcp_port}/hook?token=s3cr3t"))
        async with client_of(sandbox) as client:
            diagnosis = await diagnose(client, OWN, callback=url, wait=5)

        assert diagnosis.ok, diagnosis
        assert [one.check for one in diagnosis.findings] == [check.name for check in CHECKS]
        assert (diagnosis.unchecked, diagnosis.settings, diagnosis.environment) == ([], {}, [])
        assert sandbox.counts == {f"34{OWN}": 1}
        check_limits(sandbox)
        shown = f"{diagnosis!r}{diagnosis.texts}"
        assert not [secret for secret in (OWN, sandbox.token, "s3cr3t") if secret in shown]


async def test_without_a_phone_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three calls at most, further apart than the provider's rule for empty ones."""
    monkeypatch.undo()
    with Sandbox(strict=True) as sandbox:
        async with client_of(sandbox, guard=Guard(read_interval=0.3)) as client:
            diagnosis = await diagnose(client)
        calls = sandbox.requests
        assert diagnosis.ok
        assert [call.operation for call in calls] == ["GetCreditos", *INFERRED]
        gaps = [later.at - call.at for call, later in pairwise(calls)]
        assert min(gaps) > timedelta(seconds=0.3)
        assert not sandbox.counts


SHARED = {name: name.removesuffix("CERTIFICADO") for name in INFERRED}


FORM, ALONE, REPORT = {"request_format": "form"}, {"assume_grouping": False}, {"report": True}
DEVIATIONS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "array": ({"reply_style": "json-array"}, "array", {}),
    "spanish": ({"reply_style": "spanish"}, "Spanish notation", {}),
    "spanish-plain": ({"reply_style": "spanish-plain"}, "Spanish notation", {}),
    "txt": ({"reply_style": "txt"}, "come as plain text", {}),
    "xml": ({"reply_style": "xml"}, "come as XML", {}),
    "form": ({"json_bodies": False}, "bodies", FORM),
    "paths": ({"paths": SHARED}, "cancel-path reschedule-path", {"paths": SHARED}),
    "repeats": ({"keeps_repeats": False}, "grouping", ALONE),
    "reports": ({"reports_unasked": False}, "callbacks", REPORT),
    "ahead": ({"starts_at": datetime.now(UTC) + timedelta(hours=2)}, "clock", {}),
    "behind": ({"starts_at": datetime.now(UTC) - timedelta(days=40)}, "clock", {}),
    "many": (
        {"json_bodies": False, "keeps_repeats": False, "reports_unasked": False},
        "bodies grouping callbacks",
        {**FORM, **ALONE, **REPORT},
    ),
}


@pytest.mark.parametrize(("provider", "check", "settings"), DEVIATIONS.values(), ids=DEVIATIONS)
async def test_a_deviation_is_found_and_its_settings_work(
    provider: dict[str, Any], check: str, settings: dict[str, Any], free_tcp_port: int
) -> None:
    """It is named; with the settings that are printed the client works, and the doctor has nothing more to say."""
    with Sandbox(delivery_seconds=0, **provider) as sandbox:
        callbacks = sandbox.call_back(Callbacks(f"http://127.0.0.1:{free_tcp_port}/"))
        async with client_of(sandbox) as client:
            found = await diagnose(client, OWN, listen=free_tcp_port, wait=1)
        check_limits(sandbox)
        assert (dict(found.settings), sandbox.count(f"34{OWN}")) == (settings, 1 + ("grouping" in check))
        if " ".join(wrong(found)) != check:
            assert not wrong(found)
            assert check in " ".join(one.detail for one in found.findings)

        sandbox.reset()
        callbacks.posts.clear()
        async with client_of(sandbox, **found.settings) as client:
            await works(client, sandbox)
            again = await diagnose(client, OWN, listen=free_tcp_port, wait=1)
        assert wrong(again) == (["clock"] if check == "clock" else [])


async def works(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """Texts go out, plain and certified, are moved and cancelled; a lost answer texts nobody twice."""
    when = max(sandbox.now, datetime.now(UTC)) + timedelta(days=2)
    for product in (client.sms, client.certified):
        options: Any = {"issuer": ISSUER} if product is client.certified else {}
        sent = await product.send("600000007", "Hola", scheduled_at=when, **options)
        assert (await product.reschedule(sent.message_id, when + timedelta(days=1))).rescheduled == 1
        assert (await product.cancel(sent.message_id)).cancelled == 1
    sandbox.fault(Fault.drop_after_accept(), after=1, times=1)
    await client.sms.send_bulk(["600000008", "600000009", "600000010"], "Hola", chunk_size=1)
    assert max(sandbox.counts.values()) == 1


def told_of(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the environment say whose account it is."""
    for variable, name in {"API_USER": "user", "API_TOKEN": "token", "BASE_URL": "base_url"}.items():
        monkeypatch.setenv(f"MENSATEK_{variable}", getattr(sandbox, name))


async def test_the_example_of_docs_live(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It runs as it stands, and prints the findings."""
    (example,) = (block.text for block in blocks(ROOT / "docs/live.md") if block.language == "python")
    with Sandbox() as sandbox:
        told_of(sandbox, monkeypatch)
        await eval(compile(example, "docs/live.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {})
    assert "bodies True JSON bodies are read" in capsys.readouterr().out


def test_what_is_printed_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings as a shell and as Python make the same client."""
    settings = {"request_format": "form", "report": True, "assume_grouping": False, "paths": SHARED}
    diagnosis = Diagnosis(findings=[], settings=settings)
    made = eval(diagnosis.python, {"AsyncMensatek": lambda **given: given})
    assert made == settings
    shell = "; ".join([*diagnosis.environment, "env"])
    told = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        if line.startswith("MENSATEK_"):
            monkeypatch.setenv(*line.split("=", 1))
    with_variables, given = AsyncMensatek("u", "t"), AsyncMensatek("u", "t", **settings)
    assert with_variables._assumed == given._assumed
    assert with_variables._context.operations == given._context.operations


TROUBLE: dict[str, tuple[Callable[[Sandbox], object], str, str]] = {
    "token": (lambda sandbox: setattr(sandbox, "token", "another"), "credentials", "refused"),
    "block": (lambda sandbox: sandbox.block(0.3), "access", "blocked"),
    "429": (lambda sandbox: sandbox.fault(Fault.http_status(429), times=None), "access", "wait"),
    "stopped": (Sandbox.stop, "access", "could not be reached"),
    "500": (lambda sandbox: sandbox.fault(Fault.http_status(500), times=None), "access", "HTTP 500"),
}


@pytest.mark.parametrize(("trouble", "check", "told"), TROUBLE.values(), ids=TROUBLE)
async def test_an_account_that_is_refused_ends_it_at_once(
    trouble: Callable[[Sandbox], object], check: str, told: str
) -> None:
    """One call, no text, whatever was asked for; when it is over, the client works without any setting."""
    with Sandbox() as sandbox:
        right = sandbox.token
        async with client_of(sandbox) as client:
            trouble(sandbox)
            diagnosis = await diagnose(client, OWN)
        assert not diagnosis.ok
        assert wrong(diagnosis) == [check]
        assert told in by_name(diagnosis)[check].detail
        assert (diagnosis.texts, diagnosis.settings) == ([], {})
        assert len(sandbox.requests) <= (2 if told == "HTTP 500" else 1)
        assert right not in repr(diagnosis)


@pytest.mark.parametrize("after", range(1, 7))
async def test_a_block_in_the_middle_ends_it_at_once(after: int) -> None:
    """Whichever call is turned away is the last one; what was sent is said, and what waits to be cancelled too."""
    with Sandbox(delivery_seconds=0) as sandbox:
        sandbox.fault(Fault.http_status(403), after=after, times=None)
        async with client_of(sandbox) as client:
            diagnosis = await diagnose(client, OWN)
        assert len(sandbox.requests) == after + 1
        assert not diagnosis.complete
        assert wrong(diagnosis) in (["access"], ["access", "schedule"], ["access", "reschedule"])
        assert len(diagnosis.texts) == min(max(after - 2, 0), 3)
        assert ("NOT CANCELLED" in "".join(diagnosis.texts)) == (after == 6)


async def test_a_message_without_a_number_is_the_only_text() -> None:
    """What is scheduled could not be cancelled then, so it is not sent."""
    with Sandbox() as sandbox:
        sandbox.fault(Fault.reply('{"Res": 1, "Cred": "9"}'), operation=SENDS, times=None)
        async with client_of(sandbox) as client:
            diagnosis = await diagnose(client, OWN)
        assert len(sandbox.calls(SENDS)) == len(diagnosis.texts) == 1
    assert "message-id" in wrong(diagnosis)
    assert diagnosis.settings == {"assume_grouping": False}


FAULTS = {
    "503": Fault.http_status(503),
    "500": Fault.http_status(500),
    "lost": Fault.drop_after_accept(),
    "cut": Fault.cut_body(),
    "html": Fault.html_page(),
    "drop": Fault.drop_before(),
    "refused": Fault.refuse(-3),
    "credits": Fault.refuse(-2),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_never_more_than_three_of_each_whatever_happens(fault: Fault) -> None:
    """Nothing is repeated: not by the client's own retry, and not where half of all calls fail."""
    for seed in (1, 2, 3):
        with Sandbox(delivery_seconds=0, magic=False) as sandbox:
            sandbox.fault(fault, times=None, every=seed)
            async with client_of(sandbox) as client:
                diagnosis = await diagnose(client, OWN)
            check_limits(sandbox)
            assert not diagnosis.ok
            assert len(diagnosis.texts) <= 3


async def test_a_cancellation_says_what_was_sent_and_cancels_what_waits() -> None:
    """Ended while it moves text 3, it cancels that all the same."""
    with Sandbox(delivery_seconds=0) as sandbox:
        sandbox.fault(Fault.latency(30), operation="ReprogramarSMS", times=None)
        caught: list[Any] = []

        async def work() -> None:
            async with client_of(sandbox) as client:
                try:
                    await diagnose(client, OWN)
                except BaseException as error:
                    caught.append(getattr(error, "diagnosis", None))
                    raise

        with anyio.move_on_after(1.0):
            await work()
        assert [line.split(" (")[0] for line in caught[0].texts] == [
            "Text 1 was sent",
            "Text 2 was refused as repeated, and not sent.",
            "Text 3 was scheduled",
        ]
        assert "cancelled" in caught[0].texts[2]
        assert [text.status for text in sandbox.texts] == [11, 29]


async def test_a_url_that_leads_elsewhere_costs_no_text(free_tcp_port_factory: Any) -> None:
    """What the doctor posts there itself does not arrive, so no text is sent."""
    here, there = free_tcp_port_factory(), free_tcp_port_factory()
    with Sandbox() as sandbox:
        async with client_of(sandbox) as client:
            diagnosis = await diagnose(client, OWN, callback=f"http://127.0.0.1:{there}/", listen=here)
        assert wrong(diagnosis) == ["callback-url"]
        assert not sandbox.calls(SENDS)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"phone": "12"}, InvalidPhone),
        ({"listen": 8080}, InvalidRequest),
        ({"phone": OWN, "callback": "nowhere"}, InvalidRequest),
        ({"phone": OWN, "callback": "http://h:99999/"}, InvalidRequest),
        ({"phone": OWN, "listen": 99_999}, InvalidRequest),
        ({"phone": OWN, "listen": 0}, InvalidRequest),
        ({"phone": OWN, "wait": -1}, InvalidRequest),
    ],
)
async def test_what_cannot_be_is_refused_before_a_text(
    arguments: dict[str, Any], error: type, free_tcp_port: int
) -> None:
    """Nothing was sent."""
    with Sandbox() as sandbox:
        async with client_of(sandbox) as client:
            with pytest.raises(error):
                await diagnose(client, **arguments)
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            pytest.raises(ConfigurationError, match="listen"),
        ):
            await diagnose(client_of(sandbox), OWN, listen=taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match="closed"):
            await diagnose(client, OWN, listen=free_tcp_port)
        other, another = cast(Any, Mensatek("u", "t")), cast(Any, AsyncMensatek("u", "t"))
        with pytest.raises(ConfigurationError, match="AsyncMensatek"):
            await diagnose(other)
        with pytest.raises(ConfigurationError, match="diagnose"):
            sync_diagnose(another)
        assert not sandbox.requests
