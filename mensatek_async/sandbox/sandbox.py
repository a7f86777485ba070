"""The sandbox as a user of it sees it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from .account import Account
from .callbacks import Callbacks
from .contracts import ContractDesk
from .delivery import Clock
from .faults import Fault
from .gatekeeper import Gatekeeper
from .library import Library
from .operations import OPERATIONS
from .provider import Provider
from .records import Call, Text
from .replies import REPLY_STYLES
from .routes import Gateway, build_app
from .server import ServerThread


class Sandbox(ContractDesk):
    """A double of the Mensatek API over real HTTP, on an event loop in a thread of its own.

    Use it as a context manager from any code, synchronous or not; or `start()` and `stop()` it.

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
        strict: hold callers to the manuals: parameters they do not know are refused (-3), parameters in the
            query make the credentials refused (-1), and repeated wrong or quick empty calls end in a block.
        block_after: so many wrong calls within a minute, or so many quick repeats of a read, end in a block.
        block_seconds: how long a block lasts, by the sandbox's clock.
        read_interval: a repeated read is quick when it comes within so many seconds.
        refusal_status: HTTP status of refused credentials, 200 or 401.
        reply_style: the form of its replies, one of `REPLY_STYLES`.
        detailed: whether send replies have `Enviados` and `Duplicados`, and counts when nothing was sent;
            off, they say only what the manuals promise.
        recipients_per_request: more recipients in one call are refused (-3); None for no limit.
        delivery_seconds: from one delivery status to the next, by the sandbox's clock.
        latency: seconds every call takes.
        keep_texts: off, texts and request bodies are not kept, only counted.
        trial: a trial account, which cannot upload files.
        max_files: how many files the library holds.
        max_file_bytes: the size of the largest file.
        library_bytes: what all files may take together.
        starts_at: an aware moment its clock stands at until `advance`; without, it follows the real time.

    Raises:
        ValueError: a style or status that does not exist, a moment without time zone.
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
        strict: bool = True,
        block_after: int = 10,
        block_seconds: float = 60.0,
        read_interval: float = 5.0,
        refusal_status: int = 200,
        reply_style: str = "json-array",
        detailed: bool = True,
        recipients_per_request: int | None = None,
        delivery_seconds: float = 3.0,
        latency: float = 0.0,
        keep_texts: bool = True,
        trial: bool = False,
        max_files: int = 50,
        max_file_bytes: int = 5_000_000,
        library_bytes: int = 50_000_000,
        starts_at: datetime | None = None,
    ) -> None:
        account = Account(
            clock=Clock(starts_at),
            credits=Decimal(credits),
            prices=(Decimal(price), Decimal(price if certified_price is None else certified_price)),
            library=Library(max_files, library_bytes, max_file_bytes),
            delivery_seconds=delivery_seconds,
            recipients_per_request=recipients_per_request,
            keep_texts=keep_texts,
            strict=strict,
            trial=trial,
        )
        gatekeeper = Gatekeeper(block_after, block_seconds, read_interval)
        self._provider = Provider(account, gatekeeper, user, token, keep_bodies=keep_texts)
        self._gateway = Gateway(self._provider)
        self._server = ServerThread(build_app(self._gateway), self._count_connection)
        self._host = host
        self._port = port
        self._connections = 0
        self._callbacks: list[Callbacks] = []
        self.refusal_status = refusal_status
        self.reply_style = reply_style
        self.detailed = detailed
        self.latency = latency

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
        self._port = self._server.start(self._host, self._port)
        for callbacks in self._callbacks:
            callbacks.start()
        return self

    def stop(self) -> None:
        """Close all connections and free the port; what was received stays readable."""
        for callbacks in self._callbacks:
            callbacks.stop()
        self._server.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Block until it is stopped from elsewhere, `timeout` seconds have passed, or Ctrl-C."""
        deadline = None if timeout is None else time.monotonic() + timeout
        # In short steps: on Windows an endless join cannot be interrupted.
        while self._server.is_running and (deadline is None or time.monotonic() < deadline):
            self._server.join(0.1 if deadline is None else max(min(0.1, deadline - time.monotonic()), 0.0))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """The URL for a client, such as `http://127.0.0.1:8007/v7`; it stays readable after a stop.

        Raises:
            RuntimeError: it was never started, so it has no port yet.
        """
        if not self._port:
            raise RuntimeError("The sandbox has no port yet: start it first")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v7"

    @property
    def user(self) -> str:
        """The API user it knows."""
        return self._provider.user

    @property
    def token(self) -> str:
        """The API token it knows; settable, to revoke the one a client holds."""
        return self._provider.token

    @token.setter
    def token(self, token: str) -> None:
        self._provider.token = token

    @property
    def credits(self) -> Decimal:
        """What is left to spend; settable."""
        with self._provider.lock:
            return self._provider.account.credits

    @credits.setter
    def credits(self, credits: Decimal | int | str) -> None:
        with self._provider.lock:
            self._provider.account.credits = Decimal(credits)

    @property
    def reply_style(self) -> str:
        """The form of its replies, one of `REPLY_STYLES`; settable."""
        return self._provider.reply_style

    @reply_style.setter
    def reply_style(self, style: str) -> None:
        if style not in REPLY_STYLES:
            raise ValueError(f"{style!r} is no reply style: {', '.join(REPLY_STYLES)}")
        self._provider.reply_style = style

    @property
    def refusal_status(self) -> int:
        """The HTTP status of refused credentials, 200 or 401; settable."""
        return self._provider.refusal_status

    @refusal_status.setter
    def refusal_status(self, status: int) -> None:
        if status not in (200, 401):
            raise ValueError("Refused credentials are answered with 200 or 401")
        self._provider.refusal_status = status

    @property
    def detailed(self) -> bool:
        """Whether send replies say more than the manuals promise; settable."""
        return self._provider.account.detailed

    @detailed.setter
    def detailed(self, detailed: bool) -> None:
        self._provider.account.detailed = detailed

    @property
    def latency(self) -> float:
        """Seconds every call takes; settable."""
        return self._provider.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._provider.latency = seconds

    @property
    def now(self) -> datetime:
        """Its clock, aware, UTC."""
        return self._provider.account.clock.now

    def advance(self, seconds: float) -> None:
        """Move its clock forward: scheduled texts leave, awaited deliveries happen, blocks end.

        Raises:
            ValueError: a negative number of seconds.
        """
        with self._provider.lock:
            self._provider.account.clock.advance(seconds)

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
        return self._connections

    @property
    def max_in_flight(self) -> int:
        """The highest number of requests it had in hand at one time."""
        return self._gateway.max_in_flight

    @property
    def blocked(self) -> bool:
        """Whether the caller is blocked at this moment."""
        with self._provider.lock:
            return self._provider.gatekeeper.is_blocked(self.now)

    def block(self, seconds: float | None = None) -> None:
        """Block the caller now, for `block_seconds` unless told otherwise."""
        with self._provider.lock:
            self._provider.gatekeeper.block(self.now, seconds)

    def set_outcome(self, phone: str, status: int) -> None:
        """Choose the delivery status texts to a phone end with, such as 50: the number does not exist."""
        with self._provider.lock:
            self._provider.account.outcomes[phone] = status

    def call_back(self, callbacks: Callbacks) -> Callbacks:
        """Post what happens to texts accepted from now on to a webhook; gives the callbacks back.

        Raises:
            ValueError: they belong to a sandbox already.
        """
        with self._provider.lock:
            callbacks.attach(self._provider.account, self._provider.lock)
        self._callbacks.append(callbacks)
        if self._server.is_running:
            callbacks.start()
        return callbacks

    def fault(
        self,
        fault: Fault,
        *,
        operation: str | None = None,
        times: int | None = 1,
        every: int = 1,
        after: int = 0,
        when: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        """Arm trouble for calls to come. Latencies add up; of other faults on one call the first armed wins.

        Args:
            fault: what happens.
            operation: to which operation; None for any.
            times: how often in all; None for ever.
            every: to each such call (1), each second (2), and so on.
            after: how many calls are left alone first.
            when: only to calls whose decoded parameters pass this; others do not count.

        Raises:
            ValueError: an operation that does not exist, a count that makes no sense.
        """
        if operation is not None and operation not in OPERATIONS:
            raise ValueError(f"{operation!r} is no operation: {', '.join(OPERATIONS)}")
        with self._provider.lock:
            self._provider.faults.add(fault, operation, times, every, after, when)

    def clear_faults(self) -> None:
        """Disarm every fault."""
        with self._provider.lock:
            self._provider.faults.clear()

    def _count_connection(self) -> None:
        self._connections += 1
