"""Putting an item: checked like a send, then one INSERT, ours or of the user's own transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from secrets import token_hex
from typing import Any, Literal

from attrs import field, frozen

from .._core.context import Context
from .._core.messages.options import wire_date
from .._wire.names import REQUEST
from ..durable.content import SendOptions, compose_message
from ..errors import InvalidDate, InvalidRequest, OutboxConflict
from ..models.recipient import Recipient
from ..store.database import Database
from ..store.transaction import Tx
from ..text.template import Template
from .rows import ItemRow, by_key
from .schema import CHANNEL

ParamStyle = Literal["pyformat", "qmark", "named", "numeric"]
_LONGEST_KEY = 200
# A moment at the end of time could be written down, but not be read again in every time zone.
_EARLIEST, _LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (2, 9999))
_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(SendOptions.__optional_keys__),
    "product": "sms",
    "not_after": None,
    "repeat_unknown": False,
    "encoding": "auto",
    "fix_utf8": False,
}


@frozen(kw_only=True)
class Entry:
    """What is written down of a new item; `not_after` is seconds since 1970, or from now on where it is relative."""

    values: Mapping[str, Any] = field(repr=False)
    not_after: float | None
    relative: bool
    scheduled_at: datetime | None

    def insert(self, db: Database, place: Callable[[str], str]) -> tuple[str, dict[str, Any]]:
        """Return the INSERT and its values, in the order of their places, which `place` gives by their names."""
        values = dict(self.values)
        columns = {name: place(name) for name in values}
        columns["created"] = db.clock
        if self.not_after is not None:
            values["not_after"] = self.not_after
            columns["not_after"] = (
                f"{db.clock} + {place('not_after')}" if self.relative else place("not_after")
            )
        names, places = ", ".join(columns), ", ".join(columns.values())
        sql = f"INSERT INTO mensatek_outbox ({names}) VALUES ({places}) ON CONFLICT DO NOTHING"
        return sql + db.waking(CHANNEL), values


def make_entry(
    context: Context,
    account: str,
    key: str,
    to: str | Recipient,
    text: str | Template,
    options: Mapping[str, Any],
) -> Entry:
    """Check a new item, before anything is written down."""
    if not isinstance(key, str) or not key.strip() or not key.isprintable() or len(key) > _LONGEST_KEY:
        raise InvalidRequest(f"A key is a text of one line, of up to {_LONGEST_KEY} characters.")
    given = {**_DEFAULTS, **options}
    if unknown := given.keys() - _DEFAULTS.keys():
        raise TypeError(f"An item has no option {min(unknown)!r}.")
    product, repeat_unknown = given.pop("product"), given.pop("repeat_unknown")
    if not isinstance(repeat_unknown, bool):
        raise InvalidRequest(f"repeat_unknown is True or False, not {type(repeat_unknown).__name__}.")
    seconds, relative = _moment(given.pop("not_after"))
    message = compose_message(context, text, product, given)
    if message.braces:
        message.refuse_braces([to])
    addressed = message.address(to)
    params = message.request([addressed.wire], addressed.unicode)
    body = json.dumps(params, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    values = {
        "account": account,
        "item_key": key,
        "digest": blake2b(f"{product}:{int(repeat_unknown)}:{body}".encode(), digest_size=16).hexdigest(),
        "product": product,
        "phone": addressed.phone,
        "reference": str(params.get(REQUEST["reference"], "")),
        "body": body,
        "mark": token_hex(4),
        "repeat_unknown": int(repeat_unknown),
    }
    notifier = context.caller.notifier
    if notifier is not None and (trace := notifier.traceparent()):
        values["traceparent"] = trace
    return Entry(values=values, not_after=seconds, relative=relative, scheduled_at=given["scheduled_at"])


def _moment(not_after: datetime | timedelta | None) -> tuple[float | None, bool]:
    if not_after is None:
        return None, False
    if isinstance(not_after, timedelta):
        seconds, relative, now = not_after.total_seconds(), True, time.time()
    elif isinstance(not_after, datetime) and not_after.utcoffset() is not None:
        seconds, relative, now = not_after.timestamp(), False, 0.0
    else:
        raise InvalidDate("not_after is a timedelta, or a datetime with a time zone.")
    if not _EARLIEST < now + seconds < _LATEST:
        raise InvalidDate("not_after is out of range.", advice="Give none for an item that never expires.")
    return seconds, relative


def put(tx: Tx, db: Database, entry: Entry) -> ItemRow:
    """Add an item, or find the one of its key; one that is new has a date to come, if any."""
    account, key = entry.values["account"], entry.values["item_key"]
    row = by_key(tx, account, key) if entry.scheduled_at is not None else None
    if row is None:
        if entry.scheduled_at is not None:
            wire_date(entry.scheduled_at)
        sql, values = entry.insert(db, lambda name: "?")
        tx.run(sql, *values.values())
        row = by_key(tx, account, key)
    assert row is not None
    if row.digest and row.digest != entry.values["digest"]:  # one that was purged has none
        raise OutboxConflict(
            f"The outbox has an item {key!r} with another recipient, text or options.",
            advice="Give this one another key. The other one is as it was.",
        )
    return row


def statement(db: Database, entry: Entry, style: str) -> tuple[str, Any]:
    """Return the INSERT of an item for somebody else's connection, with values in one of the styles of PEP 249."""
    if entry.scheduled_at is not None:
        wire_date(entry.scheduled_at)
    places: list[str] = []

    def numbered(name: str) -> str:
        places.append(name)
        return f":{len(places)}"

    styles: dict[str, Callable[[str], str]] = {
        "pyformat": lambda name: f"%({name})s",
        "qmark": lambda name: "?",
        "named": lambda name: f":{name}",
        "numeric": numbered,
    }
    if style not in styles:
        raise InvalidRequest(f"paramstyle is one of {', '.join(styles)}, not {style!r}.")
    sql, values = entry.insert(db, styles[style])
    return sql, values if style in ("pyformat", "named") else tuple(values.values())
