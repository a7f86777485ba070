"""How things look in the page's JSON: moments, credits, texts and their parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from ..account.account import Account
from ..account.records import UNNAMED_DOCUMENT, Batch
from ..api import texting
from ..carrier import statuses

PREVIEW = 300
_CONTRACTS = {0: None, statuses.BY_REPLY: "reply", statuses.WITH_PDF: "pdf"}


def json_form(value: Any) -> str:
    """What the page gets: moments as ISO 8601, UTC, with Z, and credits as plain decimals."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_scalar_form)


def _scalar_form(value: datetime | Decimal) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def picked(value: object, *names: str) -> dict[str, Any]:
    """Some attributes, by their names."""
    return {name: getattr(value, name) for name in names}


def one_page(rows: Iterator[tuple[str, dict[str, Any]]], limit: int, total: int) -> dict[str, Any]:
    """The first rows, each with its cursor; the next page begins behind the last one given."""
    first = list(islice(rows, limit + 1))
    cursor = first[limit - 1][0] if len(first) > limit else None
    return {"items": [row for _, row in first[:limit]], "cursor": cursor, "total": total}


def contract_form(batch: Batch) -> str | None:
    """What kind of contract a text is."""
    return _CONTRACTS.get(batch.contract, "other")


def certificate_url(batch: Batch, phone: str, status: int) -> str | None:
    """Where a text's certificate is, if it has one."""
    ready = batch.certified and status in batch.kind.certificate_ready
    return f"/_sandbox/certificates/{batch.message_id}/{phone}" if ready else None


def row_form(batch: Batch, position: int, status: int) -> dict[str, Any]:
    """A text in the list."""
    phone = batch.phones[position]
    return {
        **_shared_form(batch, position, status),
        **picked(batch, "accepted_at", "scheduled_at", "leaves_at"),
        "phone": phone,
        "text": batch.shown(position)[:PREVIEW],
    }


def _shared_form(batch: Batch, position: int, status: int) -> dict[str, Any]:
    phone, segments = batch.phones[position], batch.written(position)[1]
    return {
        **picked(batch, "message_id", "sender", "reference", "certified"),
        "id": f"{batch.message_id}-{phone}",
        "status": status,
        "phase": statuses.phase(status),
        "contract": contract_form(batch),
        "encoding": "unicode" if batch.unicode else "gsm",
        "segments": segments,
        "cost": segments * batch.price,
        "certificate": certificate_url(batch, phone, status),
    }


def text_form(account: Account, batch: Batch, position: int) -> dict[str, Any]:
    """A text in a conversation, as its phone shows it, with all that is known of it."""
    phone = batch.phones[position]
    status = account.status(batch, phone)
    history = history_of(account, batch, phone, account.clock.now)
    written = batch.written(position)[0]
    shown = batch.shown(position)
    return {
        **_shared_form(batch, position, status),
        "kind": "text",
        "at": batch.leaves_at,
        "arrived": any(one[1] in statuses.ARRIVED for one in history),
        "pieces": [_piece_form(account, batch, piece) for piece in texting.pieces(written, batch.unicode)],
        "text": shown,
        "written": written,
        "replaced": [
            {"from": old, "to": new, "times": times}
            for old, new, times in texting.replaced(written, batch.unicode)
        ],
        "characters": texting.width(shown, batch.unicode),
        "history": [{"at": moment, "status": one} for moment, one in history],
        "documents": _documents(account, batch),
        "actions": _actions(batch, status, {one for _, one in history}),
    }


def history_of(account: Account, batch: Batch, phone: str, now: datetime) -> list[tuple[datetime, int]]:
    """What a text has been through so far, being scheduled and cancelled too."""
    history = []
    if batch.scheduled_at is not None and batch.scheduled_at > batch.accepted_at:
        history.append((batch.accepted_at, statuses.SCHEDULED))
    if batch.cancelled_at is not None:
        return [*history, (batch.cancelled_at, statuses.CANCELLED)]
    return history + account.delivery.history(batch, phone, now)


def _piece_form(account: Account, batch: Batch, piece: str | tuple[str, str, str]) -> dict[str, Any]:
    if isinstance(piece, str):
        return {"text": piece}
    link, kind, content = piece
    url = None
    if kind == "BASE64":
        url = _document_url(account, content)
    elif kind == "FILE":
        digest = dict(batch.documents).get(content)
        url = _document_url(account, digest) if digest else _file_url(account, content)
    elif kind == "IMG":
        url = _file_url(account, content)
    return {"link": link, "type": kind, "content": content, "url": url}


def _document_url(account: Account, digest: str) -> str | None:
    return f"/_sandbox/documents/{digest}" if digest in account.documents else None


def _file_url(account: Account, name: str) -> str | None:
    return f"/_sandbox/files/{name}" if name in account.library else None


def _documents(account: Account, batch: Batch) -> list[dict[str, Any]]:
    return [
        {
            "name": UNNAMED_DOCUMENT if name == "BASE64" else name,
            "sha256": digest,
            "size": len(account.documents.get(digest, b"")),
            "url": _document_url(account, digest),
        }
        for name, digest in batch.documents
    ]


def _actions(batch: Batch, status: int, reached: set[int]) -> list[str]:
    if status == statuses.CANCELLED:
        return []
    if status == statuses.SCHEDULED:
        return ["cancel", "reschedule"]
    actions = ["deliver"]
    if batch.documents and reached & (
        {statuses.CONTRACT_ACCEPTED} if batch.kind.asks_acceptance else statuses.ARRIVED
    ):
        actions.append("open")
    if batch.is_closed_by_hand and not reached & statuses.FINAL_CONTRACT:
        plain = batch.contract == statuses.BY_REPLY or batch.kind.asks_acceptance
        actions += ["accept", "reject", "expire"] if plain else _BY_DOCUMENT
    return actions


_BY_DOCUMENT = ["accept", "sign", "reject", "expire"]
