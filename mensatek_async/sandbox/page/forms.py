"""How things look in the page's JSON: moments, credits, texts and their parts."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from starlette.exceptions import HTTPException

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


def whole(text: str) -> int:
    """A number of a query; one that is none is a bad request."""
    try:
        return int(text)
    except ValueError:
        raise HTTPException(400, "A number that is none") from None


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
    phone, segments = batch.phones[position], batch.written(position)[1]
    return {
        **picked(batch, "message_id", "sender", "reference", "certified", "accepted_at"),
        "id": f"{batch.message_id}-{phone}",
        "phone": phone,
        "text": batch.shown(position)[:PREVIEW],
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
    history = _history(account, batch, phone)
    written, shown = batch.written(position)[0], batch.shown(position)
    return {
        **row_form(batch, position, status),
        "kind": "text",
        "at": batch.leaves_at,
        "arrived": any(one in statuses.ARRIVED for _, one in history),
        "pieces": [_piece_form(account, batch, piece) for piece in texting.pieces(written, batch.unicode)],
        "text": shown,
        "written": written,
        "replaced": [
            {"from": old, "to": new, "times": times}
            for old, new, times in texting.replaced(written, batch.unicode)
        ],
        "characters": texting.width(shown, batch.unicode),
        "history": [{"at": moment, "status": one} for moment, one in history],
        "documents": [
            {
                "name": UNNAMED_DOCUMENT if name == "BASE64" else name,
                "sha256": digest,
                "size": len(account.documents.get(digest, b"")),
                "url": _url("documents", digest, account.documents),
            }
            for name, digest in batch.documents
        ],
        "actions": _actions(batch, status, {one for _, one in history}),
    }


def _history(account: Account, batch: Batch, phone: str) -> list[tuple[datetime, int]]:
    """What a text has been through so far, being scheduled and cancelled too."""
    history = []
    if batch.scheduled_at is not None and batch.scheduled_at > batch.accepted_at:
        history.append((batch.accepted_at, statuses.SCHEDULED))
    if batch.cancelled_at is not None:
        return [*history, (batch.cancelled_at, statuses.CANCELLED)]
    return history + account.delivery.history(batch, phone, account.clock.now)


def _piece_form(account: Account, batch: Batch, piece: str | tuple[str, str, str]) -> dict[str, Any]:
    if isinstance(piece, str):
        return {"text": piece}
    link, kind, content = piece
    named = dict(batch.documents) if kind == "FILE" else {}
    url = _url("documents", content if kind == "BASE64" else named.get(content, ""), account.documents)
    if not url and kind in ("FILE", "IMG"):
        url = _url("files", content, account.files)
    return {"link": link, "type": kind, "content": content, "url": url}


def _url(kind: str, name: str, held: Container[str]) -> str | None:
    return f"/_sandbox/{kind}/{name}" if name in held else None


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
        actions += ["accept", "reject", "expire"] if plain else ["accept", "sign", "reject", "expire"]
    return actions
