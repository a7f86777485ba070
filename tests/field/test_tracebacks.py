"""Whatever records the local variables of frames shows no token, no text and no phone of ours."""

from __future__ import annotations

import base64
import io
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from mensatek_async import (
    AsyncMensatek,
    Campaigns,
    Guard,
    Issuer,
    Mensatek,
    MensatekError,
    Recipient,
    Retry,
    Template,
    webhooks,
)
from mensatek_async.testing import forget_accounts
from tests.scripted import BASE_URL, Script, page, reply

TOKEN, TEXT, PHONE, NAME = "sEcReT-4711", "Su cita oculta es el martes", "34600987654", "Ana Quintanilla"
LOGIN = base64.b64encode(f"user:{TOKEN}".encode()).decode()
HIDDEN = (TOKEN, LOGIN, TEXT, PHONE[2:], NAME, "Quintanilla")
TO = [Recipient(PHONE, {"nombre": NAME}), Recipient("34600987653", {"nombre": NAME})]
TEMPLATE = Template(f"{TEXT}, {{nombre}}")
ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000", check=False)
LATER = datetime.now(UTC) + timedelta(days=2)
PDF = httpx.Response(200, content=b"%PDF-1.4 cut", headers={"Content-Type": "application/pdf"})
NOT_BY_A_CALL = {  # roots that are only caught, and what files, campaigns, the outbox and callbacks raise
    "InvalidCertificates",
    *("MensatekError", "Refused", "FileRejected", "Interrupted", "ConfigurationError", "InvalidWebhook"),
    *(
        "CampaignConflict",
        "CampaignError",
        "CampaignNotFound",
        "OutboxConflict",
        "OutboxError",
        "OutboxNotFound",
        "SourceChanged",
        "SourceMissing",
        "StoreError",
    ),
}
INFORME = [{"Telefono": PHONE, "Estado": TEXT}]


@cache
def rendered(kind: type) -> list[str]:
    """Where rich's traceback of one class goes: one of each is enough, since it takes long."""
    return []


def shown(error: BaseException) -> str:
    """What an error tracker stores: every local of every frame; and once for each class rich's traceback."""
    if not rendered(type(error)):
        out = Console(file=io.StringIO(), width=240)
        out.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
        assert isinstance(out.file, io.StringIO)
        rendered(type(error)).append(out.file.getvalue())
    return "\n".join([*rendered(type(error)), *map(pretty_repr, locals_of(error))])


def locals_of(error: BaseException) -> Iterator[object]:
    """The locals of every frame of an exception and of those it came of, and what those were raised for."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            yield [getattr(one, name, None) for name in ("args", "doc", "object")]
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
            for frame, _ in traceback.walk_tb(one.__traceback__):
                yield from list(frame.f_locals.values())


def family(root: type) -> Iterator[type]:
    """A class and all below it, but for those of the server for assistants, which another test may have loaded."""
    yield root
    for cls in root.__subclasses__():
        if ".mcp." not in cls.__module__:
            yield from family(cls)


def check(error: BaseException) -> None:
    """Nothing hidden is shown."""
    found = [one for one in HIDDEN if one in shown(error)]
    assert not found, shown(error)


CALLS: dict[str, Callable[[Any], Any]] = {
    "send": lambda client: client.sms.send(TO, TEMPLATE),
    "joined": lambda client: client.sms.send(PHONE, TEXT, join=7),
    "certified": lambda client: client.certified.send(PHONE, TEXT, issuer=ISSUER),
    "request": lambda client: client.request("EnviarSMS", {"Mensaje": TEXT, "Destinatarios": PHONE}),
    "raw": lambda client: client.raw("EnviarSMS", {"Mensaje": TEXT, "Destinatarios": PHONE}),
    "cancel": lambda client: client.sms.cancel(7),
    "reschedule": lambda client: client.sms.reschedule(7, LATER),
    "report": lambda client: client.sms.report(7),
    "credits": lambda client: client.credits(),
    "upload": lambda client: client.files.upload(TEXT.encode(), name="a.pdf"),
    "list": lambda client: client.files.list(),
    "delete": lambda client: client.files.delete("a.pdf"),
    "download": lambda client: client.certified.download(io.BytesIO(), message_id=7, phone=PHONE),
    "bad phone": lambda client: client.sms.send(f"{PHONE}99999999", TEXT),
    "bad field": lambda client: client.sms.send(Recipient(PHONE, {"nombre": f"{NAME} (LINK:2:x)"}), TEMPLATE),
    "bad sender": lambda client: client.sms.send(PHONE, TEXT, sender="\n"),
    "bad date": lambda client: client.sms.send(PHONE, TEXT, scheduled_at=datetime(2020, 1, 1, tzinfo=UTC)),
    "bad file": lambda client: client.files.upload(b"", name="a.pdf"),
    "half a character": lambda client: client.request("EnviarSMS", {"Mensaje": f"{TEXT}\ud83d"}),
    "bad option": lambda client: client.sms.send(PHONE, TEXT, encoding="x"),
    "wrong argument": lambda client: client.sms.send(PHONE, TEXT, colour="red"),
    "bulk stopped": lambda client: client.sms.send_bulk(TO, TEMPLATE, chunk_size=0),
}
ANSWERS: dict[str, Callable[[], Any]] = {
    "refused 401": lambda: page(401),
    **{f"Res {code}": lambda code=code: reply(Res=code, Error="No") for code in range(-18, 1)},
    "blocked": lambda: page(403),
    "too many": lambda: page(429),
    "no connection": lambda: httpx.ConnectError("refused"),
    "lost": lambda: httpx.ReadError("reset"),
    "broken": lambda: httpx.Response(200, content=f"<{TEXT} {PHONE} {TOKEN}".encode()),
    "wrong kind": lambda: reply(Mensajes=[TEXT], Informe=INFORME, Ficheros=TEXT, Cred=TEXT),
    "cut": lambda: PDF,
}


@pytest.mark.parametrize("kind", ["asyncio", "trio", "synchronous"])
def test_no_call_leaves_a_secret_in_a_frame(kind: str) -> None:
    """Each operation, with each answer, and again after it; every class that a call can raise is among what comes."""
    raised: set[str] = set()
    wanted = [
        (call, answer)
        for call in ("send", "certified", "download", "upload", "reschedule", "cancel", "delete")
        for answer in ANSWERS
    ]
    wanted += [(call, answer) for call in CALLS for answer in ("Res -2", "lost", "wrong kind")]
    for name, answer in wanted:
        forget_accounts()
        settings: Any = {
            "base_url": BASE_URL,
            "transport": Script(ANSWERS[answer](), repeat_last=True),
            "retry": Retry(attempts=1),
            "guard": Guard(read_interval=0),
        }
        if kind == "synchronous":
            errors = blocking(CALLS[name], settings)
        else:
            errors = anyio.run(ended, CALLS[name], settings, backend=kind)
        for error in errors:
            raised.add(type(error).__name__)
            check(error)
        assert "bad" not in name or len(errors) == 2
    assert {one.__name__ for one in family(MensatekError)} - raised == NOT_BY_A_CALL


async def ended(call: Callable[[Any], Any], settings: Any) -> list[Exception]:
    """What two calls raise."""
    errors = []
    async with AsyncMensatek("user", TOKEN, **settings) as client:
        for _ in range(2):
            try:
                await call(client)
            except Exception as error:
                errors.append(error)
    return errors


def blocking(call: Callable[[Any], Any], settings: Any) -> list[Exception]:
    """The same, without async."""
    errors = []
    with Mensatek("user", TOKEN, **settings) as client:
        for _ in range(2):
            try:
                call(client)
            except Exception as error:
                errors.append(error)
    return errors


@pytest.mark.parametrize("answer", ["refused 401", "Res -2", "no connection", "lost", "wrong kind"])
async def test_nor_does_a_bulk_send_or_a_campaign(answer: str, tmp_path: Path) -> None:
    """In its outcomes, in what stopped it, and in what it raises."""
    script = Script(ANSWERS[answer](), repeat_last=True)
    settings: Any = {"base_url": BASE_URL, "transport": script, "retry": Retry(attempts=1)}
    async with AsyncMensatek("user", TOKEN, **settings) as client:
        result = await client.sms.send_bulk(TO, TEMPLATE)
        if result.stopped is not None:
            check(result.stopped)
        async with client.sms.bulk(TO, TEMPLATE) as outcomes:
            async for outcome in outcomes:
                if outcome.error is not None:
                    check(outcome.error)
        async with Campaigns(client, tmp_path / "campaigns.db") as campaigns:
            campaign = await campaigns.start("one", TEMPLATE, TO)
            try:
                with anyio.move_on_after(2):
                    await campaign.complete()
            except MensatekError as error:
                check(error)
            try:
                await campaigns.start("one", TEXT, TO)
            except MensatekError as error:
                check(error)


async def test_what_a_callers_rows_raise_keeps_the_callers_frames() -> None:
    """Its own code is what is to be mended; a defect of ours names its line in a note."""

    async def rows() -> Any:
        yield TO[0]
        raise ZeroDivisionError

    async with AsyncMensatek(
        "user", TOKEN, base_url=BASE_URL, transport=Script(reply(idMensaje=7))
    ) as client:
        with pytest.raises(ZeroDivisionError) as caught:
            await client.sms.send_bulk(rows(), TEMPLATE)
        check(caught.value)
        assert caught.traceback[-1].name == "rows"


def test_nor_does_a_client_that_cannot_be() -> None:
    """Whose token is an argument, and whose environment holds it."""
    for settings in ({"base_url": "ftp://x"}, {"sender": "\n"}, {"timeout": "5"}, {"request_format": "x"}):
        for cls in (AsyncMensatek, Mensatek):
            with pytest.raises(MensatekError) as caught:
                make(cls, settings)
            check(caught.value)


def make(cls: Any, settings: dict[str, Any]) -> None:
    cls("user", TOKEN, **settings)


def test_nor_does_a_callback_that_nobody_can_read() -> None:
    """Whole bodies with texts and phones come in there."""
    for body in (lambda: f'{{"Movil": "{PHONE}", "Texto": "{TEXT}"', lambda: f"Movil={PHONE}&Texto={TEXT}"):
        with pytest.raises(MensatekError) as caught:
            read(body)
        check(caught.value)


def read(body: Callable[[], str]) -> None:
    """One callback, whose body no frame of the test holds."""
    webhooks.parse(body().encode())
