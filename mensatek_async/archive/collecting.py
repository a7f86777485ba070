"""Fetching what an archive waits for: one certificate after the other, each by one process, and once."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TypeVar

import anyio

from .._core import download, exchange
from .._core.context import Context
from .._wire.encode import to_wire
from .._wire.scalars import madrid
from ..codes import DeliveryStatus
from ..errors import APIError, AuthenticationError, NotYours, TooManyRequests, UnexpectedReply
from ..models.archive import ArchiveSummary, CertificateStatus
from ..models.results import RecipientReport
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from .tree import Held, Seen, Tree, find, make_folder, name_of, note_refusal, reference_of, refused_at

T = TypeVar("T")

_PATIENCE = 120.0  # seconds that another process may take over one certificate
_PAUSE = 0.05
_log = logging.getLogger("mensatek_async.archive")


class Collector:
    """Fills the folder of an archive.

    Args:
        context: of the client whose account it is.
        folder: the archive's.
    """

    def __init__(self, context: Context, folder: str | os.PathLike[str]) -> None:
        self.tree = Tree(Path(os.path.expanduser(folder)))
        self._context = context

    async def record(self, seen: Seen) -> None:
        """Write down what a report told of a recipient, then fetch the certificate if it is ready.

        Of a `TimeoutError`, where another process has had the recipient for long, nothing was written down.
        """
        if await in_thread(self._has, seen):
            return
        path = self.tree.pending(name_of(seen.message_id, seen.phone))
        async with self._holding(path, new=True) as held:
            if held is None:
                raise TimeoutError("Another process has had this recipient's certificate for too long.")
            await in_thread(held.add, seen)
            failpoint("archive.recorded")
            await self._settle(held)

    async def collect(self, messages: Sequence[int], reference: str) -> ArchiveSummary:
        """Fetch every certificate of some messages that is ready, and note that the others are awaited."""
        new = {one for one in messages if await in_thread(self.tree.mark, one, reference)}
        failpoint("archive.marked")
        tally = Counter[str]()
        for message_id in messages:
            try:
                await self._collect(message_id, reference, tally, refused_too=True)
            except NotYours:
                if message_id in new:
                    await in_thread(self.tree.marker(message_id).unlink, True)
                raise
        return ArchiveSummary(**tally)

    async def _collect(
        self,
        message_id: int,
        reference: str,
        tally: Counter[str],
        only: set[str] | None = None,
        refused_too: bool = False,
    ) -> None:
        """Fetch what is ready of a message, or of some phones of it; its marker goes when nothing more is awaited."""
        report = await exchange.report_anew(self._context, "GetReportSMSCERTIFICADO", message_id)
        rows = [row for row in report.recipients if only is None or row.phone in only]
        paths = {row.phone: self.tree.pending(name_of(message_id, row.phone)) for row in rows}
        since = await in_thread(lambda: {phone: refused_at(path) for phone, path in paths.items()})
        rows.sort(key=lambda row: since[row.phone])
        own, busy = Counter[str](), list[RecipientReport]()

        async def take(row: RecipientReport) -> None:
            outcome = await self._take(message_id, row, reference, patience=0.0)
            busy.append(row) if outcome is None else own.update([outcome])

        await self._each([row for row in rows if refused_too or not since[row.phone]], take)
        for row in busy:  # another process had them
            own[await self._take(message_id, row, reference, patience=_PATIENCE) or "pending"] += 1
        awaited = (report.stated_recipients or 0) if only is None else len(only)
        own["pending"] += max(awaited - len(rows), 0)
        tally.update(own)
        failpoint("archive.collected")
        if only is None and not own["pending"] and (refused_too or not any(since.values())):
            await in_thread(self.tree.marker(message_id).unlink, True)

    async def collect_period(self, start: datetime | None, end: datetime | None) -> ArchiveSummary:
        """Fetch the ZIP of a period, unless it is there and was fetched after the end of it."""
        download.selection(self._context.region, None, None, start, end)
        seen = Seen(start=start, end=end)
        base = self._base(seen)
        async with self._holding(self.tree.pending(base.name), new=True) as held:
            if held is None:
                return ArchiveSummary(pending=1)
            if await in_thread(lambda: self.tree.record_of(base) and self.tree.is_complete(base, end)):
                held.seen.clear()
                return ArchiveSummary(known=1)
            await in_thread(held.add, seen)
            failpoint("archive.recorded")
            try:
                return ArchiveSummary(**{await self._fetch(held): 1})
            except NotYours:
                held.seen.clear()
                raise

    async def catch_up(self) -> ArchiveSummary:
        """Fetch what is pending and ready by now; then ask for the reports of messages where nobody knows that.

        Certificates that were refused before come last: the guard stops wrong calls, and they would hold up the others.
        """
        tally = Counter[str]()
        waiting = await in_thread(lambda: sorted((refused_at(path), path) for path in self.tree.waiting()))
        asked: dict[int, set[str]] = {}

        async def try_again(path: Path) -> None:
            async with self._holding(path, new=False) as held:
                outcome = "pending" if held is None or not held.seen else await self._settle(held)
                if held is None or outcome != "pending" or _is_ready(held.seen):
                    tally[outcome] += 1
                elif held.seen:
                    asked.setdefault(held.seen[0].message_id, set()).add(held.seen[0].phone)

        recipients = [one for one in waiting if one[1].suffix == ".jsonl"]
        await self._each([path for since, path in recipients if not since], try_again)
        marked = {int(path.stem): path for _, path in waiting if path.suffix == ".json"}
        for message_id in sorted({*marked, *asked}):
            marker, only = marked.get(message_id), asked.get(message_id, set())
            try:
                if await in_thread(self.tree.was_refused, message_id):
                    tally["pending"] += max(len(only), 1)
                elif marker is not None:
                    await self._collect(message_id, await in_thread(reference_of, marker), tally)
                else:
                    await self._collect(message_id, "", tally, only)
            except AuthenticationError:
                raise
            except (APIError, UnexpectedReply) as error:
                _log.warning("The report of message %d was refused: %s", message_id, error)
                if isinstance(error, NotYours):  # asked for again in days
                    await in_thread(note_refusal, self.tree.marker(message_id))
                tally["pending"] += max(len(only), 1)
        await self._each([path for since, path in recipients if since], try_again)
        return ArchiveSummary(**tally)

    async def _each(self, items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Do something with each item, several at once; the first error ends it, once what has begun is done."""
        left, errors = iter(items), list[Exception]()

        async def worker() -> None:
            for item in left:
                if errors:
                    return
                try:
                    await work(item)
                except Exception as error:
                    errors.append(error)

        async with anyio.create_task_group() as group:
            for _ in range(self._context.limits.concurrency):
                group.start_soon(worker)
        if errors:
            raise errors[0]

    async def _take(
        self, message_id: int, row: RecipientReport, reference: str, patience: float
    ) -> str | None:
        """Fetch one recipient's certificate if it is ready; None when another process has it."""
        status = row.status
        seen = Seen(message_id, row.phone, status_of(status, row.reported_at), reference)
        if await in_thread(self._has, seen, True):
            return "known"
        path = self.tree.pending(name_of(message_id, row.phone))
        async with self._holding(path, new=status.is_certified, patience=patience) as held:
            if held is not None:
                await in_thread(held.add, seen)
                failpoint("archive.recorded")
                return await self._settle(held)
        if status.is_certified:
            return None
        return "without" if status.is_final else "pending"

    async def _settle(self, held: Held) -> str:
        """Fetch what waits if it is ready; what the provider refuses stays pending."""
        first = held.seen[0]
        if not _is_ready(held.seen) and await in_thread(find, self._base(first)) is None:
            if not any(one.status.status.is_final for one in held.seen if one.status):
                return "pending"
            held.seen.clear()
            return "without"
        try:
            return await self._fetch(held)
        except AuthenticationError:
            raise
        except (APIError, UnexpectedReply) as error:
            if first.end is None:
                _log.warning("A certificate of message %d was not fetched: %s", first.message_id, error)
            else:
                _log.warning("The certificates of a period were not fetched: %s", error)
            if first.end is not None and isinstance(error, NotYours):  # nothing was certified in the period
                held.seen.clear()
                return "without"
            await in_thread(note_refusal, held.path)
        except TooManyRequests:
            if first.end is None and not await in_thread(refused_at, held.path):
                raise
        return "pending"  # what was never asked for is fetched all the same

    async def _fetch(self, held: Held) -> str:
        """Fetch what waits, unless it is there, and write its record."""
        first = held.seen[0]
        base = self._base(first)
        anew = not await in_thread(self.tree.is_complete, base, first.end)
        if anew:
            await in_thread(make_folder, base.parent)
            failpoint("archive.fetching")
            one = {"message_id": first.message_id, "phone": first.phone}
            params = to_wire(**one) if first.end is None else to_wire(start=first.start, end=first.end)
            file = base.with_name(f"{base.name}.{'pdf' if first.end is None else 'zip'}")
            await download.fetch(self._context, file, params)
            failpoint("archive.fetched")
        await in_thread(lambda: self.tree.write_record(base, held.seen, anew=anew))
        failpoint("archive.written")
        held.seen.clear()
        return "fetched" if anew else "known"

    def _base(self, seen: Seen) -> Path:
        if seen.start is None or seen.end is None:
            return self.tree.base(seen.message_id, seen.phone)
        return self.tree.base_of_period(seen.start.astimezone(madrid()), seen.end.astimezone(madrid()))

    @asynccontextmanager
    async def _holding(
        self, path: Path, *, new: bool, patience: float = _PATIENCE
    ) -> AsyncIterator[Held | None]:
        """Hold what waits for a recipient; None when another has it for longer than `patience`, or nothing waits."""
        until = monotonic() + patience
        while (held := await in_thread(lambda: Held.take(path, new=new))) is None:
            if monotonic() >= until or not (new or await in_thread(path.exists)):
                yield None
                return
            await anyio.sleep(_PAUSE)
        try:
            yield held
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(held.close)

    def _has(self, seen: Seen, at_any_time: bool = False) -> bool:
        """Return whether a certificate is there, and this status in its record."""
        record = self.tree.record_of(self.tree.base(seen.message_id, seen.phone))
        if record is None or seen.status is None:
            return False
        return any(
            one == seen.status or (at_any_time and one.code == seen.status.code) for one in record.statuses
        )


def status_of(status: DeliveryStatus, reported_at: datetime | None) -> CertificateStatus:
    """Return a status as a record keeps it."""
    return CertificateStatus(status.code, reported_at, status.label_en)


def _is_ready(seen: Iterable[Seen]) -> bool:
    return any(one.end or (one.status and one.status.status.is_certified) for one in seen)
