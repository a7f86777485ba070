"""The sandbox as a user of it sees it."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Self

from .account.account import Account
from .account.records import Call, Text
from .api.gatekeeper import Gatekeeper
from .api.provider import Provider
from .api.routes import Gateway, build_app
from .callbacks.callbacks import Callbacks, Recorder
from .carrier.delivery_state import DeliveryStates
from .clock import Clock
from .controls import Controls
from .page.access import AccessControl, is_loopback
from .page.routes import Page
from .server import ServerThread


class Sandbox(Controls):
    """A double of the Mensatek API over real HTTP, on an event loop in a thread of its own.

    Use it as a context manager from any code, synchronous or not; or `start()` and `stop()` it::

        with Sandbox() as sandbox:
            ...  # point a client at sandbox.base_url, sandbox.user, sandbox.token
            assert sandbox.count("34600000000") == 1

    Args:
        user: the API user it knows.
        token: the API token it knows.
        credits: what there is to spend.
        price: credits per plain text (segment).
        certified_price: credits per certified text; as `price` when not given.
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        strict: how callers are held to the manuals. None: as the provider does; parameters in the query make the
            credentials refused (-1), repeated wrong or quick empty calls end in a block, and parameters that no
            manual knows are ignored, noted (`Call.unknown`) and shown on the page. True: those are refused too (-3).
            False: nothing of it.
        block_after: so many wrong calls within a minute, or so many quick repeats of a read, end in a block.
        block_seconds: how long a block lasts, by the sandbox's clock.
        read_interval: a repeated read is quick when it comes within so many seconds.
        refusal_status: HTTP status of refused credentials, 200 or 401.
        reply_style: the form of its replies, one of `REPLY_STYLES`: the bare object by default.
        detailed: whether send replies have `Enviados` and `Duplicados`, and counts when nothing was sent;
            off, they say only what the manuals promise.
        json_bodies: whether it reads JSON; off, the parameters in it are missing, as where only forms are read.
        paths: other paths of operations, by name; one that is given another's path shares it.
        keeps_repeats: whether a message refuses a second text to a phone, as the manual says of `Idmensaje`.
        reports_unasked: whether a send without `Report` has callbacks; no manual says.
        recipients_per_request: more recipients in one call are refused (-3); None for no limit.
        delivery_seconds: from one delivery status to the next, by the sandbox's clock.
        latency: seconds every call takes.
        keep_texts: off, texts and request bodies are not kept, only counted.
        trial: a trial account, which cannot upload files.
        max_files: how many files the library holds.
        max_file_bytes: the size of the largest file.
        library_bytes: what all files may take together.
        starts_at: an aware moment its clock stands at until `advance`; without, it follows the real time.
        time_scale: how many seconds pass for it in a real one; a clock that stands does not mind.
        error_rate: the share of calls that fail, 0 to 1.
        error_kind: how they fail, one of `ERROR_KINDS`.
        magic: whether phones with a magic ending choose what becomes of a text to them.
        keep_calls: how many calls it remembers at least; None for all.
        password: what the page asks for by HTTP Basic, with any user name; needed when `host` is not loopback, and
            no blank one. After twenty wrong ones within a minute an address is refused (HTTP 429) until it has passed.
        allowed_hosts: further names the page may be called by on loopback, such as a proxy's.
        state: a file that keeps everything: messages, files, credits, contracts, callbacks under way, the newest calls.
            A send is on the disk before it is answered. One sandbox at a time; what it knows wins over `credits`.

    Raises:
        ValueError: a style, operation, status or kind of error that does not exist, a moment without time zone, a
            number that makes no sense, an address that others reach without a password, a state file that is none or in
            use.
        OSError: the state file cannot be made or read.
    """

    def __init__(
        self,
        *,
        user: str = "demo",
        token: str = "demo-token",  # noqa: S107  not a secret: the sandbox's own
        credits: Decimal | int | str = Decimal(100_000),
        price: Decimal | int | str = Decimal(1),
        certified_price: Decimal | int | str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        strict: bool | None = None,
        block_after: int = 10,
        block_seconds: float = 60.0,
        read_interval: float = 5.0,
        refusal_status: int = 200,
        reply_style: str = "json-object",
        detailed: bool = True,
        json_bodies: bool = True,
        paths: Mapping[str, str] | None = None,
        keeps_repeats: bool = True,
        reports_unasked: bool = True,
        recipients_per_request: int | None = None,
        delivery_seconds: float = 3.0,
        latency: float = 0.0,
        keep_texts: bool = True,
        trial: bool = False,
        max_files: int = 50,
        max_file_bytes: int = 5_000_000,
        library_bytes: int = 50_000_000,
        starts_at: datetime | None = None,
        time_scale: float = 1.0,
        error_rate: float = 0.0,
        error_kind: str = "503",
        magic: bool = True,
        keep_calls: int | None = None,
        password: str | None = None,
        allowed_hosts: Collection[str] = (),
        state: str | os.PathLike[str] | None = None,
    ) -> None:
        password = password if password and password.strip() else None
        if password is None and not is_loopback(host):
            raise ValueError(
                "Other machines reach this address: the page needs a password there, and no blank one"
            )
        account = Account(
            clock=(clock := Clock(starts_at, time_scale)),
            credits=Decimal(credits),
            prices=(Decimal(price), Decimal(price if certified_price is None else certified_price)),
            max_files=max_files,
            max_file_bytes=max_file_bytes,
            library_bytes=library_bytes,
            delivery=DeliveryStates(clock, delivery_seconds, magic),
            recipients_per_request=recipients_per_request,
            keeps_repeats=keeps_repeats,
            reports_unasked=reports_unasked,
            keep_texts=keep_texts,
            strict=strict is True,
            guarded=strict is not False,
            trial=trial,
        )
        gatekeeper = Gatekeeper(block_after, block_seconds, read_interval)
        self._provider = Provider(
            account,
            gatekeeper,
            user,
            token,
            keep_calls=keep_calls,
            json_bodies=json_bodies,
            paths=paths or {},
        )
        self._callbacks: list[Callbacks] = []
        page = Page(self, self._provider, self._callbacks)
        access = AccessControl(page, page.token, host=host, password=password, allowed_hosts=allowed_hosts)
        self._gateway = Gateway(self._provider, access)
        self._server = ServerThread(build_app(self._gateway, access), self._every_second)
        self._host = host
        self._port = port
        self.refusal_status = refusal_status
        self.reply_style = reply_style
        self.detailed = detailed
        self.latency = latency
        self.error_rate = error_rate
        self.error_kind = error_kind
        if state is not None:  # last: whatever else is wrong is said before the file is taken
            self._provider.keep_in(Path(state))

    def __repr__(self) -> str:
        state = "running" if self._server.is_running else "stopped"
        return f"<Sandbox {self._host}:{self._port} {state}, {len(self._provider.calls)} calls>"

    def start(self) -> Self:
        """Listen. After a `stop`, it comes back on the same port with everything it knew.

        Raises:
            OSError: the address cannot be listened on.
            RuntimeError: it is running already.
        """
        if self._server.is_running:
            raise RuntimeError("The sandbox is running already")
        with self._provider.lock:
            if self._provider.state is not None:
                self._provider.state.hold()
        self._port = self._server.start(self._host, self._port)
        for callbacks in self._callbacks:
            callbacks.poster.start()
        return self

    def stop(self) -> None:
        """Close all connections and free the port; what was received stays readable."""
        for callbacks in self._callbacks:
            callbacks.poster.stop()
        self._server.stop()
        with self._provider.lock:
            if self._provider.state is not None:
                self._provider.state.release()

    def wait(self, timeout: float | None = None) -> None:
        """Block until it is stopped from elsewhere, `timeout` seconds have passed, or Ctrl-C."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        # In short steps: on Windows an endless join cannot be interrupted.
        while self._server.is_running and time.monotonic() < deadline:
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def texts(self) -> list[Text]:
        """Every text accepted so far, in order, cancelled ones too (status 29); none without `keep_texts`."""
        with self._provider.lock:
            return self._provider.account.texts()

    @property
    def counts(self) -> Counter[str]:
        """How many texts each phone got, cancelled ones taken back."""
        with self._provider.lock:
            return +self._provider.account.counts

    def count(self, phone: str) -> int:
        """How many texts that phone (international digits) got: the judge of "nobody twice"."""
        with self._provider.lock:
            return self._provider.account.counts[phone]

    @property
    def requests(self) -> list[Call]:
        """Every call to an operation so far, in order of processing."""
        with self._provider.lock:
            return list(self._provider.calls)

    def calls(self, operation: str) -> list[Call]:
        """The calls of one operation."""
        return [call for call in self.requests if call.operation == operation]

    @property
    def connections(self) -> int:
        """Connections opened so far."""
        return self._server.connections

    @property
    def max_in_flight(self) -> int:
        """The highest number of requests it had in hand at one time."""
        return self._gateway.max_in_flight

    def call_back(self, callbacks: Callbacks) -> Callbacks:
        """Post what happens to texts accepted from now on to a webhook; gives the callbacks back.

        Raises:
            ValueError: they belong to a sandbox already.
        """
        with self._provider.changing("callbacks"):
            callbacks.attach(self._provider)
        self._callbacks.append(callbacks)
        if self._server.is_running:
            callbacks.poster.start()
        return callbacks

    def record(self) -> Recorder:
        """Collect what happens to texts accepted from now on, instead of posting it; gives out who collects."""
        with self._provider.lock:
            return Recorder(self._provider)

    def _every_second(self) -> None:
        """Keep what no call or action wrote: a clock that runs ahead, callbacks that were taken."""
        with suppress(OSError), self._provider.changing():  # the next caller hears of a full disk
            pass
