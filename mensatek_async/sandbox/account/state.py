"""What a sandbox keeps: nothing beyond its memory, or everything in a file that survives a kill."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..callbacks.poster import Post
from ..carrier.delivery_state import Absence, Choice
from ..carrier.journeys import Journey
from . import events
from .account import Account
from .records import Act, Batch, Call, Incoming, LibraryFile, Message, without_credentials

if TYPE_CHECKING:
    from cattrs import Converter

_T = TypeVar("_T")

KEPT_CALLS = 2_000
KEPT_BODY_BYTES = 256_000
KEPT_POSTS = 2_000
_TIDY_EVERY = 200
_VERSION = 2
_AHEAD = timedelta(seconds=1)
_SCHEMA = """
CREATE TABLE figures (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE batch (number INTEGER PRIMARY KEY, data TEXT NOT NULL, phones TEXT NOT NULL);
CREATE TABLE act (number INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, phone TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE incoming (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE file (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE document (digest TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE call (number INTEGER PRIMARY KEY, data TEXT NOT NULL, body BLOB NOT NULL, answer BLOB NOT NULL);
CREATE TABLE journey (target TEXT, batch INTEGER, data TEXT NOT NULL, PRIMARY KEY (target, batch)) WITHOUT ROWID;
CREATE TABLE post (
    target TEXT, number INTEGER, ended INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (target, number)
) WITHOUT ROWID;
"""
_FILE = (
    "INSERT INTO file (name, data, content) VALUES (?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET data = excluded.data, content = excluded.content"
)
TABLES = ("figures", "batch", "act", "incoming", "file", "document", "call", "journey", "post")
_ELSEWHERE = {Batch: ("phones",), Call: ("body", "answer"), LibraryFile: ("content",)}
"""What stands in columns of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What of an account is no list of things."""

    credits: Decimal
    used: Decimal
    next_message: int
    last_batch: int
    choices: dict[str, list[Choice]]
    absences: dict[str, list[Absence]]
    contracts_by_themselves: bool
    clock: datetime | None


class Store:
    """Keeps everything in an SQLite file; a ValueError says that it is in use, or not a sandbox's."""

    def __init__(self, path: Path, account: Account) -> None:
        self._path = path
        self._account = account
        self._figures = ""
        self._rows: sqlite3.Connection | None = None
        self._is_held = True
        self._has_failed = False
        self._open()

    def hold(self) -> None:
        """Keep the file from now on, until it is released."""
        self._is_held = True
        self._open()

    def release(self) -> None:
        """Write what is left and let the file go; what comes later takes it for a moment."""
        self._is_held = False
        if self._has_failed:
            self._close()
        else:
            self._open()
            self.commit()

    def select(self, statement: str, *values: object) -> Iterator[Any]:
        """Rows of the file."""
        return self._open().execute(statement, values)

    def _open(self) -> sqlite3.Connection:
        if self._rows is not None:
            return self._rows
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        rows = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            _prepare(rows, self._path)
        except BaseException:
            rows.close()
            raise
        self._rows = rows
        return rows

    def keep(self, event: events.Event) -> None:
        """Write what an event says, under the account's lock; it lasts from the next `commit` on."""
        match event:
            case events.Accepted(batch, phones):
                self._put("batch", batch.number, pack(batch), pack(phones))
            case events.Moved(batch):
                self._write("UPDATE batch SET data = ? WHERE number = ?", pack(batch), batch.number)
            case events.Acted(batch, phone, act):
                self._put("act", None, batch.message_id, phone, pack(act))
            case events.Received(incoming):
                self._put("incoming", None, pack(incoming))
            case events.Filed(name, None):
                self._write("DELETE FROM file WHERE name = ?", name)
            case events.Filed(name, LibraryFile() as file):
                self._write(_FILE, name, pack(file), file.content)
            case events.Documented(digest, content):
                self._put("document", digest, content)
            case events.Called(number, call):
                self._put("call", number, pack(call), call.body, call.answer)
                if number % _TIDY_EVERY == 0:
                    self._write("DELETE FROM call WHERE number <= ?", number - KEPT_CALLS)
            case events.Followed(target, batch, None):
                self._write("DELETE FROM journey WHERE target = ? AND batch = ?", target, batch.number)
            case events.Followed(target, batch, progress):
                self._put("journey", target, batch.number, pack(progress))
            case events.Posted(target, post):
                data = pack([post.fields, post.answers, post.repeated])
                self._put("post", target, post.number, post.ended, data)
                if post.number % _TIDY_EVERY == 0:
                    oldest = post.number - KEPT_POSTS
                    self._write("DELETE FROM post WHERE target = ? AND number <= ? AND ended", target, oldest)
            case events.Cleared():
                for table in TABLES:
                    self._write(f"DELETE FROM {table}")  # noqa: S608  our own names
                self._figures = ""

    def commit(self) -> None:
        """Write it to the disk."""
        figures = pack(_figures(self._account))
        if self._figures != figures:
            self._put("figures", 1, figures)
            self._figures = figures
        if self._rows is not None and self._rows.in_transaction:
            self._try("COMMIT")
        if not self._is_held:
            self._close()

    def _close(self) -> None:
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def _put(self, table: str, *row: object) -> None:
        self._write(f"INSERT OR REPLACE INTO {table} VALUES ({','.join('?' * len(row))})", *row)  # noqa: S608

    def _write(self, statement: str, *values: object) -> None:
        if not self._open().in_transaction:
            self._try("BEGIN IMMEDIATE")
        self._try(statement, *values)

    def _try(self, statement: str, *values: object) -> None:
        # What one failed write has lost, later ones would build upon: from then on nothing is answered any more.
        if self._has_failed:
            raise OSError("The sandbox's state could not be written, see its first failure")
        try:
            self._open().execute(statement, values)
        except sqlite3.Error as error:
            self._has_failed = True
            raise OSError(f"The sandbox's state cannot be written: {error}") from None


def _prepare(rows: sqlite3.Connection, path: Path) -> None:
    """Take the file for this sandbox alone, and make its tables when it is new."""
    try:
        # Held until it is released: two sandboxes on one file would not know of each other's texts.
        rows.execute("PRAGMA locking_mode = EXCLUSIVE")
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = FULL")
        rows.execute("BEGIN IMMEDIATE")
        (version,) = rows.execute("PRAGMA user_version").fetchone()
        (tables,) = rows.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            for statement in _SCHEMA.split(";"):
                rows.execute(statement)
            rows.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise ValueError(f"{path} is not the state of a sandbox of this version")
        rows.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ValueError(f"{path} is in use by another sandbox") from None
        raise OSError(f"{path}: {error}") from None
    except sqlite3.DatabaseError:
        raise ValueError(f"{path} is not the state of a sandbox") from None


def _figures(account: Account) -> Figures:
    now = account.clock.now
    is_ahead = account.clock.standing or now - datetime.now(UTC) > _AHEAD
    return Figures(
        credits=account.credits,
        used=account.used,
        next_message=account.next_message,
        last_batch=account.last_batch,
        choices=account.delivery.choices,
        absences=account.delivery.absences,
        contracts_by_themselves=account.delivery.contracts_by_themselves,
        clock=now if is_ahead else None,
    )


@cache
def _converter() -> Converter:
    # Imported at first use: most sandboxes keep nothing.
    from cattrs import Converter
    from cattrs.gen import make_dict_unstructure_fn, override

    converter = Converter()
    for plain in (datetime, Decimal, bytes):  # JSON has forms for the first two, see below
        converter.register_structure_hook(plain, lambda value, _: value)
    for cls, names in _ELSEWHERE.items():
        ways: Any = {name: override(omit=True) for name in names}
        if cls is Call:
            ways["headers"] = override(unstruct_hook=without_credentials)
        converter.register_unstructure_hook(cls, make_dict_unstructure_fn(cls, converter, **ways))
    return converter


def pack(value: Any) -> str:
    """Anything of ours as JSON: moments and decimals have forms of their own, credentials are left out."""
    plain = _converter().unstructure(value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=_packed)


def unpack(text: str, cls: type[_T], **elsewhere: Any) -> _T:
    """What `pack` made of it, with what stands elsewhere."""
    value = json.loads(text, object_hook=_unpacked)
    return _converter().structure({**value, **elsewhere} if elsewhere else value, cls)


def _packed(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    return sorted(value)  # a set


def _unpacked(value: dict[str, Any]) -> Any:
    if value.keys() == {"$moment"}:
        return datetime.fromisoformat(value["$moment"])
    if value.keys() == {"$decimal"}:
        return Decimal(value["$decimal"])
    return value


def load_account(store: Store, account: Account) -> None:
    """Fill an account that is still empty."""
    for (data,) in store.select("SELECT data FROM figures"):
        figures = unpack(data, Figures)
        account.credits, account.used = figures.credits, figures.used
        account.next_message, account.last_batch = figures.next_message, figures.last_batch
        account.delivery.choices.update(figures.choices)
        account.delivery.absences.update(figures.absences)
        account.delivery.contracts_by_themselves = figures.contracts_by_themselves
        if figures.clock is not None:
            account.clock.restore(figures.clock)
    for data, listed in store.select("SELECT data, phones FROM batch ORDER BY number"):
        batch, phones = unpack(data, Batch), unpack(listed, list[str])
        message = account.messages.setdefault(
            batch.message_id,
            Message(message_id=batch.message_id, sender=batch.sender, certified=batch.certified),
        )
        account.restore(message, batch, phones)
    for message_id, phone, data in store.select("SELECT message_id, phone, data FROM act ORDER BY number"):
        account.delivery.note(account.messages[message_id].phones[phone], phone, unpack(data, Act))
    for (data,) in store.select("SELECT data FROM incoming ORDER BY number"):
        account.incoming.append(unpack(data, Incoming))
    for data, content in store.select("SELECT data, content FROM file ORDER BY number"):
        file = unpack(data, LibraryFile, content=content)
        account.files[file.name] = file
    account.documents.update(store.select("SELECT digest, content FROM document"))


def load_calls(store: Store) -> tuple[int, list[Call]]:
    """The calls that are kept, and how many were before them."""
    rows = list(store.select("SELECT number, data, body, answer FROM call ORDER BY number"))
    calls = [unpack(data, Call, body=body, answer=answer) for _, data, body, answer in rows]
    return (rows[0][0] - 1 if rows else 0), calls


def load_journeys(store: Store, target: str, account: Account) -> list[Journey]:
    """The journeys that were not reported to their end."""
    batches = {batch.number: batch for message in account.messages.values() for batch in message.batches}
    journeys = []
    for number, data in store.select(
        "SELECT batch, data FROM journey WHERE target = ? ORDER BY batch", target
    ):
        batch = batches[number]
        known = account.messages[batch.message_id].phones
        phones = batch.phones or [phone for phone, its in known.items() if its is batch]
        announced, step, own = unpack(data, list[Any])
        journeys.append(Journey(batch, phones, step=step, own=own, announced=announced))
    return journeys


def load_posts(store: Store, target: str) -> tuple[int, list[Post]]:
    """The newest callbacks and all that are not over, and how many were before them."""
    newest = "SELECT number, ended, data FROM post WHERE target = ? ORDER BY number DESC LIMIT ?"
    posts: list[Post] = []
    for number, ended, data in store.select(newest, target, KEPT_POSTS):
        fields, answers, repeated = unpack(data, list[Any])
        post = Post(fields=fields, answers=answers, repeated=repeated, ended=bool(ended), number=number)
        posts.insert(0, post)
    return (posts[0].number - 1 if posts else 0), posts
