"""What the page shows beside texts: how the sandbox stands, files, calls and callbacks, with every secret taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from ..account.account import Account
from ..account.records import Call, without_credentials
from ..api.faults import ERROR_KINDS
from ..api.gatekeeper import WRONG_WINDOW
from ..api.provider import Provider
from ..callbacks.callbacks import Callbacks
from ..carrier.delivery import MAGIC, has_ending
from ..carrier.statuses import ENGLISH, LABELS, PHASES
from ..controls import Controls
from .forms import one_page, picked, whole

_LONGEST = 20_000
_LONGEST_PARAMS = 200_000
_SECRET = re.compile(r"pass|token|clave|secret|auth|api.?key", re.IGNORECASE)
_STARS = "***"

_STATUSES = [
    {"code": code, "es": label, "en": ENGLISH[code], "phase": PHASES[code]}
    for code, label in sorted(LABELS.items())
]
_ENDINGS = [{"ending": f"{MAGIC}{code:03}", "status": code} for code in sorted(LABELS) if has_ending(code)]


def overview(controls: Controls, provider: Provider, webhooks: list[Callbacks], token: str) -> dict[str, Any]:
    """Everything that is not a list."""
    account = provider.account
    plain, certified = account.prices
    return {
        "version": _version(),
        "csrf": token,
        "api": picked(controls, "base_url", "user"),
        "clock": picked(account.clock, "now", "scale", "standing"),
        "credits": {
            "left": account.credits,
            "used": account.used,
            "price": plain,
            "certified_price": certified,
        },
        "counts": _counts(provider),
        "guard": _guard(provider),
        "faults": {
            **picked(controls, "latency", "error_rate", "error_kind"),
            "kinds": list(ERROR_KINDS),
            "armed": len(provider.faults),
        },
        "delivery_seconds": account.delivery.pace,
        "contracts_by_themselves": controls.contracts_by_themselves,
        "callbacks": [{"url": _bare_url(webhook.url)} for webhook in webhooks],
        "state_file": provider.state is not None,
        "keep_texts": account.keep_texts,
        "statuses": _STATUSES,
        "magic": _ENDINGS if account.delivery.magic else [],
    }


def _version() -> str:
    try:
        return version("mensatek-async")
    except PackageNotFoundError:  # run from a checkout
        return ""


def _counts(provider: Provider) -> dict[str, int]:
    account = provider.account
    now = account.clock.now
    account.tidy_library()
    return {
        "texts": sum(len(batch.phones) for batch in account.batches),
        "scheduled": sum(bool(message.waiting(now)) for message in account.messages.values()),
        "files": len(account.files),
        "calls": provider.forgotten_calls + len(provider.calls),
    }


def _guard(provider: Provider) -> dict[str, Any]:
    now, keeper = provider.account.clock.now, provider.gatekeeper
    blocked = provider.account.guarded and keeper.is_blocked(now)
    return {
        "strict": provider.account.guarded,
        "blocked": blocked,
        "blocked_until": keeper.blocked_until if blocked else None,
        "wrong_calls": keeper.wrong_calls(now),
        "quick_reads": keeper.quick_reads(now),
        "block_after": keeper.after,
        "window_seconds": int(WRONG_WINDOW.total_seconds()),
        "read_interval": keeper.read_interval.total_seconds(),
    }


def list_files(account: Account) -> dict[str, Any]:
    """The file library, and how much it may hold."""
    account.tidy_library()
    files = account.files.values()
    names = ("name", "uploaded_at", "delete_after_certification")
    return {
        "items": [
            {**picked(file, *names), "size": len(file.content), "url": f"/_sandbox/files/{file.name}"}
            for file in files
        ],
        "max_files": account.max_files,
        "max_bytes": account.library_bytes,
        "used_bytes": sum(len(file.content) for file in files),
    }


def list_calls(provider: Provider, query: Mapping[str, str], limit: int) -> dict[str, Any]:
    """The newest calls that are looked for."""
    operation, verdict, cursor = (query.get(name, "") for name in ("operation", "verdict", "cursor"))
    first, total = provider.forgotten_calls + 1, provider.forgotten_calls + len(provider.calls)
    last = min(total, whole(cursor) - 1) if cursor else total
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
    call, token = provider.calls[index], provider.token
    params = _masked(call.params, token) if len(call.body) <= _LONGEST_PARAMS else {}
    request = {
        "headers": _masked(without_credentials(call.headers), token),
        "params": params,
        "unknown": list(call.unknown),
        **_shown(call.body, call.content_type, token),
    }
    if _STARS in params.values():
        request["body"] = json.dumps(params, ensure_ascii=False)
    answer = {"http": call.status, "content_type": call.answer_type, "fields": call.reply}
    answer |= _shown(call.answer, call.answer_type, token)
    return {**_call_form(number, call), "request": request, "reply": answer}


def _call_form(number: int, call: Call) -> dict[str, Any]:
    return {
        **picked(call, "at", "operation", "verdict"),
        "number": number,
        "http": call.status,
        "res": None if call.reply is None else call.reply.get("Res"),
        "fault": call.fault or None,
        "unknown": len(call.unknown),
    }


def _shown(body: bytes, content_type: str, token: str) -> dict[str, Any]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("multipart/") or kind in ("application/pdf", "application/zip"):
        return {"body": f"({len(body)} bytes of {kind})", "cut": False}
    text = _without(body.decode("utf-8", "replace"), token)
    return {"body": text[:_LONGEST], "cut": len(text) > _LONGEST}


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
    posts = [(webhook.url, post) for webhook in webhooks for post in reversed(list(webhook.posts))]
    items = [
        {
            **picked(post, "fields", "answers", "taken", "repeated", "number"),
            "service": post.fields.get("Servicio"),
            "waiting": not post.ended,
            "url": _bare_url(url),
        }
        for url, post in posts[:limit]
    ]
    return {"items": items, "total": len(posts)}


def _bare_url(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
