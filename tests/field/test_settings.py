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
    Retry,
    Timeout,
)
from mensatek_async.sandbox import Sandbox


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
