"""A bare HTTP caller for the sandbox's own tests: knows nothing of the client."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from mensatek_async.sandbox import Sandbox

NOON = datetime(2027, 1, 8, 11, 0, tzinfo=UTC)  # 12:00 in Spain
ANA, LUIS, EVA = "34600000001", "34600000002", "34600000003"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; httpx would load a real one for every client
ISSUER = {"Contacto": "EMPRESA S.L.", "Telcontacto": "900000000", "Cifcontacto": "B00000000"}


def phones(count: int, first: int = 34_600_000_000) -> list[str]:
    """So many different mobiles."""
    return [str(first + number) for number in range(count)]


def wait_until(happened: Callable[[], object], seconds: float = 25) -> None:
    """Wait for something to happen, in the sandbox or elsewhere."""
    limit = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)


class Caller:
    """Calls operations with plain httpx and gives the decoded reply."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(self, operation: str, params: Any = None, **request: Any) -> httpx.Response:
        """The undecoded answer; `params` go as JSON unless the request says otherwise."""
        if not request.keys() & {"data", "content", "files"}:
            request["json"] = {"Resp": "JSON", **(params or {})}
        return self.http.post(operation, **request)

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        """The first object of a JSON reply."""
        reply: dict[str, Any] = self.post(operation, params).json()
        return reply

    def send(self, *phones: str, text: str = "Hola", **params: Any) -> dict[str, Any]:
        """EnviarSMS to phones that share a text."""
        rows = [{"Movil": phone} for phone in phones]
        return self(
            "EnviarSMS", **{"Remitente": "MIEMPRESA", "Destinatarios": rows, "Mensaje": text, **params}
        )

    def certify(self, *phones: str, text: str = "Hola", **params: Any) -> dict[str, Any]:
        """EnviarSMSCERTIFICADO to phones that share a text."""
        rows = [{"Movil": phone} for phone in phones]
        common = {"Remitente": "MIEMPRESA", "Destinatarios": rows, "Mensaje": text}
        return self("EnviarSMSCERTIFICADO", **{**common, **ISSUER, **params})


@contextmanager
def calling(sandbox: Sandbox) -> Iterator[Caller]:
    """A caller with the right credentials."""
    with httpx.Client(
        base_url=f"{sandbox.base_url}/", auth=(sandbox.user, sandbox.token), verify=NO_TLS
    ) as http:
        yield Caller(http)
