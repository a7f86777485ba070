"""What can be set on a running sandbox: credits, clock, form of the replies, trouble."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from .api.faults import ERROR_KINDS, Fault, Rule
from .api.operations import OPERATIONS
from .api.replies import REPLY_STYLES
from .carrier.recipient_actions import RecipientActions
from .clock import Clock


class Controls(RecipientActions):
    """The part of a sandbox where its behaviour is chosen."""

    _host: str
    _port: int

    @property
    def base_url(self) -> str:
        """The URL for a client on this machine, such as `http://127.0.0.1:8007/v7`; it stays readable after a stop.

        Raises:
            RuntimeError: it was never started, so it has no port yet.
        """
        if not self._port:
            raise RuntimeError("The sandbox has no port yet: start it first")
        # An address for every interface is none to call.
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self._port}/v7"

    @property
    def page_url(self) -> str:
        """The URL of its page, such as `http://127.0.0.1:8007/`.

        Raises:
            RuntimeError: it was never started, so it has no port yet.
        """
        return self.base_url.removesuffix("v7")

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
        with self._provider.changing("credits") as account:
            account.credits = Decimal(credits)

    @property
    def used(self) -> Decimal:
        """Credits spent, refunds taken off."""
        with self._provider.lock:
            return self._provider.account.used

    @property
    def reply_style(self) -> str:
        """The form of its replies, one of `REPLY_STYLES`; settable."""
        return self._provider.reply_style

    @reply_style.setter
    def reply_style(self, style: str) -> None:
        if style not in REPLY_STYLES:
            raise ValueError(f"Invalid reply style {style!r}: {', '.join(REPLY_STYLES)}")
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
        if not 0 <= seconds < math.inf:
            raise ValueError("The latency is 0 seconds or more")
        with self._provider.changing("faults"):
            self._provider.latency = seconds

    @property
    def clock(self) -> Clock:
        """Its clock: `clock.now`, `clock.step(seconds)`, `clock.scale`."""
        return self._provider.account.clock

    @property
    def now(self) -> datetime:
        """What its clock shows, aware, UTC."""
        return self.clock.now

    @property
    def time_scale(self) -> float:
        """How many seconds pass for it in a real one; settable."""
        return self.clock.scale

    @time_scale.setter
    def time_scale(self, scale: float) -> None:
        with self._provider.changing("clock") as account:
            account.clock.scale = scale

    def advance(self, seconds: float) -> None:
        """Move its clock forward: scheduled texts leave, awaited deliveries happen, blocks end.

        Raises:
            ValueError: a negative number of seconds.
        """
        with self._provider.changing("clock", "messages", "guard") as account:
            account.clock.step(seconds)

    @property
    def blocked(self) -> bool:
        """Whether the caller is blocked at this moment."""
        with self._provider.lock:
            return self._provider.gatekeeper.is_blocked(self.now)

    def block(self, seconds: float | None = None) -> None:
        """Block the caller now, for so many seconds (default: `block_seconds`)."""
        with self._provider.changing("guard"):
            self._provider.gatekeeper.block(self.now, seconds)

    def unblock(self) -> None:
        """End a block."""
        with self._provider.changing("guard"):
            self._provider.gatekeeper.unblock()

    @property
    def error_rate(self) -> float:
        """The share of calls that fail, 0 to 1; settable. Which ones is the same in every run."""
        return self._provider.faults.rate

    @error_rate.setter
    def error_rate(self, rate: float) -> None:
        if not 0 <= rate <= 1:
            raise ValueError("The error rate is 0 to 1")
        with self._provider.changing("faults"):
            self._provider.faults.rate = rate

    @property
    def error_kind(self) -> str:
        """How those calls fail, one of `ERROR_KINDS`; settable."""
        return self._provider.faults.kind

    @error_kind.setter
    def error_kind(self, kind: str) -> None:
        if kind not in ERROR_KINDS:
            raise ValueError(f"Invalid kind of error {kind!r}: {', '.join(ERROR_KINDS)}")
        with self._provider.changing("faults"):
            self._provider.faults.kind = kind

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
            raise ValueError(f"Invalid operation {operation!r}: {', '.join(OPERATIONS)}")
        with self._provider.changing("faults"):
            self._provider.faults.rules.append(Rule(fault, operation, times, every, after, when))

    def clear_faults(self) -> None:
        """Disarm every fault; the error rate becomes 0, the latency stays."""
        with self._provider.changing("faults"):
            self._provider.faults.clear()

    def reset(self) -> None:
        """Forget messages, replies, files and calls, disarm faults, end a block; credits are as at the start.

        Settings, token, callbacks and clock stay as they are, and no message id is used twice.
        """
        with self._provider.changing():
            self._provider.reset()
