"""One call: guard, limit, send, decode, raise; the way of a failure lies apart from the way of a success."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import anyio

from .._wire import encode
from ..errors import (
    AccountPaused,
    APIError,
    AuthenticationError,
    BadParameters,
    MensatekError,
    NotYours,
    TooManyRequests,
)
from ..settings import Account, Guard, Limits, Retry
from .call_state import CallState, in_flight_shield
from .failures import Blocked, Cut, Failure, NotReached, ToldToWait
from .final_errors import final, unknown, without_secrets
from .limits.account import known, now
from .limits.circuit_breaker import CircuitBreaker
from .limits.limiter import Limiter
from .limits.read_cache import ReadCache
from .limits.retry import may_repeat, wait_before
from .operations import Kind, Operation, is_rare, joins, key_of, value_of
from .reading import Answer, Reply, read_answer
from .sink import Sink
from .transport import Transport

_log = logging.getLogger("mensatek_async")

RequestFormat = Literal["json", "form"]


class Caller:
    """Makes every call of one client."""

    def __init__(
        self,
        transport: Transport,
        *,
        account: Account,
        limits: Limits,
        retry: Retry,
        guard: Guard,
        request_format: RequestFormat = "json",
    ) -> None:
        self._transport = transport
        self._limits = limits
        self._retry = retry
        state, self._login = known(account)
        self._breaker = CircuitBreaker(guard, state, self._login)
        self._form = request_format == "form"
        self._limiter: Limiter | None = None
        self._cache: ReadCache[Answer] = ReadCache(guard.read_interval, guard.remember, self._login)

    @property
    def last_credits(self) -> Decimal | None:
        """What the newest reply to any client of the account said of its credits."""
        return self._login.credits

    # --- what resources use ---------------------------------------------------------------------------------

    async def call(
        self,
        operation: Operation,
        params: Mapping[str, Any],
        *,
        form: str = "JSON",
        body: tuple[bytes, str] | None = None,
        state: CallState | None = None,
        sink: Sink | None = None,
    ) -> Answer:
        """Make one call that is not a read.

        Args:
            operation: its row.
            params: parameters by wire names; `Resp` is added here.
            form: the reply form to ask for: JSON, TXT or XML.
            body: an encoded body and its content type, in place of the parameters'.
            state: filled with what happened.
            sink: where a document goes that comes as the answer.

        Raises:
            MensatekError: see the family.
            NotStored: the sink failed.
        """
        self._transport.check()
        state = state or CallState()
        state.sink = sink
        state.rare = is_rare(operation, params)
        encoded = body or self._encode(params, form)
        joined = joins(operation, params)
        started = now()
        try:
            try:
                answer = await self._attempt(operation, encoded, state, started)
            except Failure as failure:
                if state.once:
                    raise
                answer = await self._repeat(operation, encoded, state, joined, failure, started)
        except Failure as failure:
            wait_max, secrets = self._retry.wait_max, self._transport.secrets
            error = final(operation, params, state, failure, secrets=secrets, wait_max=wait_max)
            raise error from (failure.__cause__ or failure)
        except APIError as refusal:
            shown = without_secrets(refusal, params, self._transport.secrets)
            if not state.maybe_done or operation.kind is Kind.READ or refusal.code in operation.not_done:
                raise shown from None
            if refusal.code in operation.done:
                return Answer({"res": 1}, Reply(200, "", b""), done_before=True)
            raise unknown(
                operation, "an earlier try got no answer, and its repeat was refused", params
            ) from shown
        except MensatekError as stopped:
            if state.maybe_done and operation.kind is not Kind.READ:
                raise unknown(
                    operation, "an earlier try got no answer, and it could not be repeated", params
                ) from stopped
            raise
        finally:
            self._invalidate(operation, params)
        return answer

    async def read(
        self, operation: Operation, params: Mapping[str, Any], *, max_age: float = 0.0, form: str = "JSON"
    ) -> Answer:
        """Make one read, or answer it from what is remembered.

        Args:
            operation: its row.
            params: parameters by wire names.
            max_age: seconds that a remembered answer may be old.
            form: the reply form to ask for.

        Raises:
            MensatekError: see the family.
        """
        self._transport.check()
        state = CallState()
        key = key_of(operation, params)
        if not self._cache.knows(key, form, max_age):
            self._breaker.check(operation.name, now())
        return await self._cache.read(
            key,
            form,
            max_age,
            lambda: self.call(operation, params, form=form, state=state),
            lambda: state.left,
        )

    async def fetch(
        self,
        operation: Operation,
        params: Mapping[str, Any],
        sink: Sink | None = None,
        *,
        form: str = "JSON",
    ) -> Answer:
        """Make one read whose answer is a document, too large to remember; the same waits for the interval.

        Args:
            operation: its row.
            params: parameters by wire names.
            sink: where the document goes; without one into the answer.
            form: the reply form to ask for.

        Raises:
            MensatekError: see the family.
            NotStored: the sink failed.
        """
        self._transport.check()
        state = CallState()
        return await self._cache.pace(
            key_of(operation, params),
            lambda: self.call(operation, params, form=form, state=state, sink=sink),
            lambda: state.left,
        )

    async def any(self, operation: Operation, params: Mapping[str, Any], *, form: str = "JSON") -> Answer:
        """Make a call of whatever kind."""
        if operation.kind is Kind.READ:
            read = self.fetch if operation.reply is None else self.read
            return await read(operation, params, form=form)
        return await self.call(operation, params, form=form)

    def credits_known(self, max_age: float) -> Decimal | None:
        """What the newest reply said of the credits, unless that is older than `max_age` seconds."""
        self._transport.check()
        young = now() - self._login.credits_at < max_age
        return self._login.credits if young else None

    # --- one attempt ----------------------------------------------------------------------------------------

    def _encode(self, params: Mapping[str, Any], form: str) -> tuple[bytes, str]:
        asked = {**params, "Resp": form}
        if self._form:
            return encode.form_body(asked), "application/x-www-form-urlencoded"
        return encode.json_body(asked), "application/json"

    async def _attempt(
        self, operation: Operation, encoded: tuple[bytes, str], state: CallState, started: float
    ) -> Answer:
        limiter = self._limiter
        if limiter is None:
            limiter = self._limiter = Limiter(self._limits.concurrency, self._limits.per_second)
        while True:
            await self._wait_as_told(operation, started)
            await limiter.acquire()
            turn = None
            try:
                if not self._login.accepted:
                    turn = await self._login.turn(self._transport.patience)
                time = now()
                if self._breaker.hold(time):  # came up while this call waited for its place
                    continue
                self._breaker.check(operation.name, time)
                if state.rare:
                    self._breaker.allow_rare(operation.name, time)
                if state.leaving is not None:
                    await state.leaving()
                reply = await self._post(operation, encoded, state)
                answer = self._read(operation, reply, limiter, state)
            finally:
                limiter.release()
                if turn is not None:
                    self._login.leave(turn)
            limiter.went_well()
            return answer

    def _read(self, operation: Operation, reply: Reply, limiter: Limiter, state: CallState) -> Answer:
        try:
            answer = read_answer(operation, reply, self._note_credits)
        except (Failure, APIError) as error:
            raise self._noted(operation, error, limiter, state) from error.__cause__
        self._breaker.accepted()
        return answer

    async def _post(self, operation: Operation, encoded: tuple[bytes, str], state: CallState) -> Reply:
        state.attempts += 1
        left, state.left = state.left, True
        try:
            shield = state.shield or (None if operation.kind is Kind.READ else in_flight_shield.get())
            if shield is None:
                return await self._transport.post(operation.path, *encoded, state.sink)
            with shield.covering():
                return await self._transport.post(operation.path, *encoded, state.sink)
        except NotReached:
            state.left = left
            if state.rare:
                self._breaker.forget_rare(operation.name)
            raise
        except Cut:
            state.maybe_done = True
            raise

    def _noted(
        self, operation: Operation, error: Failure | APIError, limiter: Limiter, state: CallState
    ) -> Failure | MensatekError:
        """What an unhappy answer means for the calls after it; gives the error to raise."""
        time = now()
        if isinstance(error, Cut):
            state.maybe_done = True
        elif isinstance(error, ToldToWait):
            limiter.slow_down(error.wait)
            if error.wait is not None:
                self._breaker.told_to_wait(error.wait, time)
            if not self._retry.trust_429 and operation.kind is not Kind.READ:
                state.maybe_done = True
                return Cut(error.reason, wait=error.wait)
        elif isinstance(error, Blocked):
            return AccountPaused(
                f"{operation.name} was turned away ({error.reason}): the provider has blocked this account or address.",
                retry_after=self._breaker.blocked(error.wait, time),
            )
        elif isinstance(error, AuthenticationError):
            self._breaker.refused_credentials(time)
        elif isinstance(error, BadParameters | NotYours):
            self._breaker.wrong_call(operation.name, time)
        return error

    async def _wait_as_told(self, operation: Operation, started: float) -> None:
        time = now()
        self._breaker.check(operation.name, time)
        while wait := self._breaker.hold(time):
            if time - started + wait > self._retry.timeout:
                raise TooManyRequests(
                    f"{operation.name} was not called: the provider asked everything to wait.",
                    retry_after=wait,
                )
            await anyio.sleep(wait)
            time = now()

    def _note_credits(self, told: Decimal) -> None:
        self._login.credits, self._login.credits_at = told, now()

    # --- the way of a failure -------------------------------------------------------------------------------

    async def _repeat(
        self,
        operation: Operation,
        encoded: tuple[bytes, str],
        state: CallState,
        joined: bool,
        failure: Failure,
        started: float,
    ) -> Answer:
        settings = self._retry
        # Nobody waits for a single request of a bulk send, and its repeats are harmless, so it is given more of them.
        patient = joined and state.shield is not None and settings.attempts > 1
        for attempt in range(2, (2 if patient else 1) * settings.attempts + 1):
            if not may_repeat(operation.kind, joined, failure):
                raise failure
            wait = wait_before(attempt, failure, settings)
            if state.rare:
                wait = max(wait, self._breaker.until_rare(operation.name, now()))
            if now() - started + wait > settings.timeout:
                raise failure
            _log.info("%s: %s; try %d in %.2f s", operation.name, type(failure).__name__, attempt, wait)
            await anyio.sleep(wait)
            try:
                return await self._attempt(operation, encoded, state, started)
            except Failure as again:
                failure = again
        raise failure

    def _invalidate(self, operation: Operation, params: Mapping[str, Any]) -> None:
        if operation.invalidates:
            about = value_of(params, "idmensaje")
            subject = (("idmensaje", str(about)),) if about else None
            if operation.kind is Kind.SEND and subject is None:
                return  # a message of its own: no remembered report is about it
            for name in operation.invalidates:
                self._cache.forget(name, subject)
