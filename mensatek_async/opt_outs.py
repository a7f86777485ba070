"""`OptOuts`: who must not be texted for advertising, in a store that campaigns and processes share."""

from __future__ import annotations

import builtins
import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from ._core.private_file import private_file
from .errors import InvalidPhone, InvalidRequest
from .models.bulk import RowProblem
from .models.events import Event, IncomingMessage
from .phones import check_region, normalise, normalise_all
from .sources.files import AnyFileSource
from .sources.rows import BrokenRow
from .sources.values import spreadsheet_cell
from .store.opening import open_database
from .store.schema import Schema
from .store.threads import in_thread
from .store.transaction import Tx
from .text.opt_out import KEYWORDS, opt_out_rule
from .tracebacks import private

_MANY = 5000  # phones in a transaction
_AT_ONCE = 500  # phones in a statement
_LONGEST = 200  # characters of a reason

OPT_OUTS = Schema(
    ":opt_outs",
    (
        (
            """CREATE TABLE IF NOT EXISTS mensatek_opt_out (phone TEXT PRIMARY KEY,
                added_at {real} NOT NULL, reason TEXT NOT NULL, source TEXT NOT NULL){rowless}""",
        ),
    ),
)


@frozen
class OptOut:
    """Somebody who must not be texted.

    Attributes:
        phone: international digits.
        added_at: when they opted out, aware, UTC.
        reason: why, as it was given.
        source: where it came from, such as a file's name or "reply".
    """

    phone: str
    added_at: datetime
    reason: str
    source: str


@frozen
class LoadedOptOuts:
    """What became of a file's rows.

    Attributes:
        added: how many phones are new.
        known: how many had opted out before, or stand in the file twice.
        invalid: the rows that hold no phone, by number, and why.
    """

    added: int
    known: int
    invalid: Sequence[RowProblem]


@private
class OptOuts:
    """Who must not be texted for advertising: people who answered BAJA, and lists of your own.

    It is opened at the first use. A campaign respects the opt-outs of its own store when each chunk is sent;
    `send_bulk` those it is given. Phones are normalised as in a send.

    Args:
        store: the path of a SQLite file, made when it is not there; or "postgresql://..." (extra `postgres`).
        keywords: the words that opt out when a reply is nothing else; case, accents, punctuation, greetings and thanks
            do not matter. Sentences such as "no me envien mas mensajes" count as well.
        rule: says whether a reply's text opts its sender out, in place of the keywords.
        region: the two-letter country of phones written without a prefix.

    Raises:
        InvalidRequest: the store's name or the region cannot be.
        ConfigurationError: PostgreSQL was asked for and psycopg is not installed.
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        *,
        keywords: Iterable[str] = KEYWORDS,
        rule: Callable[[str], bool] | None = None,
        region: str = "ES",
    ) -> None:
        self._db = open_database(store, OPT_OUTS)
        self._asks = rule or opt_out_rule(keywords)
        self._region = check_region(region)

    async def add(self, phone: str, reason: str = "", source: str = "") -> bool:
        """Opt somebody out.

        Args:
            phone: in any usual writing.
            reason: why, in a few words; up to 200 characters are kept.
            source: where it came from, such as a form's name.

        Returns:
            Whether they had not opted out before; the first reason and time are kept.

        Raises:
            InvalidPhone: it is no phone.
            StoreError: the store cannot be written.
        """
        digits = normalise(phone, self._region)
        added: int = await in_thread(self._db.write, lambda tx: _insert(tx, [digits], reason, source))
        return added == 1

    async def remove(self, phone: str) -> bool:
        """Let somebody be texted again, such as after they asked for it.

        Args:
            phone: in any usual writing.

        Returns:
            Whether they had opted out.

        Raises:
            InvalidPhone: it is no phone.
            StoreError: the store cannot be written.
        """
        digits = normalise(phone, self._region)
        if not await in_thread(self._db.exists):
            return False
        sql = "DELETE FROM mensatek_opt_out WHERE phone = ?"
        removed: int = await in_thread(self._db.write, lambda tx: tx.run(sql, digits))
        return removed == 1

    async def contains(self, phone: str) -> bool:
        """Return whether somebody has opted out.

        Args:
            phone: in any usual writing.

        Raises:
            InvalidPhone: it is no phone.
            StoreError: the store cannot be read.
        """
        return bool(await self.among([normalise(phone, self._region)]))

    async def among(self, phones: Sequence[str]) -> set[str]:
        """Return those of many phones that have opted out.

        Args:
            phones: international digits, as in `Recipient.phone` after a send has normalised them.

        Raises:
            StoreError: the store cannot be read.
        """
        if not await in_thread(self._db.exists):
            return set()
        return await in_thread(self._db.read, lambda tx: opted_out(tx, phones))

    async def load(self, path: str | os.PathLike[str], *, reason: str = "") -> LoadedOptOuts:
        """Opt out everybody in a file: CSV, Excel or JSON Lines, read like recipients; one phone a line will do.

        Args:
            path: the file.
            reason: why, for all of them.

        Returns:
            How many were added, and which rows hold no phone.

        Raises:
            InvalidFile: the file cannot be read, or no column holds phones.
            StoreError: the store cannot be written.
        """
        source = AnyFileSource(path)
        return await in_thread(self._load, source, reason, Path(path).name)

    async def export(self, path: str | os.PathLike[str], *, force: bool = False) -> int:
        """Write all of them as CSV, which `load` reads; whole or not at all.

        Args:
            path: the file.
            force: whether a file that is there may be overwritten.

        Returns:
            How many there are.

        Raises:
            InvalidRequest: the file cannot be written, or may not be.
            StoreError: the store cannot be read.
        """
        return await in_thread(self._export, Path(path), force)

    async def list(self, limit: int = 1000) -> builtins.list[OptOut]:
        """Return the newest of them.

        Args:
            limit: how many at most.

        Raises:
            StoreError: the store cannot be read.
        """
        if not await in_thread(self._db.exists):
            return []
        sql = "SELECT phone, added_at, reason, source FROM mensatek_opt_out ORDER BY added_at DESC, phone LIMIT ?"
        return [_of_row(row) for row in await in_thread(self._db.read, lambda tx: tx.all(sql, limit))]

    async def count(self) -> int:
        """Return how many have opted out.

        Raises:
            StoreError: the store cannot be read.
        """
        if not await in_thread(self._db.exists):
            return 0
        sql = "SELECT count(*) FROM mensatek_opt_out"
        return int((await in_thread(self._db.read, lambda tx: tx.one(sql)))[0])

    async def record(self, event: Event) -> bool:
        """Opt out the sender of a reply that asks for it.

        Args:
            event: what `mensatek_async.webhooks` gave; anything but an `IncomingMessage` is passed over. The same
                one twice does no harm.

        Returns:
            Whether it asks for no more texts.

        Raises:
            StoreError: the store cannot be written: let the webhook fail, so that the provider may try again.
        """
        if not isinstance(event, IncomingMessage) or not self._asks(event.text):
            return False
        try:
            await self.add(event.sender, reason="reply", source=event.number)
        except InvalidPhone:  # a short number or a name, which nobody texts
            return False
        return True

    async def aclose(self) -> None:
        """Close the store. A second time does nothing; the next use opens it again."""
        await in_thread(self._db.close)

    def __repr__(self) -> str:
        return f"<OptOuts store={self._db.shown}>"

    # --- files ----------------------------------------------------------------------------------------------

    def _load(self, source: AnyFileSource, reason: str, name: str) -> LoadedOptOuts:
        problems: builtins.list[RowProblem] = []
        added = rows = 0
        for phones in _batches(self._phones_of(source, problems)):
            added += self._db.write(partial(_insert, phones=phones, reason=reason, source=name))
            rows += len(phones)
        return LoadedOptOuts(added, rows - added, problems)

    def _phones_of(self, source: AnyFileSource, problems: builtins.list[RowProblem]) -> Iterator[str]:
        for at, row in enumerate(source.rows(()), 1):
            if isinstance(row, BrokenRow):
                problems.append(RowProblem(row.row, row.reason))
                continue
            (phone,) = normalise_all([row.phone], self._region)
            if isinstance(phone, InvalidPhone):
                problems.append(RowProblem(row.row or at, str(phone.args[0])))
            else:
                yield phone

    def _export(self, path: Path, force: bool) -> int:
        if self._db.owns(path):
            raise InvalidRequest(f"{str(path)!r} is a database, not a place for an export.")
        if path.is_file() and not force:
            raise InvalidRequest(
                f"{str(path)!r} is there.", advice="Give another name, or force=True to overwrite it."
            )
        written = 0
        try:
            with private_file(path) as file:
                out = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
                lines = csv.writer(out)
                lines.writerow(("phone", "added_at", "reason", "source"))
                for row in self._all():
                    cells = row.phone, row.added_at.isoformat(), row.reason, row.source
                    lines.writerow(map(spreadsheet_cell, cells))
                    written += 1
                out.detach()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise InvalidRequest(f"{str(path)!r} cannot be written: {why}.") from error
        return written

    def _all(self) -> Iterator[OptOut]:
        last = ""
        while self._db.exists():
            page = self._db.read(partial(_page, after=last))
            yield from map(_of_row, page)
            if len(page) < _MANY:
                return
            last = page[-1][0]


def opted_out(tx: Tx, phones: Sequence[str]) -> set[str]:
    """Return those of many phones that have opted out."""
    found: set[str] = set()
    for start in range(0, len(phones), _AT_ONCE):
        some = phones[start : start + _AT_ONCE]
        sql = f"SELECT phone FROM mensatek_opt_out WHERE phone IN ({', '.join('?' * len(some))})"
        found.update(row[0] for row in tx.all(sql, *some))
    return found


def _page(tx: Tx, after: str) -> list[Any]:
    sql = (
        "SELECT phone, added_at, reason, source FROM mensatek_opt_out WHERE phone > ? ORDER BY phone LIMIT ?"
    )
    return tx.all(sql, after, _MANY)


def _insert(tx: Tx, phones: Sequence[str], reason: str, source: str) -> int:
    given = tx.wall, reason[:_LONGEST], source[:_LONGEST]
    sql = "INSERT INTO mensatek_opt_out VALUES (?, ?, ?, ?) ON CONFLICT (phone) DO NOTHING"
    if len(phones) == 1:
        return tx.run(sql, phones[0], *given)
    known = opted_out(tx, phones)
    new = [phone for phone in dict.fromkeys(phones) if phone not in known]
    tx.many(sql, [(phone, *given) for phone in new])
    return len(new)


def _of_row(row: tuple[str, float, str, str]) -> OptOut:
    phone, added_at, reason, source = row
    return OptOut(phone, datetime.fromtimestamp(added_at, UTC), reason, source)


def _batches(phones: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for phone in phones:
        batch.append(phone)
        if len(batch) == _MANY:
            yield batch
            batch = []
    if batch:
        yield batch
