"""One call: guard, limit, send, decode, raise; the way of a failure lies apart from the way of a success."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from copy import copy
from decimal import Decimal
from functools import partial
from typing import Any

import anyio
from attrs import define, evolve

from .._wire.decode import DecodeError
from .._wire.encode import Body, Params, form_body, json_body
from .._wire.structure import structure
from ..assumptions import RequestFormat
from ..errors import APIError, MensatekError, TooManyRequests, UnexpectedReply
from ..observe.observer import Notifier
from ..settings import Account, Guard, Limits, Retry
from .call_state import CallState, ObservedCall, in_flight_shield, noting_pauses, whose
from .failures import Cut, Failure, NotReached, ToldToWait
from .final_errors import final, unknown, without_secrets
from .limits.account import CircuitBreaker, known, now
from .limits.guard_store import store_of
from .limits.guard_tables import What
from .limits.limiter import Limiter
from .limits.read_cache import ReadCache
from .limits.retry import may_repeat, wait_before
from .limits.shared_guard import begin_first_call, end_first_call, shared_guard
from .operations import Answers, Kind, Operation, is_rare, joins, key_of
from .reading import DecodedReply, RawReply, read_answer
from .sink import Sink
from .transport import Transport

_log = logging.getLogger("mensatek_async.call")
_UNHEARD = nullcontext()

_FORMATS = {"json": (json_body, "application/json"), "form": (form_body, "application/x-www-form-urlencoded")}


@define(eq=False, repr=False)
class _Call:
    """What is asked, and what became of it; `body` is encoded, with its content type."""

    operation: Operation
    params: Params
    state: CallState
    form: str = "JSON"
    body: tuple[Body, str] | None = None
    started: float = 0.0


class Caller:
    """Makes every call of one client.

    Its methods take an operation's row, its parameters by wire names, and of these: `form`, the reply form to ask for
    (JSON, TXT or XML); `body`, an encoded one and its content type instead of the parameters; `state`, filled with what
    happened; `sink`, where a document goes that comes as the answer; `max_age`, the seconds that a remembered answer
    may be old.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        account: Account,
        limits: Limits,
        retry: Retry,
        guard: Guard,
        request_format: RequestFormat = "json",
        notifier: Notifier | None = None,
        assume_grouping: bool = True,
    ) -> None:
        self.notifier: Notifier | None = notifier
        self._transport = transport
        self._retry = retry
        self._guard = guard
        self._store = store_of(guard)
        self._write, self._content_type = _FORMATS[request_format]
        self._grouping = assume_grouping
        self._limiter = Limiter(limits.concurrency, limits.per_second)
        self._use(account)

    def for_account(self, account: Account) -> Caller:
        """Return one for another account, on the same connections and limiter."""
        other = copy(self)
        other._transport = self._transport.for_account(account)
        other._use(account)
        return other

    def trying_once(self, request_format: RequestFormat) -> Caller:
        """Return one of the same account and connections that repeats nothing and writes bodies in this form."""
        other = copy(self)
        other._retry = evolve(self._retry, attempts=1)
        other._write, other._content_type = _FORMATS[request_format]
        return other

    def _use(self, account: Account) -> None:
        guard, (state, self._login) = self._guard, known(account)
        self._about = whose(account)
        self._breaker = CircuitBreaker(guard, state, self._login)
        self._shared = shared_guard(self._store, guard, account, state, self._login)
        self._cache: ReadCache[DecodedReply] = ReadCache(
            guard.read_interval, guard.remember, self._login, self._shared
        )

    async def aclose(self) -> None:
        """Close the connections, unless another caller owns them; calls after it are refused."""
        await self._transport.aclose()
        if self._shared is not None and self._transport.owns:
            await self._shared.store.release(self._transport.pool)

    @property
    def last_credits(self) -> Decimal | None:
        return self._login.credits

    async def ask(
        self,
        operation: Operation,
        params: Params,
        *,
        body: tuple[Body, str] | None = None,
        state: CallState | None = None,
        max_age: float = 0.0,
    ) -> Any:
        """Make a call and return its reply as the model that the operation's row names; None where it names none.

        Raises:
            UnexpectedReply: a read's reply holds a value of the wrong kind.
            OutcomeUnknown: another's does, so what it did is not known for certain.
            MensatekError: see the family.
        """
        return await self._make(
            _Call(operation, params, state or CallState(), body=body), max_age, model=True
        )

    async def reply(
        self, operation: Operation, params: Params, *, form: str = "JSON", sink: Sink | None = None
    ) -> DecodedReply:
        """Make a call of any kind and return its reply; a read may be answered from what is remembered.

        Raises:
            MensatekError: see the family.
            NotStored: the sink failed.
        """
        answer: DecodedReply = await self._make(_Call(operation, params, CallState(sink=sink), form), 0.0)
        return answer

    async def _make(self, call: _Call, max_age: float, *, model: bool = False) -> Any:
        operation, params = call.operation, call.params
        heard = self.notifier is not None or _log.isEnabledFor(logging.INFO)
        told = (self.notifier, self._about, self._login, operation, params, call.state)
        with ObservedCall(*told) if heard else _UNHEARD:
            self._transport.check()
            answer = await (self._read(call, max_age) if operation.kind is Kind.READ else self._call(call))
            if not model:
                return answer
            if isinstance(operation.reply, Answers):
                return None
            try:
                return structure(answer.reply, operation.reply)
            except DecodeError as error:
                if operation.kind is Kind.READ:
                    raise UnexpectedReply(operation.name, error.problems) from None
                reason = f"the answer could not be read ({'; '.join(error.problems)})"
                raise unknown(operation, reason, params) from None

    async def _read(self, call: _Call, max_age: float) -> DecodedReply:
        """Make a read, or answer it from what is remembered."""
        operation, state = call.operation, call.state
        state.rare = bool(operation.rare_parameter) and is_rare(operation, call.params)
        key, fetch = key_of(operation, call.params), partial(self._call, call)
        if operation.reply is Answers.FILE:  # too large to remember; the same waits for the interval
            return await self._cache.pace(key, fetch, lambda: state.left)
        await self._look()
        if not self._cache.knows(key, call.form, max_age):
            self._breaker.check(operation.name, now())
        return await self._cache.read(key, call.form, max_age, fetch, lambda: state.left)

    async def _call(self, call: _Call) -> DecodedReply:
        operation, params, state = call.operation, call.params, call.state
        if call.body is None:
            call.body = Body(self._write({**params, "Resp": call.form})), self._content_type
        call.started = now()
        try:
            try:
                return await self._attempt(call)
            except Failure as failure:
                if state.once:
                    raise
                return await self._repeat(call, failure)
        except Failure as failure:
            wait_max, secrets = self._retry.wait_max, self._transport.secrets
            error = final(operation, params, state, failure, secrets=secrets, wait_max=wait_max)
            raise error from (failure.__cause__ or failure)
        except APIError as refusal:
            shown = without_secrets(refusal, params, self._transport.secrets)
            if not state.maybe_done or operation.kind is Kind.READ or refusal.code in operation.not_done:
                raise shown from None
            if refusal.code in operation.done:
                return DecodedReply({"res": 1}, RawReply(200, "", b""))
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
            about = params.value("idmensaje") if operation.invalidates else None
            if about or operation.kind is not Kind.SEND:  # no remembered report is about a message of its own
                self._cache.forget(operation.invalidates, (("idmensaje", str(about)),) if about else None)

    async def credits_known(self, max_age: float) -> Decimal | None:
        """Return the credits that the newest reply named, unless it is older than `max_age` seconds.

        Those that another process asked for count for as long as the question may not go out again.
        """
        self._transport.check()
        await self._look()
        login, time = self._login, now()
        young = time - login.credits_at < max_age or time - login.credits_asked_at < self._guard.read_interval
        return login.credits if young else None

    async def _look(self) -> None:
        """Learn what other processes were told of the account, now and then."""
        if self._shared is not None and self._shared.is_due:
            with noting_pauses(self.notifier, self._about["account"], self._breaker, ""):
                await self._shared.look(self._transport.pool)

    async def _attempt(self, call: _Call) -> DecodedReply:
        """Wait for a turn and make the request; the circuit breaker is asked before and after the wait."""
        operation, state = call.operation, call.state
        breaker, limiter, shared = self._breaker, self._limiter, self._shared
        while True:
            if shared is not None:
                await self._look()
            while wait := breaker.check(operation.name, now()):
                if now() - call.started + wait > self._retry.timeout:
                    raise TooManyRequests(
                        f"{operation.name} was not called: the provider asked everything to wait.",
                        retry_after=wait,
                    )
                await anyio.sleep(wait)
            await limiter.acquire(bulk=state.bulk)
            turn, accepted = None, False
            try:
                if not self._login.accepted:
                    turn = await begin_first_call(self._login, shared, self._transport.patience)
                if breaker.check(operation.name, now()):  # came up while this call waited for its place
                    continue
                if state.rare:
                    if shared is not None:
                        await shared.book_rare(operation.name)
                    breaker.allow_rare(operation.name, now())
                if state.leaving is not None:
                    await state.leaving()
                post = self._post(call)
                reply = await (post if state.observed is None else state.observed.post(post))
                try:
                    answer = read_answer(operation, reply, self._note_credits)
                except (Failure, APIError) as error:
                    raise await self._noted(call, error) from error.__cause__
                if state.observed is not None:
                    state.observed.reply = answer.reply
                breaker.accepted()
                accepted = True
                return answer
            finally:
                limiter.release(bulk=state.bulk, accepted=accepted)
                if turn is not None:
                    await end_first_call(self._login, shared, turn, accepted=accepted)

    async def _post(self, call: _Call) -> RawReply:
        operation, state = call.operation, call.state
        assert call.body is not None
        state.attempts += 1
        left, state.left = state.left, True
        shield = state.shield or (None if operation.kind is Kind.READ else in_flight_shield.get())
        request = (operation.path, *call.body, state.sink, operation.name, state.latest)
        try:
            with nullcontext() if shield is None else shield.covering():
                return await self._transport.post(*request)
        except NotReached:
            state.left = left
            if state.rare:
                self._breaker.forget_rare(operation.name)
                if self._shared is not None:
                    await self._shared.unbook(What.RARE, operation.name)
            raise
        except Cut:
            state.maybe_done = True
            raise
        except anyio.get_cancelled_exc_class():
            if shield is None and operation.kind is not Kind.READ:
                _log.warning("%s was cancelled on its way: whether it was done is not known", operation.name)
            raise

    async def _noted(self, call: _Call, error: Failure | APIError) -> Failure | MensatekError:
        """Note what a refusal means for the calls after it; return the error to raise."""
        operation, state = call.operation, call.state
        with noting_pauses(self.notifier, self._about["account"], self._breaker, operation.name):
            noted = self._breaker.note(operation.name, error, now())
        if isinstance(error, Cut):
            state.maybe_done = True
        elif isinstance(error, ToldToWait):
            if not state.once:  # else whoever decides on repeats keeps to the rate, with others perhaps
                self._limiter.slow_down(error.wait)
            if not self._retry.trust_429 and operation.kind is not Kind.READ:
                state.maybe_done = True
                noted = Cut(error.reason, wait=error.wait)
        if self._shared is not None:
            await self._shared.tell(operation.name, error)
        return noted

    def _note_credits(self, credits: Decimal) -> None:
        self._login.credits, self._login.credits_at = credits, now()

    async def _repeat(self, call: _Call, failure: Failure) -> DecodedReply:
        operation, state, settings = call.operation, call.state, self._retry
        joined = self._grouping and joins(operation, call.params)
        # Nobody waits for a single request of a bulk send, and its repeats are harmless, so it is given more of them.
        patient = joined and state.bulk and settings.attempts > 1
        for attempt in range(2, (2 if patient else 1) * settings.attempts + 1):
            if not may_repeat(operation.kind, joined, failure):
                raise failure
            wait = wait_before(attempt, failure, settings)
            if state.rare:
                wait = max(wait, self._breaker.until_rare(operation.name, now()))
            if now() - call.started + wait > settings.timeout:
                raise failure
            if state.observed is not None:
                state.observed.retried(attempt, failure, wait)
            await anyio.sleep(wait)
            try:
                return await self._attempt(call)
            except Failure as again:
                failure = again
        raise failure
