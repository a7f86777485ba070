"""One call from request to answer: faults, block, credentials, operation, form of the reply."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from email.utils import format_datetime
from pathlib import Path

from starlette.responses import Response

from ..account.account import Account
from ..account.events import TOPICS, Called, Event, Topic
from ..account.records import Call, OperationResult
from ..account.state import KEPT_BODY_BYTES, Store, load_account, load_calls
from .bodies import BadCall, Params, read_basic
from .faults import Fault, Faults, fault_asked_for
from .gatekeeper import Gatekeeper
from .operations import OPERATIONS
from .replies import encode

_FORBIDDEN = b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
KEPT_ANSWER_BYTES = 20_000
_REFUSED = OperationResult(fields={"Res": -1}, wrong=True)


@dataclass(frozen=True, kw_only=True)
class ApiRequest:
    """A request as it came in."""

    operation: str
    others: list[str]  # the operations that share its path
    headers: dict[str, str] = field(repr=False)
    query: bytes
    content_type: str
    body: bytes = field(repr=False)
    params: Params = field(repr=False)  # those in its body


@dataclass(eq=False, repr=False)
class Provider:
    """The account behind its door: everything the sandbox does, without the network."""

    account: Account
    gatekeeper: Gatekeeper
    user: str
    token: str = field(repr=False)
    _: KW_ONLY
    keep_calls: int | None  # how many are remembered; None for all
    json_bodies: bool = True
    paths: Mapping[str, str] = field(default_factory=dict)  # of operations that have another than their name
    refusal_status: int = 200
    reply_style: str = "json-object"
    latency: float = 0.0
    forgotten_calls: int = 0
    state: Store | None = None  # the file that keeps it all
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    faults: Faults = field(default_factory=Faults)
    handlers: list[Callable[[Event], None]] = field(default_factory=list)  # of every event, in this order
    # Of what has changed; quick ones.
    listeners: set[Callable[[set[Topic]], None]] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        if wrong := self.paths.keys() - OPERATIONS.keys():
            raise ValueError(f"There is no operation {min(wrong)!r}")

    def operations_at(self, path: str) -> list[str]:
        """The operations at a path; some may share it."""
        return [name for name in OPERATIONS if self.paths.get(name, name) == path]

    def keep_in(self, path: Path) -> None:
        """Go on from a file of an earlier run, and keep everything in it from now on."""
        store = Store(path, self.account)
        load_account(store, self.account)
        self.forgotten_calls, self.calls = load_calls(store)
        self.state = store
        self.handlers.append(store.keep)
        store.commit()

    @contextmanager
    def changing(self, *topics: Topic) -> Iterator[Account]:
        """Change something under the lock, then keep, post and announce it; `topics` have no event."""
        with self.lock:
            yield self.account
            self.announce(self._settle() | set(topics))

    def announce(self, topics: set[Topic]) -> None:
        """Say what has changed, under the lock."""
        for listener in list(self.listeners) if topics else ():
            listener(topics)

    def _settle(self) -> set[Topic]:
        """Hand out what has happened, also what comes of that, and keep it; which topics it touches."""
        changed: set[Topic] = set()
        events = self.account.events
        while events:
            event = events.pop(0)
            changed.update(TOPICS.get(type(event), ()))
            for handler in self.handlers:
                handler(event)
        if self.state is not None:
            self.state.commit()
        return changed

    def reset(self) -> None:
        """Forget what happened; settings and clock stay."""
        self.account.clear()
        self.forgotten_calls = 0
        self.calls.clear()
        self.faults.clear()
        self.gatekeeper.unblock()

    def troubles(self, request: ApiRequest) -> list[Fault]:
        """The faults that hit this request."""
        with self.lock:
            faults = self.faults.pick(request.operation, request.params.decoded)
            if self.account.delivery.magic:
                asked = fault_asked_for(request.operation, request.params.decoded())
                faults += [asked] if asked else []
            return faults

    def answer(self, request: ApiRequest, fault: Fault | None) -> Response:
        """Process a request, unless the fault says not to, and note it down before it is answered.

        An answer that is to be lost on its way, with its connection, is that of the processing.
        """
        with self.lock:
            reply: OperationResult | None = None
            answer, verdict = Response(), "fault"
            if fault is None or fault.processed:
                reply, answer, verdict = self._process(request)
            elif fault.kind == "refuse":
                reply = OperationResult(fields={"Res": fault.code, **dict(fault.fields)})
                answer = self._encoded(request, reply)
            if fault is not None and fault.kind == "reply":
                answer = _response(fault.body, fault.content_type, fault.status, *fault.headers)
            answer.headers["Date"] = format_datetime(self.account.clock.now, usegmt=True)
            self._note(request, reply, answer, verdict, fault)
            changed = self._settle()
            if verdict in ("work", "wrong", "quick"):
                changed.add("guard")
            self.announce(changed)
            return answer

    def _note(
        self,
        request: ApiRequest,
        reply: OperationResult | None,
        answer: Response,
        verdict: str,
        fault: Fault | None,
    ) -> None:
        is_dropped = fault is not None and fault.kind == "drop"
        has_text = self.account.keep_texts and not is_dropped and not (reply and reply.file)
        longest = None if self.keep_calls is None else KEPT_BODY_BYTES
        call = Call(
            operation=request.operation,
            headers=request.headers,
            status=None if is_dropped else answer.status_code,
            reply=dict(reply.fields) if reply and reply.file is None else None,
            at=self.account.clock.now,
            content_type=request.content_type,
            body=request.body[:longest] if self.account.keep_texts else b"",
            verdict=verdict,
            fault=fault.kind if fault else "",
            answer=bytes(answer.body[:KEPT_ANSWER_BYTES]) if has_text else b"",
            answer_type=answer.headers.get("content-type", ""),
            unknown=tuple(sorted(request.params.unknown)),
        )
        self.calls.append(call)
        self.account.events.append(Called(self.forgotten_calls + len(self.calls), call))
        if self.keep_calls is not None and len(self.calls) >= 2 * self.keep_calls:
            self.forgotten_calls += len(self.calls) - self.keep_calls
            del self.calls[: -self.keep_calls]

    def _process(self, request: ApiRequest) -> tuple[OperationResult | None, Response, str]:
        now = self.account.clock.now
        if self.account.guarded and self.gatekeeper.is_blocked(now):
            return None, _response(_FORBIDDEN, "text/html; charset=utf-8", 403), "blocked"
        reply = self._run(request.operation, request) if self._is_known(request) else _REFUSED
        if reply.wrong and request.others and reply is not _REFUSED:  # a message of the other product
            reply = self._run(request.others[0], request)
        verdict = "work"
        if reply.wrong:
            self.gatekeeper.note_wrong(now)
            verdict = "wrong"
        elif OPERATIONS[request.operation].is_read:
            quick = self.gatekeeper.note_read(f"{request.operation} {request.body!r}", now)
            verdict = "quick" if quick else "read"
        else:
            self.gatekeeper.note_work()
        return reply, self._encoded(request, reply), verdict

    def _is_known(self, request: ApiRequest) -> bool:
        # Parameters in the query make the live API refuse the credentials.
        if self.account.guarded and request.query:
            return False
        given = read_basic(request.headers.get("authorization", ""))
        return secrets.compare_digest(given, f"{self.user}:{self.token}".encode())

    def _run(self, name: str, request: ApiRequest) -> OperationResult:
        operation, params = OPERATIONS[name], request.params
        try:
            if params.problem:
                raise params.problem
            params.note_unknown(operation.parameters)
            if self.account.strict and params.unknown:
                raise BadCall(f"Parámetro desconocido: {min(params.unknown)}")
            return operation.run(self.account, params)
        except BadCall as bad:
            return OperationResult(fields={"Res": -3, "Error": str(bad)}, wrong=True)

    def _encoded(self, request: ApiRequest, reply: OperationResult) -> Response:
        if reply.file is not None:
            return _response(reply.file, reply.media_type)
        resp = "JSON" if request.params.problem else str(request.params.raw("Resp") or "")
        body, content_type = encode(reply.fields, resp, self.reply_style)
        if reply.fields["Res"] == -1 and self.refusal_status != 200:
            return _response(
                body, content_type, self.refusal_status, ("WWW-Authenticate", 'Basic realm="API"')
            )
        return _response(body, content_type)


def _response(body: bytes, content_type: str, status: int = 200, *headers: tuple[str, str]) -> Response:
    return Response(body, status, {"Content-Type": content_type, **dict(headers)})
