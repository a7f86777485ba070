"""Reads one response to its end, into memory or a sink, and what it means: a decoded reply, or an exception."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

import anyio
from attrs import field, frozen

from .. import codes
from .._wire.decode import DecodeError, decode, number, result_code, words
from .._wire.names import CREDITS_LEFT, CREDITS_NEEDED, ERROR
from ..errors import APIError, AuthenticationError, BadParameters, InsufficientCredits
from .failures import Blocked, Cut, ToldToWait, Unreadable
from .limits.retry import parse_retry_after
from .operations import Answers, Operation
from .sink import LONGEST_MAGIC, Sink, media_type_of

_LARGEST = 64 * 2**20  # bytes of an answer; a report of half a million recipients fits
_STRAY = b"\xef\xbb\xbf\r\n\t "
_PIECE = 2**20  # bytes of a download written at once


@frozen
class RawReply:
    """A whole answer, still undecoded."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: float | None = None
    stored: bool | None = None  # whether it is a document that went into the sink; None without a sink
    date: str = ""  # what the provider's clock showed, as HTTP writes it


async def receive(response: Any, sink: Sink | None, moved: Callable[[], None]) -> RawReply:
    """Read the answer and close it; a document goes into the sink, and `moved` is called for each piece stored.

    Raises:
        Unreadable: it is larger than any reply can be.
        Cut: it is shorter than it said.
        NotStored: the sink failed.
    """
    try:
        headers = _headers(response)
        stored = None
        if sink is not None and response.status_code == 200:
            body, stored = await _document(response, headers, sink, moved)
        else:
            body = await _whole(response, headers)
    finally:
        await response.aclose()
    kind, wait = headers.get("content-type", ""), headers.get("retry-after")
    seconds = None if wait is None else parse_retry_after(wait)
    return RawReply(response.status_code, kind, body, seconds, stored, headers.get("date", ""))


def _headers(response: Any) -> dict[str, str]:
    """Return the headers by small names; looking each up in httpx's own mapping costs ten times as much."""
    headers: dict[str, str] = {}
    for name, value in response.headers.raw:
        key, text = name.lower().decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


async def _whole(response: Any, headers: Mapping[str, str]) -> bytes:
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) <= _LARGEST and "content-encoding" not in headers:
        parts: list[bytes] = []
        async for part in response.stream:
            parts.append(part)
        body = b"".join(parts)
        if len(body) < int(length):
            raise Cut("the answer ended early")
        return body
    whole = bytearray()

    async def take(part: bytes) -> bool:
        whole.extend(part)
        return len(whole) <= _LARGEST

    await _each(response, headers, take)
    return bytes(whole)


async def _document(
    response: Any, headers: Mapping[str, str], sink: Sink, moved: Callable[[], None]
) -> tuple[bytes, bool]:
    """Put a PDF or ZIP into the sink, told by its first bytes; gives the body of any other answer."""
    waiting = bytearray()
    kind: str | None = None
    looked = False

    async def take(part: bytes) -> bool:
        nonlocal kind, looked
        waiting.extend(part)
        if not looked:
            # A stray line break or byte order mark before a document would shift all that it points to.
            waiting[:] = waiting.lstrip(_STRAY)
            if len(waiting) < LONGEST_MAGIC:
                return True
            kind, looked = media_type_of(bytes(waiting[:LONGEST_MAGIC])), True
            if kind is not None:
                await sink.start(kind)
        if kind is None:
            return len(waiting) <= _LARGEST
        if len(waiting) >= _PIECE:
            await sink.write(bytes(waiting))
            waiting.clear()
            moved()
        return True

    await _each(response, headers, take)
    if kind is None:
        return bytes(waiting), False
    await sink.write(bytes(waiting))
    await sink.finish(framed=_is_framed(headers))
    return b"", True


async def _each(response: Any, headers: Mapping[str, str], take: Callable[[bytes], Awaitable[bool]]) -> None:
    """Hand on the answer's parts; when `take` wants no more, the answer is too large."""
    size, failure, enough = 0, None, False
    with anyio.CancelScope() as scope:
        async for part in response.aiter_bytes():
            size += len(part)
            try:
                enough = enough or not await take(part)
            except Exception as error:
                failure, enough = error, True
            if enough:
                # Cancelling ends the generators under this loop; leaving them half read would not.
                scope.cancel()
    if failure is not None:
        raise failure
    if enough:
        raise Unreadable((f"the answer is larger than {_LARGEST >> 20} MiB",))
    length = headers.get("content-length", "")
    # What is compressed is counted as it came; a transport that gives a whole answer at once counts nothing.
    if length.isdecimal() and (response.num_bytes_downloaded or size) < int(length):
        raise Cut("the answer ended early")


def _is_framed(headers: Mapping[str, str]) -> bool:
    """Return whether HTTP says where the answer ends, so that a cut would have been noticed."""
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()


_FILES = ("application/pdf", "application/zip", "application/octet-stream")


@frozen
class DecodedReply:
    """A decoded reply, or the file that came instead of one."""

    reply: dict[str, Any] = field(repr=False)  # the decoded reply; empty when a file came
    raw: RawReply  # the answer as it came


def read_answer(
    operation: Operation, reply: RawReply, note_credits: Callable[[Decimal], None]
) -> DecodedReply:
    """Turn an answer into a decoded reply; `note_credits` is called with the credits left, which a refusal names too.

    Raises:
        APIError: the provider said no.
        Blocked: it turned the caller away.
        ToldToWait: it turned the call away for a while.
        Cut: the server failed, so what it did is not known.
        Unreadable: nobody can read the answer.
    """
    if reply.status != 200:
        _check_status(operation, reply)
    elif reply.stored or (isinstance(operation.reply, Answers) and _is_file(operation, reply)):
        return DecodedReply({}, reply)
    try:
        decoded = decode(reply.body, reply.content_type)
        code = result_code(decoded)
    except DecodeError as error:
        if 300 <= reply.status < 500:
            raise BadParameters(operation.name, None, _where(operation, reply.status)) from None
        raise Unreadable(error.problems) from None
    left = number(decoded, *CREDITS_LEFT)
    if left is not None:
        note_credits(left)
    if code < 0 or (code == 0 and operation.needs_success):
        raise _refusal(operation, code, decoded)
    if reply.status >= 300:
        raise Unreadable((f"HTTP {reply.status}, with an answer that says it was done",))
    return DecodedReply(decoded, reply)


def _is_file(operation: Operation, reply: RawReply) -> bool:
    """Return whether a file came; a refusal may come under any content type."""
    if operation.reply is Answers.NOTHING or reply.stored is not None:
        return False
    if not reply.content_type.lower().startswith(_FILES):
        return False
    return operation.reply is Answers.FILE or not _says_no(reply)


def _check_status(operation: Operation, reply: RawReply) -> None:
    """Raise for an HTTP status that decides by itself; return when the body has the word."""
    status = reply.status
    if status == 401:
        raise AuthenticationError(operation.name, None, "HTTP 401")
    if status == 429 or (status == 503 and reply.retry_after is not None):
        raise ToldToWait(f"HTTP {status}", wait=reply.retry_after)
    if status == 403 and not _says_no(reply):
        raise Blocked("HTTP 403", wait=reply.retry_after)
    if status >= 500 or status == 408:
        raise Cut(f"HTTP {status}")


def _where(operation: Operation, status: int) -> str:
    hint = "its path is inferred, and paths= replaces it" if operation.path_source == "inferred" else ""
    return f"HTTP {status}; {hint or 'is base_url right?'}"


def _says_no(reply: RawReply) -> bool:
    try:
        return result_code(decode(reply.body, reply.content_type)) < 0
    except DecodeError:
        return False


def _refusal(operation: Operation, code: int, reply: Mapping[str, Any]) -> APIError:
    cls = codes.error_class(operation.name, code)
    row = codes.lookup(operation.name, code)
    reason = words(reply, ERROR) or (row.meaning if row else "")
    if issubclass(cls, InsufficientCredits):
        needed, left = number(reply, *CREDITS_NEEDED), number(reply, *CREDITS_LEFT)
        return cls(operation.name, code, reason, needed=needed, left=left)
    return cls(operation.name, code, reason)
