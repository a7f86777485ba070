"""Ingest: rows into the journal, in batches of its own transactions (transition 0); one reader at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio
from attrs import define, evolve, field

from .._core.messages.message import Message
from ..bulk.chunks import Chunk, Chunker
from ..bulk.seen import SeenPhones
from ..errors import CampaignConflict, SourceChanged, StoreError
from ..models.bulk import RowProblem
from ..store.database import Database
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from ..store.transaction import Tx
from .feed import Feed
from .journal import chunks
from .journal.hours import country_of
from .journal.recipients import ChunkRecipients, phones_in
from .journal.records import CampaignRow, by_id, set_campaign
from .journal.states import CANCELLED
from .options import Content

_BATCH = 20  # chunks in a transaction
_LOOK = 0.5  # seconds between two looks at whether another reader is alive


@define(eq=False, kw_only=True)
class Ingest:
    """Reads one campaign's recipients into the journal, or stands by while somebody else does."""

    db: Database
    campaign: int
    content: Content
    message: Message
    feed: Feed
    owner: str
    lease: float  # seconds after which a reader that shows no life is taken for dead
    local: bool  # whether chunks are kept to one time zone each
    on_rows: Callable[[], None]  # called when there is something new to send, and at the end
    error: Exception | None = field(default=None, init=False)  # one of those that `Campaigns.start` raises
    ended: anyio.Event = field(factory=anyio.Event, init=False)
    _seen: SeenPhones = field(factory=SeenPhones, init=False)

    async def run(self) -> None:
        """Read until the end, or until somebody else has; what goes wrong is kept."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._beat)
                try:
                    await group.start(self.feed.pump)
                    await self._to_the_end()
                except Exception as error:
                    self.error = error
                group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._let_go()
            self.ended.set()
            self.on_rows()

    async def _to_the_end(self) -> None:
        """Read these rows into the journal, or compare them with what is there."""
        row = await self._row()
        while not row.ingest_done and row.state != CANCELLED:
            if row.ingest_owner != self.owner and await self._is_read(row):
                row = await self._stand_by(row)
                continue
            await self._catch_up(row)
            if await self._read_on():
                return
            row = await self._row()
        await self._compare(row)

    async def _beat(self) -> None:
        """Show that this reader is alive, also while its rows are slow to come."""
        while True:
            await anyio.sleep(self.lease / 3)
            with suppress(StoreError):  # what is read next says so
                await in_thread(self.db.write, lambda tx: self._hold_until(tx, tx.now + self.lease))

    async def _let_go(self) -> None:
        """Close what is read from, and let others know at once that nobody reads any more."""
        try:
            await self.feed.aclose()
        except Exception as error:
            self.error = self.error or error
        with suppress(StoreError):
            await in_thread(self.db.write, lambda tx: self._hold_until(tx, 0.0))

    def _hold_until(self, tx: Tx, moment: float) -> None:
        tx.run(
            "UPDATE mensatek_campaign SET ingest_until = ? WHERE id = ? AND ingest_owner = ? AND ingest_done = 0",
            *(moment, self.campaign, self.owner),
        )

    # --- reading --------------------------------------------------------------------------------------------

    async def _read_on(self) -> bool:
        """Read to the end; False when somebody else has read on meanwhile, so that what is known here is old."""
        chunker = Chunker(self.message, self._seen)
        chunker.rows = self.feed.position
        file = await self._fingerprint()
        while True:
            before = self.feed.position
            rows = await self.feed.take(_BATCH * self.content.size)
            if not await in_thread(self._store, chunker, before, rows, "" if rows else file):
                self.feed.undo(rows)
                return False
            self.on_rows()
            if not rows:
                return True

    def _store(self, chunker: Chunker, before: int, rows: Sequence[Any], file: str) -> bool:
        full, problems = _chunks_of(chunker, rows, self.content.size)
        parts = [part for chunk in full for part in _by_zone(chunk, self.local)]
        written = self.db.write(lambda tx: self._write(tx, before, file, parts, problems))
        if written:
            failpoint("ingest.committed")
        return written

    def _write(
        self, tx: Tx, before: int, file: str, parts: Sequence[ChunkRecipients], problems: Sequence[RowProblem]
    ) -> bool:
        row = by_id(tx, self.campaign, lock=True)
        last = self.feed.position == before
        now = self.feed.position, self.feed.digest, int(last)
        if tx.repeated and (*now, self.owner) == (
            *(row.ingested, row.source_fingerprint, row.ingest_done),
            row.ingest_owner,
        ):
            return True  # committed before, and the answer got lost
        changed = tx.run(
            "UPDATE mensatek_campaign SET ingested = ?, source_fingerprint = ?, ingest_done = ?, source_file = ?, "
            "ingest_owner = ?, ingest_until = ?, invalid = invalid + ? "
            "WHERE id = ? AND ingested = ? AND ingest_done = 0 AND state <> ?",
            *(*now, file, self.owner, tx.now + self.lease, len(problems), row.id, before, CANCELLED),
        )
        if not changed:
            return False
        self._write_chunks(tx, row, parts)
        tx.many(
            "INSERT INTO mensatek_invalid VALUES (?, ?, ?)",
            [(row.id, one.row, one.reason) for one in problems],
        )
        failpoint("ingest.batch")
        return True

    def _write_chunks(self, tx: Tx, row: CampaignRow, parts: Sequence[ChunkRecipients]) -> None:
        if not parts:
            return
        anchor = self.content.anchor
        if row.next_seq == 1 and anchor is not None:
            opener = ChunkRecipients.of([0], [anchor], self.content.anchor_unicode, segments=1)
            chunks.add(tx, row.id, 0, opener, n=0)
        elif row.next_seq == 1:  # the very first recipient alone
            opener, rest = parts[0].split(1)
            chunks.add(tx, row.id, 0, opener)
            parts = [*([rest] if len(rest) else []), *parts[1:]]
        chunks.add(tx, row.id, row.next_seq, *parts)
        set_campaign(tx, row.id, next_seq=max(row.next_seq + len(parts), 2))

    # --- what was read before -------------------------------------------------------------------------------

    async def _catch_up(self, row: CampaignRow) -> None:
        """Pass over the rows in the journal, and learn whose phones they hold."""
        self._seen = SeenPhones()
        if not row.ingested:
            return
        if not await self._is_in_step(row):
            raise SourceChanged(
                f"The recipients of the campaign {row.name!r} have changed: the first {row.ingested} are no longer "
                "those that it has read.",
                advice="Give it the recipients as they were; what was read before goes on with get().",
            )
        await in_thread(self._remember, row)

    def _remember(self, row: CampaignRow) -> None:
        for page in self.db.pages(
            "SELECT seq, body FROM mensatek_payload WHERE campaign_id = ? AND seq > ? ORDER BY seq LIMIT 200",
            row.id,
        ):
            for _, body in page:
                self._seen.repeats([phone for phone in phones_in(body) if phone])

    async def _compare(self, row: CampaignRow) -> None:
        """Refuse other recipients than those that were read, of a cancelled campaign in part perhaps."""
        file = await self._fingerprint()
        if row.ingest_done and file and row.source_file:
            same = file == row.source_file
        else:
            same = await self._is_in_step(row) and not (row.ingest_done and await self.feed.take(1))
        if not same:
            raise _conflict(row)

    async def _is_in_step(self, row: CampaignRow) -> bool:
        """Return whether these recipients begin as those in the journal."""
        if not row.ingested:
            return True
        return await self.feed.skip_to(row.ingested) and self.feed.digest == row.source_fingerprint

    async def _fingerprint(self) -> str:
        source = self.feed.source
        return "" if source is None else await in_thread(lambda: source.fingerprint() or "")

    # --- somebody else --------------------------------------------------------------------------------------

    async def _is_read(self, row: CampaignRow) -> bool:
        return bool(await in_thread(self.db.read, lambda tx: row.is_read_by_somebody(tx.now)))

    async def _stand_by(self, row: CampaignRow) -> CampaignRow:
        """Wait while somebody else reads, and follow them row by row: theirs have to be these."""
        while not row.ingest_done and row.state != CANCELLED and await self._is_read(row):
            if row.ingested > self.feed.position and not await self._is_in_step(row):
                raise _conflict(row)
            await anyio.sleep(_LOOK)
            row = await self._row()
        return row

    async def _row(self) -> CampaignRow:
        return await in_thread(self.db.read, lambda tx: by_id(tx, self.campaign))


def _conflict(row: CampaignRow) -> CampaignConflict:
    return CampaignConflict(
        f"The campaign {row.name!r} exists with other recipients.",
        advice="Give this one another name. To go on with that one, use get().",
    )


def _chunks_of(chunker: Chunker, rows: Sequence[Any], size: int) -> tuple[list[Chunk], list[RowProblem]]:
    """Return rows as full chunks, and the last ones as they are: a transaction leaves nothing half read."""
    chunks: list[Chunk] = []
    at = 0
    while at < len(rows):
        room = chunker.room(size)
        chunker.add(rows[at : at + room], size)
        at += room
        while chunk := chunker.take():
            chunks.append(chunk)
    while chunk := chunker.flush():
        chunks.append(chunk)
    return [chunk for chunk in chunks if chunk.rows], [one for chunk in chunks for one in chunk.invalid]


def _by_zone(chunk: Chunk, local: bool) -> list[ChunkRecipients]:
    """Split a chunk into parts of one time zone each, where the recipient's own time counts."""
    every = ChunkRecipients(chunk.rows, chunk.wire, chunk.unicode, chunk.segments)
    if not local:
        return [every]
    places: dict[str, list[int]] = defaultdict(list)
    for at, phone in enumerate(every.wire.phones):
        places[country_of(phone)].append(at)
    return [evolve(every.at(chosen), zone=zone) for zone, chosen in places.items()]
