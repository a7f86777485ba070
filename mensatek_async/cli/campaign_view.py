"""How a campaign is shown: live for people who watch, in lines for those who read it later, and as JSON."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO, cast

from attrs import asdict, frozen

from .._wire.scalars import madrid
from ..campaigns.journal.waiting import PAUSED_BECAUSE
from ..models.bulk import RowProblem
from ..models.campaign import Progress
from ..sources.text_files import shown
from .output import Exit, Output, credits_text, plural

EVERY = 3.0  # seconds between two plain lines
_SHOWN = 100  # rows with a problem, which somebody has to correct one by one


class View(Protocol):
    """Shows how a campaign stands."""

    def show(self, progress: Progress) -> None:
        """Take the newest counts."""


class PlainView:
    """A line every few seconds."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._next = time.monotonic() + EVERY

    def show(self, progress: Progress) -> None:
        """Print the counts when it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            self._output.note(line(progress) + (f"; {shown(progress.note, 200)}" if progress.note else ""))


class LiveView:
    """A bar and the counts below it, drawn over themselves."""

    def __init__(self, output: Output) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=cast("TextIO", output.err), highlight=False, markup=False)
        self.rich = Live(console=console, auto_refresh=False, transient=False)

    def show(self, progress: Progress) -> None:
        """Draw it anew."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1))
        settled = progress.total - progress.pending
        bar.add_row(
            ProgressBar(total=max(progress.total, 1), completed=settled, width=40),
            Text(f"{100 * settled // max(progress.total, 1)} % of {progress.total:,} rows"),
        )
        head = Text(f"{shown(progress.name, 60)}: {_state(progress)}")
        under = [Text(one) for one in (_counts(progress), _money(progress), shown(progress.note, 200)) if one]
        self.rich.update(Group(head, bar, *under), refresh=True)


@contextmanager
def viewing(output: Output, *, live: bool) -> Iterator[View]:
    """Show a campaign while the block lasts; its last counts stay.

    Args:
        output: where; on standard error.
        live: whether to draw where somebody watches.
    """
    if live and output.err.isatty():
        view = LiveView(output)
        with view.rich:
            yield view
        return
    yield PlainView(output)


def line(progress: Progress) -> str:
    """Everything in one line."""
    return f"{shown(progress.name, 60)}: {_state(progress)}; {_counts(progress)}, {_money(progress)}"


def why_not(progress: Progress) -> str:
    """Why a campaign does not go on, "" where it does."""
    if progress.state != "paused":
        return ""
    return progress.note.rstrip(".") or PAUSED_BECAUSE.get(progress.reason, progress.reason)


def _state(progress: Progress) -> str:
    if progress.state == "paused":
        return f"paused, {PAUSED_BECAUSE.get(progress.reason, progress.reason)}"
    if progress.state == "done" and (when := scheduled_for(progress.scheduled_at)):
        return when
    if progress.state == "running" and progress.waiting_until:
        return f"waits until {progress.waiting_until:%Y-%m-%d %H:%M:%S} Spanish time"
    return "reading rows" if progress.reading and progress.state == "running" else progress.state


def scheduled_for(when: datetime | None) -> str:
    """Say "scheduled for 2027-01-08 10:00" while that is to come, else ""."""
    if when is None or when <= datetime.now(UTC):
        return ""
    return f"scheduled for {when.astimezone(madrid()):%Y-%m-%d %H:%M} Spanish time"


def _counts(progress: Progress) -> str:
    counts = [
        f"{progress.sent:,} {'taken for then' if scheduled_for(progress.scheduled_at) else 'sent'}",
        f"{progress.pending:,} pending",
        f"{progress.unknown:,} unknown",
        f"{progress.failed:,} failed",
        f"{progress.delivered:,} delivered",
    ]
    rare = (progress.rejected, "refused"), (progress.invalid, "invalid"), (progress.cancelled, "cancelled")
    return ", ".join(counts + [f"{count:,} {name}" for count, name in rare if count])


def _money(progress: Progress) -> str:
    parts = [f"{progress.rate:,.0f}/s"] if progress.state == "running" else []
    parts.append(f"credits {credits_text(progress.credits_used)} used")
    if progress.credits_left is not None:
        parts.append(f"{credits_text(progress.credits_left)} left")
    if progress.time_left is not None:
        parts.append(f"time left {_clock(progress.time_left)}")
    return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds) + 1, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def advice(progress: Progress, store: str) -> str:
    """What to do next with a campaign that does not run, "" for nothing."""
    name, at = _quoted(progress.name), _at(store)
    if progress.state == "paused":
        return f"To go on: mensatek campaign resume {name}{at}"
    if progress.unknown:
        return f"Who may have been texted: mensatek campaign unknown {name}{at}"
    return ""


def to_go_on(name: str, store: str, *, reading: bool) -> str:
    """How to go on with a campaign that was interrupted."""
    if reading:
        return "To go on: the same command again, with the same file."
    return f"To go on: mensatek campaign run {_quoted(name)}{_at(store)}, or the same command again."


def place(store: str) -> str:
    """The store as it may be shown: a database's address may hold a password."""
    return "that database" if "://" in store else store


def _at(store: str) -> str:
    if store == "campaigns.db":
        return ""
    # A database's address may hold a password.
    return f" --store {'...' if '://' in store else _quoted(store)}"


def _quoted(word: str) -> str:
    return shlex.quote(shown(word, 300))


def exit_of(progress: Progress) -> Exit:
    """What the shell is told of a campaign: whether anything went wrong so far."""
    if progress.state == "paused":
        return Exit.REFUSED if progress.reason == "auth" else Exit.SOME_NOT_SENT
    lost = progress.rejected + progress.invalid + progress.unknown + progress.failed - progress.undelivered
    if progress.state == "cancelled" or (progress.done and lost):
        return Exit.SOME_NOT_SENT
    return Exit.DONE


def as_json(progress: Progress) -> dict[str, Any]:
    """A campaign's counts, for programs."""
    told = asdict(progress)
    told["rate"] = round(progress.rate, 3)
    told["elapsed"] = round(progress.elapsed, 3)
    told["time_left"] = None if progress.time_left is None else round(progress.time_left, 3)
    for name in ("scheduled_at", "waiting_until"):
        told[name] = told[name] and told[name].isoformat()
    told["message_id"] = progress.message_id or None
    return told | {"done": progress.done}


@frozen
class _Run:
    """Neighbouring rows with one reason."""

    first: int
    last: int
    reason: str

    def __str__(self) -> str:
        where = f"row {self.first}" if self.first == self.last else f"rows {self.first} to {self.last}"
        return f"  {where}: {shown(self.reason, 300).rstrip('.')}"


def _runs(problems: Iterable[RowProblem]) -> list[_Run]:
    runs: list[_Run] = []
    for one in sorted(problems, key=lambda problem: problem.row):
        if runs and (runs[-1].last + 1, runs[-1].reason) == (one.row, one.reason):
            runs[-1] = _Run(runs[-1].first, one.row, one.reason)
        else:
            runs.append(_Run(one.row, one.row, one.reason))
    return runs


def say_rows(output: Output, title: str, problems: Iterable[RowProblem], total: int) -> None:
    """Print the first rows that something is to be said of.

    Args:
        output: where.
        title: what they are.
        problems: the first of them.
        total: how many there are in all.
    """
    shown_runs = _runs(problems)[:_SHOWN]
    if not shown_runs:
        return
    output.say(f"{title}:")
    for run in shown_runs:
        output.say(str(run))
    more = total - sum(run.last - run.first + 1 for run in shown_runs)
    if more > 0:
        output.say(f"  and {plural(more, 'more row')}; --report FILE lists them all.")


def rows_as_json(problems: Mapping[str, Iterable[RowProblem]]) -> list[dict[str, Any]]:
    """The same for programs, by what became of the rows."""
    runs = [(run, kind) for kind, found in problems.items() for run in _runs(found)]
    return [
        {"row": run.first, "to_row": run.last, "kind": kind, "reason": run.reason}
        for run, kind in sorted(runs, key=lambda pair: pair[0].first)
    ]
