"""Progress on standard error: a live bar for people who watch, plain lines for those who read it later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO, cast

from ..models.bulk import BulkProgress
from .output import Output, credits_text

EVERY = 3.0  # seconds between two plain lines


class Display(Protocol):
    """Shows how far something is."""

    def finish(self, progress: BulkProgress) -> None:
        """Take the last counts."""

    def show(self, progress: BulkProgress) -> None:
        """Take the newest counts."""

    def checked(self, rows: int) -> None:
        """Take the number of rows checked so far."""


class Plain:
    """A line every few seconds."""

    def __init__(self, output: Output, total: int) -> None:
        self._output = output
        self._total = total
        self._next = time.monotonic() + EVERY

    def show(self, progress: BulkProgress) -> None:
        """Print the counts when it is time."""
        if self._due():
            self._output.note(line(progress, self._total))

    def finish(self, progress: BulkProgress) -> None:
        """Print the last counts."""
        self._output.note(line(progress, self._total))

    def checked(self, rows: int) -> None:
        """Print the number of rows when it is time."""
        if self._due():
            self._output.note(f"{rows:,} rows checked")

    def _due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + EVERY
        return True


def line(progress: BulkProgress, total: int) -> str:
    """The counts in one line."""
    parts = [f"{progress.accepted:,} of {total:,} sent", f"{progress.rejected:,} refused"]
    parts += [f"{count:,} {name}" for count, name in _rare(progress) if count]
    parts.append(f"{progress.rate:,.0f}/s")
    if progress.credits_left is not None:
        parts.append(f"credits left {credits_text(progress.credits_left)}")
    return ", ".join(parts)


def _rare(progress: BulkProgress) -> tuple[tuple[int, str], ...]:
    return (progress.invalid, "invalid"), (progress.failed, "not sent"), (progress.unknown, "unknown")


class Bar:
    """A bar of rich."""

    def __init__(self, output: Output, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        console = Console(file=cast("TextIO", output.err), highlight=False, markup=False)
        self._total = total
        self.rich = Progress(
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TextColumn("{task.description}", markup=False),
            console=console,
        )
        self._task = self.rich.add_task("", total=total)

    def show(self, progress: BulkProgress) -> None:
        """Move the bar."""
        told = line(progress, self._total or progress.rows)
        self.rich.update(self._task, completed=progress.settled, description=told)

    def finish(self, progress: BulkProgress) -> None:
        """Leave the bar where it ended."""
        self.show(progress)

    def checked(self, rows: int) -> None:
        """Count the rows."""
        self.rich.update(self._task, description=f"{rows:,} rows checked")


@contextmanager
def sending(output: Output, total: int) -> Iterator[Display]:
    """Show a send of `total` rows while the block lasts; its last counts stay."""
    if not output.err.isatty():
        yield Plain(output, total)
        return
    bar = Bar(output, total)
    with bar.rich:
        yield bar


@contextmanager
def checking(output: Output) -> Iterator[Display]:
    """Show the checking of rows while the block lasts; nothing of it stays."""
    if not output.err.isatty():
        yield Plain(output, 0)
        return
    bar = Bar(output, None)
    bar.rich.live.transient = True
    with bar.rich:
        yield bar
