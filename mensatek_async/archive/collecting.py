"""Fetching what an archive waits for: one certificate after the other, each by one process, and once."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic

import anyio
from attrs import asdict, define

from .._core import download, exchange
from .._core.context import Context
from .._wire.encode import to_wire
from .._wire.scalars import madrid
from ..codes import DeliveryStatus
from ..errors import APIError, AuthenticationError, NotYours, UnexpectedReply
from ..models.archive import ArchiveSummary, CertificateStatus
from ..models.results import RecipientReport
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from .tree import Held, Seen, Tree, find, make_folder, reference_of

_PATIENCE = 120.0  # seconds that another process may take over one certificate
_PAUSE = 0.05
_log = logging.getLogger("mensatek_async")


@define
class Tally:
    """What came of recipients so far."""

    fetched: int = 0
    known: int = 0
    pending: int = 0
    without: int = 0

    def count(self, outcome: str) -> None:
        """Count a recipient."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def summary(self) -> ArchiveSummary:
        """Return the counts."""
        return ArchiveSummary(**asdict(self))

    def add(self, other: Tally) -> None:
        """Count those of another tally too."""
        for name, number in asdict(other).items():
            setattr(self, name, getattr(self, name) + number)


class Collector:
    """Fills the folder of an archive.

    Args:
        context: of the client whose account it is.
        folder: the archive's.
    """

    def __init__(self, context: Context, folder: str | os.PathLike[str]) -> None:
        self.tree = Tree(Path(os.path.expanduser(folder)))
        self._context = context

    async def record(self, seen: Seen) -> str:
        """Write down what a report told of a recipient, then fetch the certificate if it is ready.

        Returns:
            What came of it: "fetched", "known", "pending" or "without".

        Raises:
            TimeoutError: another process has had the recipient for long; nothing was written down.
            OSError: it cannot be written.
            MensatekError: the certificate was not fetched; what was told is kept.
        """
        if await in_thread(self._has, seen):
            return "known"
        async with self._holding(self.tree.pending(seen.message_id, seen.phone), new=True) as held:
            if held is None:
                raise TimeoutError("Another process has had this recipient's certificate for too long.")
            await in_thread(held.add, seen)
            failpoint("archive.recorded")
            return await self._settle(held)

    async def collect(self, messages: Sequence[int], reference: str) -> ArchiveSummary:
        """Fetch every certificate of some messages that is ready, and note that the others are awaited.

        Raises:
            NotYours: there is no such message in this account.
            OSError: something cannot be written.
            MensatekError: nothing more can be fetched now; what was noted is kept.
        """
        new = {one for one in messages if await in_thread(self.tree.mark, one, reference)}
        failpoint("archive.marked")
        tally = Tally()
        for message_id in messages:
            try:
                await self._collect(message_id, reference, tally)
            except NotYours:
                if message_id in new:
                    await in_thread(self.tree.marker(message_id).unlink, True)
                raise
        return tally.summary()

    async def _collect(self, message_id: int, reference: str, tally: Tally) -> None:
        rows = await self._report(message_id)
        own = Tally()
        await self._take_in(message_id, rows, reference, own)
        tally.add(own)
        failpoint("archive.collected")
        if not own.pending:
            await in_thread(self.tree.marker(message_id).unlink, True)

    async def collect_period(self, start: datetime | None, end: datetime | None) -> ArchiveSummary:
        """Fetch the ZIP of a period, unless it is there.

        Raises:
            NotYours: nothing was certified in it.
            OSError: it cannot be written.
            MensatekError: see the family.
        """
        params = download.selection(self._context.region, None, None, start, end)
        assert start is not None
        assert end is not None
        base = self.tree.base_of_period(start.astimezone(madrid()), end.astimezone(madrid()))
        held_by = self.tree.folder / "pending" / "periods" / f"{base.name}.lock"
        async with self._holding(held_by, new=True) as held:
            if held is None or await in_thread(self.tree.record_of, base) is not None:
                return ArchiveSummary(known=1)
            summary = ArchiveSummary(known=1)
            if await in_thread(find, base) is None:
                await in_thread(make_folder, base.parent)
                await download.fetch(self._context, base.with_name(f"{base.name}.zip"), params)
                summary = ArchiveSummary(fetched=1)
            await in_thread(lambda: self.tree.write_record(base, [], start=start, end=end))
            return summary

    async def catch_up(self) -> ArchiveSummary:
        """Fetch what is pending and ready by now.

        Raises:
            OSError: something cannot be written.
            MensatekError: nothing more can be fetched now; the rest stays pending.
        """
        tally = Tally()
        waiting = await in_thread(lambda: sorted(self.tree.waiting()))
        recipients: dict[int, list[Path]] = {}
        for path in waiting:
            message_id = int(path.stem.partition("-")[0])
            recipients.setdefault(message_id, []).extend([path] if "-" in path.stem else [])
        for message_id, paths in recipients.items():
            asked = [one for path in paths for one in await self._try_again(path, tally)]
            try:
                if (marker := self.tree.marker(message_id)) in waiting:
                    await self._collect(message_id, await in_thread(reference_of, marker), tally)
                elif asked:
                    phones = {one.phone for one in asked}
                    rows = [row for row in await self._report(message_id) if row.phone in phones]
                    await self._take_in(message_id, rows, "", tally)
                    tally.pending += len(phones) - len(rows)
            except NotYours as error:
                _log.warning("The certificates of message %d are not ready: %s", message_id, error)
                tally.pending += max(len(asked), 1)
        return tally.summary()

    async def _try_again(self, path: Path, tally: Tally) -> list[Seen]:
        """Settle a recipient who waits; return what is known of them where the provider has to be asked."""
        async with self._holding(path, new=False) as held:
            if held is None or not held.seen:
                return []
            outcome = await self._settle(held)
            if outcome == "pending" and not _is_ready(held.seen):
                return held.seen[-1:]
        tally.count(outcome)
        return []

    async def _report(self, message_id: int) -> Iterable[RecipientReport]:
        return (await exchange.report_anew(self._context, "GetReportSMSCERTIFICADO", message_id)).recipients

    async def _take_in(
        self, message_id: int, rows: Iterable[RecipientReport], reference: str, tally: Tally
    ) -> None:
        """Fetch the certificates of a report's recipients; those that others are at come last."""
        busy = []
        for row in rows:
            outcome = await self._take(message_id, row, reference, patience=0.0)
            if outcome is None:
                busy.append(row)
            else:
                tally.count(outcome)
        for row in busy:
            tally.count(await self._take(message_id, row, reference, patience=_PATIENCE) or "pending")

    async def _take(
        self, message_id: int, row: RecipientReport, reference: str, patience: float
    ) -> str | None:
        """Fetch one recipient's certificate if it is ready; None when another process has it."""
        status = row.status
        seen = Seen(message_id, row.phone, status_of(status, row.reported_at), reference)
        if await in_thread(self._has, seen, True):
            return "known"
        path = self.tree.pending(message_id, row.phone)
        async with self._holding(path, new=status.is_certified, patience=patience) as held:
            if held is not None:
                await in_thread(held.add, seen)
                failpoint("archive.recorded")
                return await self._settle(held)
        if status.is_certified:
            return None
        return "without" if status.is_final else "pending"

    async def _settle(self, held: Held) -> str:
        """Fetch the certificate of a recipient if it is ready, and write its record.

        Raises:
            OSError: it cannot be written.
            MensatekError: nothing more can be fetched now.
        """
        message_id, phone = held.seen[0].message_id, held.seen[0].phone
        base = self.tree.base(message_id, phone)
        outcome = "known"
        if await in_thread(find, base) is None:
            if not _is_ready(held.seen):
                if not any(one.status.status.is_final for one in held.seen if one.status):
                    return "pending"
                await in_thread(held.drop)
                return "without"
            await in_thread(make_folder, base.parent)
            failpoint("archive.fetching")
            params = to_wire(message_id=message_id, phone=phone)
            try:
                await download.fetch(self._context, base.with_name(f"{base.name}.pdf"), params)
            except AuthenticationError:
                raise
            except (APIError, UnexpectedReply) as error:
                _log.warning("A certificate of message %d was not fetched: %s", message_id, error)
                return "pending"
            outcome = "fetched"
            failpoint("archive.fetched")
        await in_thread(self.tree.write_record, base, held.seen)
        failpoint("archive.written")
        await in_thread(held.drop)
        return outcome

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
            held.close()

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
    return any(one.status is not None and one.status.status.is_certified for one in seen)
