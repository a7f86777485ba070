"""Vonage's own client, and its check of callbacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from by_hand import SyncWork
from common import SENDER, TEXT, phones
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from vonage import Auth, Vonage
from vonage_sms import SmsMessage


class Here(HTTPAdapter):
    """Sends elsewhere: the client itself knows only https."""

    base_url = ""

    def send(self, request: PreparedRequest, **more: Any) -> Response:
        assert request.url is not None
        request.url = self.base_url.removesuffix("/v7") + request.url.removeprefix("https://rest.nexmo.com")
        return super().send(request, **more)


@contextmanager
def sync_one_each(base_url: str) -> Iterator[SyncWork]:
    """`sms.send`, one call after the other; there is no asynchronous one."""
    client = Vonage(Auth(api_key="key", api_secret="secret"))
    adapter = Here()
    adapter.base_url = base_url
    client.http_client._session.mount("https://", adapter)

    def work(count: int) -> None:
        for phone in phones(count):
            client.sms.send(SmsMessage(to=phone, from_=SENDER, text=TEXT))

    yield work


@contextmanager
def callbacks(base_url: str) -> Iterator[SyncWork]:
    """Delivery reports decoded and their signatures checked: it has no models for callbacks."""
    check = Auth(api_key="key", api_secret="secret", signature_secret="s", signature_method="sha256")
    bodies = [json.dumps(report(number)).encode() for number in range(2_000)]

    def work(count: int) -> None:
        for body in bodies[:count]:
            check.check_signature(json.loads(body))

    yield work


def report(number: int) -> dict[str, Any]:
    return {
        "msisdn": str(34600000000 + number),
        "to": "TUEMPRESA",
        "network-code": "21407",
        "messageId": f"{number:016}",
        "price": "0.03330000",
        "status": "delivered",
        "scts": "2611221200",
        "err-code": "0",
        "message-timestamp": "2026-11-22 12:00:00",
        "sig": "0" * 64,
    }
