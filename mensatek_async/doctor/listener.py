"""Hears callbacks while texts are sent, and finds out whether the URL of the panel leads here."""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from attrs import define, field

from ..errors import ConfigurationError, InvalidRequest
from ..models.events import DeliveryReport, Event
from ..observe.events import WebhookRefused
from ..webhooks.local_server import LocalServer
from ..webhooks.wsgi import WebhookApp

_LOOK = 0.05  # seconds between two looks at what came
_PATIENCE = 5.0  # seconds for a callback that this machine posts to itself
_OWN = 424_242  # the number of a message that nobody sent


@define(eq=False)
class Heard:
    """The callbacks that came; an observer of the webhook that takes them.

    Attributes:
        reports: delivery reports, each with the moment that it came.
        unreadable: how many could not be read.
    """

    reports: list[tuple[DeliveryReport, datetime]] = field(factory=list, repr=False)
    unreadable: int = 0

    def take(self, event: Event) -> None:
        """Note one down."""
        if isinstance(event, DeliveryReport):
            self.reports.append((event, datetime.now(UTC)))

    def webhook_refused(self, event: WebhookRefused) -> None:
        """Count one that cannot be read."""
        self.unreadable += event.reason != "method"

    async def until(self, found: Callable[[], bool], seconds: float) -> bool:
        """Wait until what came is enough, for so many seconds at most; return whether it is."""
        with anyio.move_on_after(seconds):
            while not found():  # noqa: ASYNC110 - what came is noted in a thread
                await anyio.sleep(_LOOK)
        return found()


@asynccontextmanager
async def listening(host: str, port: int | None) -> AsyncIterator[Heard | None]:
    """Listen for callbacks while the block lasts; without a port for none."""
    if port is None:
        yield None
        return
    heard, failure = Heard(), None
    try:
        server = LocalServer(host, port)
    except OSError as error:
        raise ConfigurationError(f"Nothing can listen at {host} port {port}: {error.strerror}.") from None
    server.set_app(WebhookApp(heard.take, allow_unauthenticated=True, dedupe=False, observer=heard))
    with server:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, partial(server.serve_forever, _LOOK))
            try:
                yield heard
            except (anyio.get_cancelled_exc_class(), GeneratorExit):
                raise
            except BaseException as error:  # so that no exception group leaves
                failure = error
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(server.shutdown)
    if failure is not None:
        raise failure


async def arrives(url: str, heard: Heard) -> bool:
    """Post a callback to a URL and return whether it was heard."""
    body = f"Servicio=SMSMASIVO&Resultado=11&Movil=34600000000&idMensaje={_OWN}&Fecha=2020-01-01+00:00:00"
    request = urllib.request.Request(url, body.encode(), method="POST")  # noqa: S310  the scheme was checked

    def post() -> None:
        with suppress(OSError, ValueError):  # what did not arrive is found out below
            urllib.request.urlopen(request, timeout=_PATIENCE).close()  # noqa: S310

    with anyio.move_on_after(_PATIENCE):
        await anyio.to_thread.run_sync(post, abandon_on_cancel=True)
    return await heard.until(lambda: any(one.message_id == _OWN for one, _ in heard.reports), 1.0)


def port_of(url: str | None, listen: int | None) -> int | None:
    """Return the port to listen on: the one that was named, else that of the URL."""
    if listen is not None and (isinstance(listen, bool) or listen not in range(1, 65_536)):
        raise InvalidRequest("listen is a port, 1 to 65535.")
    if url is None:
        return listen
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        if not parts.hostname:
            raise ValueError
    except (KeyError, ValueError, AttributeError, TypeError):
        raise InvalidRequest("callback is the web address that your panel posts to.") from None
    return listen or port
