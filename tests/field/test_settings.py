"""Settings and surroundings of a client as people write them."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mensatek_async import (
    AsyncMensatek,
    ConfigurationError,
    OutcomeUnknown,
    Recipient,
    Retry,
    Timeout,
    TooManyRequests,
)
from mensatek_async.sandbox import Sandbox
from tests.scripted import Script, client_of, page, reply

SENT = {"Res": 1, "idMensaje": 77, "Mensajes": 1}


@pytest.mark.parametrize("given", [5, 5.0, timedelta(seconds=5), Timeout(total=5)])
def test_seconds_alone_are_the_total(given: Any) -> None:
    """As in `timeout=5` of any other library."""
    assert AsyncMensatek("user", "token", timeout=given)._context.timeout == Timeout(total=5)


@pytest.mark.parametrize("name", ["timeout", "limits", "retry", "guard"])
@pytest.mark.parametrize("given", [True, "5", (5, 5), 0, -1, float("nan"), httpx.Timeout(5), Retry, {}])
def test_what_is_no_setting_is_refused_with_advice(name: str, given: Any) -> None:
    """And never costs an AttributeError at the first call."""
    with pytest.raises(ConfigurationError) as caught:
        AsyncMensatek("user", "token", **{name: given})
    assert name in str(caught.value).casefold()


@pytest.mark.parametrize(
    "answer", [page(429), page(429, {"Retry-After": "1"}), page(503, {"Retry-After": "1"})]
)
async def test_a_distrusted_429_leaves_a_send_unknown(answer: httpx.Response) -> None:
    """It is not repeated where that could text somebody twice; what is safe to repeat is, and a read is a read."""
    retry = Retry(trust_429=False, wait_initial=0, wait_max=0)
    async with client_of(Script(answer, reply(**SENT)), retry=retry) as client:
        with pytest.raises(OutcomeUnknown):
            await client.sms.send("600000001", "Hola")
        assert (await client.sms.send("600000001", "Hola", join=77)).accepted == 1
    async with client_of(Script(answer, reply(), answer, reply(Cred=5)), retry=retry) as client:
        await client.sms.cancel(7)
        assert await client.credits(0) == 5
    once = Retry(trust_429=False, attempts=1)
    async with client_of(Script(answer), retry=once, base_url="https://other.example") as client:
        with pytest.raises(TooManyRequests):
            await client.credits()


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_bulk_send_whose_opener_is_told_to_wait(trusted: bool) -> None:
    """Trusted, its first recipient is sent again; distrusted, that one is unknown and the next one opens."""
    retry = Retry(trust_429=trusted, wait_initial=0, wait_max=0)
    script = Script(page(429), reply(**SENT), reply(**{**SENT, "Res": 2}), reply(**SENT))
    async with client_of(script, retry=retry) as client:
        result = await client.sms.send_bulk([Recipient(f"60000000{at}") for at in range(4)], "Hola")
    phones = [
        one["Movil"]
        for number in range(len(script.requests))
        for one in script.params(number)["Destinatarios"]
    ]
    assert phones.count("34600000000") == (2 if trusted else 1)
    assert len(result.unknown) == (0 if trusted else 1)


_SCRIPT = """
import asyncio, sys
from mensatek_async import Mensatek

async def main():
    with Mensatek(*sys.argv[1:3], base_url=sys.argv[3], sender="CLINICA") as client:
        return client.sms.send("600000001", "hola").accepted

print(asyncio.run(main()))
"""


@pytest.mark.parametrize("started", ["script", "command", "standard input"])
def test_the_synchronous_client_in_a_running_loop_of_a_program(started: str, tmp_path: Any) -> None:
    """Its module has no package; the call works, and the warning names the program's own line."""
    (tmp_path / "program.py").write_text(_SCRIPT)
    ways = {"script": [str(tmp_path / "program.py")], "command": ["-c", _SCRIPT], "standard input": ["-"]}
    with Sandbox() as box:
        command = [sys.executable, *ways[started], box.user, box.token, box.base_url]
        done = subprocess.run(command, input=_SCRIPT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr
    assert "MensatekAsyncUsageWarning" in done.stderr
    assert "mensatek_async/sync" not in done.stderr
    if started == "script":
        assert "program.py:7: MensatekAsyncUsageWarning" in done.stderr
