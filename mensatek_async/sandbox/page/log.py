"""What the page shows of calls and callbacks, with every secret taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from ..account.records import Call, without_credentials
from ..api.provider import Provider
from ..callbacks.callbacks import Callbacks
from .forms import one_page, picked

_LONGEST = 20_000
_LONGEST_PARAMS = 200_000
_SECRET = re.compile(r"pass|token|clave|secret|auth|api.?key", re.IGNORECASE)
_STARS = "***"


def list_calls(
    provider: Provider, operation: str, verdict: str, limit: int, before: int | None
) -> dict[str, Any]:
    """The newest calls."""
    first, total = provider.forgotten_calls + 1, provider.forgotten_calls + len(provider.calls)
    last = total if before is None else min(total, before - 1)
    calls = ((number, provider.calls[number - first]) for number in range(last, first - 1, -1))
    rows = (
        (str(number), _call_form(number, call))
        for number, call in calls
        if operation in ("", call.operation) and verdict in ("", call.verdict)
    )
    return one_page(rows, limit, total)


def show_call(provider: Provider, number: int) -> dict[str, Any] | None:
    """One call with request and reply; None when there is none of that number."""
    index = number - provider.forgotten_calls - 1
    if not 0 <= index < len(provider.calls):
        return None
    call = provider.calls[index]
    token = provider.token
    body, body_cut = _text(call.body, call.content_type, token)
    answer, answer_cut = _text(call.answer, call.answer_type, token)
    params = _masked(call.params, token) if len(call.body) <= _LONGEST_PARAMS else {}
    if any(value == _STARS for value in params.values()):
        body = json.dumps(params, ensure_ascii=False)
    return {
        **_call_form(number, call),
        "request": {
            "headers": _masked(without_credentials(call.headers), token),
            "content_type": call.content_type,
            "body": body,
            "params": params,
            "unknown": list(call.unknown),
            "cut": body_cut,
        },
        "reply": {
            "http": call.status,
            "content_type": call.answer_type,
            "body": answer,
            "fields": call.reply,
            "cut": answer_cut,
        },
    }


def _call_form(number: int, call: Call) -> dict[str, Any]:
    return {
        **picked(call, "at", "operation", "verdict"),
        "number": number,
        "http": call.status,
        "res": None if call.reply is None else call.reply.get("Res"),
        "fault": call.fault or None,
        "unknown": len(call.unknown),
    }


def _text(body: bytes, content_type: str, token: str) -> tuple[str, bool]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("multipart/") or kind in ("application/pdf", "application/zip"):
        return f"({len(body)} bytes of {kind})", False
    text = _without(body.decode("utf-8", "replace"), token)
    return text[:_LONGEST], max(len(text), len(body)) > _LONGEST


def _masked(params: Mapping[str, Any], token: str) -> dict[str, Any]:
    return {
        name: _STARS if _SECRET.search(name) else _without(value, token) for name, value in params.items()
    }


def _without(value: Any, token: str) -> Any:
    if isinstance(value, str):
        return value.replace(token, _STARS) if token else value
    if isinstance(value, list):
        return [_without(one, token) for one in value]
    return _masked(value, token) if isinstance(value, dict) else value


def list_callbacks(webhooks: Iterable[Callbacks], limit: int) -> dict[str, Any]:
    """The newest callbacks of every webhook."""
    items: list[dict[str, Any]] = []
    total = 0
    for webhook in webhooks:
        posts = list(webhook.posts)
        total += len(posts)
        for number, post in islice(zip(range(len(posts), 0, -1), reversed(posts), strict=False), limit):
            items.append(
                {
                    **picked(post, "fields", "answers", "taken", "repeated"),
                    "number": number,
                    "service": post.fields.get("Servicio"),
                    "waiting": not post.ended,
                    "url": bare_url(webhook.url),
                }
            )
    return {"items": items[:limit], "total": total}


def bare_url(url: str) -> str:
    """A webhook's URL without what may be secret in it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path or '/'}"
