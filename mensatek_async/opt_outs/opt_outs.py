"""`OptOuts`: who must not be texted for advertising, in a store that campaigns and processes share."""

from __future__ import annotations

import builtins
import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

import anyio

from .._core.private_file import Kind
from ..errors import InvalidPhone, InvalidRequest
from ..models.bulk import RowProblem
from ..models.events import Event, IncomingMessage
from ..models.opt_outs import LoadedOptOuts, OptOut
from ..models.recipient import Recipient
from ..phones import check_region, normalise, normalise_all
from ..sources.rows import BrokenRow
from ..sources.values import spreadsheet_cell
from ..store.opening import open_database
from ..store.threads import in_thread
from ..text.opt_out import OPT_OUT_KEYWORDS, opt_out_rule
from ..tracebacks import private
from . import tables

_MANY = 5000  # phones in a transaction
_HEADINGS = ("phone", "added_at", "reason", "source")
_EXPORT = Kind(
    "export of opt-outs", lambda start: start.partition(b"\n")[0].strip() == ",".join(_HEADINGS).encode()
)


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
        keywords: Iterable[str] = OPT_OUT_KEYWORDS,
        rule: Callable[[str], bool] | None = None,
        region: str = "ES",
    ) -> None:
        self._db = open_database(store, tables.OPT_OUTS)
        self._db.close_with(self)
        self._made = False
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
        return await in_thread(self._db.write, lambda tx: tables.add(tx, [digits], reason, source)) == 1

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
        return await self._exists() and await in_thread(self._db.write, lambda tx: tables.remove(tx, digits))

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
        if not await self._exists():
            return set()
        return await in_thread(self._db.read, lambda tx: tables.opted_out(tx, phones))

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
        from ..sources.files import AnyFileSource  # only here: clients import this file

        name, rows = Path(path).name, AnyFileSource(path).rows(())
        problems: builtins.list[RowProblem] = []
        added = known = 0
        while (phones := await in_thread(self._read, rows, problems)) is not None:
            new = await in_thread(
                self._db.write, partial(tables.add, phones=phones, reason=reason, source=name)
            )
            added, known = added + new, known + len(phones) - new
        return LoadedOptOuts(added, known, problems)

    async def export(self, path: str | os.PathLike[str], *, force: bool = False) -> int:
        """Write all of them as CSV, which `load` reads; whole or not at all.

        Args:
            path: the file.
            force: whether a file that is there, and no earlier export, may be overwritten.

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
        if not await self._exists():
            return []
        return [_of_row(row) for row in await in_thread(self._db.read, lambda tx: tables.newest(tx, limit))]

    async def count(self) -> int:
        """Return how many have opted out.

        Raises:
            StoreError: the store cannot be read.
        """
        return await in_thread(self._db.read, tables.count) if await self._exists() else 0

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
        with anyio.CancelScope(shield=True):
            await in_thread(self._db.close)

    def __repr__(self) -> str:
        return f"<OptOuts store={self._db.shown}>"

    async def _exists(self) -> bool:
        self._made = self._made or await in_thread(self._db.exists)
        return self._made

    # --- files ----------------------------------------------------------------------------------------------

    def _read(
        self, rows: Iterator[Recipient | BrokenRow], problems: builtins.list[RowProblem]
    ) -> builtins.list[str] | None:
        """Return the phones of the next rows, None after the last; rows without one are added to the problems."""
        batch = builtins.list(islice(rows, _MANY))
        if not batch:
            return None
        found = normalise_all([one.phone for one in batch], self._region)
        phones: builtins.list[str] = []
        for row, phone in zip(batch, found, strict=True):
            if isinstance(row, BrokenRow):
                problems.append(RowProblem(row.row, row.reason))
            elif isinstance(phone, InvalidPhone):
                problems.append(RowProblem(row.row or 0, str(phone.args[0])))
            else:
                phones.append(phone)
        return phones

    def _export(self, path: Path, force: bool) -> int:
        if self._db.owns(path):
            raise InvalidRequest(
                f"{str(path)!r} is the database of the store: the export needs another name."
            )
        written = 0
        with _EXPORT.write(path, force=force) as out:
            lines = csv.writer(out)
            lines.writerow(_HEADINGS)
            for row in self._all():
                cells = row.phone, row.added_at.isoformat(), row.reason, row.source
                lines.writerow(map(spreadsheet_cell, cells))
                written += 1
        return written

    def _all(self) -> Iterator[OptOut]:
        last = ""
        while self._db.exists():
            page = self._db.read(partial(tables.page, after=last, limit=_MANY))
            yield from map(_of_row, page)
            if len(page) < _MANY:
                return
            last = page[-1][0]


def _of_row(row: tuple[str, float, str, str]) -> OptOut:
    phone, added_at, reason, source = row
    return OptOut(phone, datetime.fromtimestamp(added_at, UTC), reason, source)
