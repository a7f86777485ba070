"""How a campaign is shown: live for people who watch, in lines for those who read it later, and as JSON."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import asdict

from ..._wire.scalars import madrid
from ...campaigns.journal.waiting import PAUSED_BECAUSE
from ...models.bulk import RowProblem
from ...models.campaign import Progress
from ...sources.text_files import shown
from ..language import _, later, reason
from ..options import DEFAULT_STORE
from ..output import Exit, Output, Stop, credits_text, plural

if TYPE_CHECKING:
    from rich.live import Live

_STATES = later("running", "paused", "done", "cancelled")
EVERY = 3.0  # seconds between two plain lines
_SHOWN = 100  # rows with a problem, which somebody has to correct one by one


class View:
    """A line every few seconds, or what is drawn over itself where somebody watches."""

    def __init__(self, output: Output, live: Live | None = None) -> None:
        self._output = output
        self._live = live
        self._next = time.monotonic() + EVERY
        self._said = ""

    def note(self, text: Callable[[], str]) -> None:
        """Print a line when it is time, and it says something new."""
        if self._live is not None:
            self._live.update(text())
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            said, self._said = self._said, text()
            if self._said != said:
                self._output.note(self._said)

    def show(self, progress: Progress) -> None:
        """Show how a campaign stands: a line, or a bar and the counts below it."""
        if self._live is None:
            self.note(lambda: "; ".join(filter(None, (line(progress), shown(reason(progress.note), 200)))))
        else:
            self._draw(progress, self._live)

    def _draw(self, progress: Progress, live: Live) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1))
        settled = progress.total - progress.pending
        bar.add_row(
            ProgressBar(total=max(progress.total, 1), completed=settled, width=40),
            Text(_("{} % of {:,} rows", 100 * settled // max(progress.total, 1), progress.total)),
        )
        head = Text(f"{shown(progress.name, 60)}: {_state(progress)}")
        under = [
            Text(one)
            for one in (_counts(progress), _money(progress), shown(reason(progress.note), 200))
            if one
        ]
        live.update(Group(head, bar, *under), refresh=True)


@contextmanager
def viewing(output: Output, *, watch: bool, transient: bool = False) -> Iterator[View]:
    """Show what is done while the block lasts, drawn where somebody watches; its last state stays, or goes."""
    if not (watch and output.err.isatty()):
        yield View(output)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(file=output.err, highlight=False, markup=False)
    with Live(console=console, auto_refresh=transient, transient=transient) as live:
        yield View(output, live)


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
        return _("paused, {}", reason(PAUSED_BECAUSE.get(progress.reason, progress.reason)))
    if progress.state == "done" and (when := scheduled_for(progress.scheduled_at)):
        return when
    if progress.state == "running" and progress.waiting_until:
        return _("waits until {:%Y-%m-%d %H:%M:%S} Spanish time", progress.waiting_until)
    return _("reading rows" if progress.reading and progress.state == "running" else progress.state)


def scheduled_for(when: datetime | None) -> str:
    """Say "scheduled for 2027-01-08 10:00" while that is to come, else ""."""
    if when is None or when <= datetime.now(UTC):
        return ""
    return _("scheduled for {:%Y-%m-%d %H:%M} Spanish time", when.astimezone(madrid()))


def _counts(progress: Progress) -> str:
    counts = [
        _("{:,} taken for then" if scheduled_for(progress.scheduled_at) else "{:,} sent", progress.sent),
        _("{:,} pending", progress.pending),
        _("{:,} unknown", progress.unknown),
        _("{:,} failed", progress.failed),
        _("{:,} delivered", progress.delivered),
    ]
    rare = (
        (progress.rejected, _("refused")),
        (progress.invalid, _("invalid")),
        (progress.opted_out, _("opted out")),
    )
    counts += [_("{:,} {}", count, name) for count, name in rare if count]
    return ", ".join(counts + ([_("{:,} cancelled", progress.cancelled)] if progress.cancelled else []))


def _money(progress: Progress) -> str:
    parts = [_("{:,.0f}/s", progress.rate)] if progress.state == "running" else []
    parts.append(_("credits {} used", credits_text(progress.credits_used)))
    if progress.credits_left is not None:
        parts.append(_("{} left", credits_text(progress.credits_left)))
    if progress.time_left is not None:
        parts.append(_("time left {}", _clock(progress.time_left)))
    return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds) + 1, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def advice(progress: Progress, store: str) -> str:
    """What to do next with a campaign that does not run, "" for nothing."""
    name, at = _quoted(progress.name), _at(store)
    if progress.state == "paused":
        return _("To go on: mensatek campaign resume {}{}", name, at)
    if progress.unknown:
        return _("Who may have been texted: mensatek campaign unknown {}{}", name, at)
    return ""


def say_state(output: Output, progress: Progress, store: str) -> None:
    """Print how a campaign stands, and what to do next with it."""
    output.say(line(progress) + ".")
    for more in (reason(progress.note), advice(progress, store)):
        if more:
            output.say(more)


def to_go_on(name: str, store: str, *, reading: bool) -> str:
    """How to go on with a campaign that was interrupted."""
    if reading:
        return _("To go on: the same command again, with the same file.")
    return _("To go on: mensatek campaign run {}{}, or the same command again.", _quoted(name), _at(store))


def check_store(store: str) -> str:
    """Return the store, unless a glance shows that it is none."""
    if os.path.isdir(store):
        raise Stop("The store {} is a directory; name a file in it.", shown(store))
    return store


def place(store: str) -> str:
    """The store as it may be shown: a database's address may hold a password."""
    return _("that database") if "://" in store else store


def _at(store: str) -> str:
    if store == DEFAULT_STORE:
        return ""
    # A database's address may hold a password.
    return f" --store {'...' if '://' in store else _quoted(store)}"


def _quoted(word: str) -> str:
    return shlex.quote(shown(word, 300))


def exit_of(progress: Progress) -> Exit:
    """Return the exit code of a campaign: whether anything went wrong so far."""
    if progress.state == "paused":
        return Exit.REFUSED if progress.reason == "auth" else Exit.SOME_NOT_SENT
    lost = progress.rejected + progress.invalid + progress.unknown + progress.failed - progress.undelivered
    if progress.state == "cancelled" or (progress.done and lost):
        return Exit.SOME_NOT_SENT
    return Exit.DONE


def as_json(progress: Progress) -> dict[str, Any]:
    """A campaign's counts, for programs."""
    values = asdict(progress)
    for name in ("rate", "elapsed", "time_left"):
        values[name] = None if values[name] is None else round(values[name], 3)
    return {**values, "message_id": progress.message_id or None, "done": progress.done}


def _runs(problems: Iterable[RowProblem]) -> list[tuple[int, int, str]]:
    """Neighbouring rows with one reason: the first, the last, the reason."""
    ordered = sorted(problems, key=lambda problem: problem.row)
    runs = []
    for (_distance, why), group in groupby(
        enumerate(ordered), lambda one: (one[1].row - one[0], one[1].reason)
    ):
        rows = [problem.row for _index, problem in group]
        runs.append((rows[0], rows[-1], why))
    return runs


def say_rows(output: Output, title: str, problems: Iterable[RowProblem], total: int) -> None:
    """Print the first rows that something is to be said of, and how many there are in all."""
    shown_runs = _runs(problems)[:_SHOWN]
    if not shown_runs:
        return
    output.say(f"{title}:")
    for first, last, why in shown_runs:
        where = _("row {}", first) if first == last else _("rows {} to {}", first, last)
        output.say(f"  {where}: {shown(reason(why), 300).rstrip('.')}")
    more = total - sum(last - first + 1 for first, last, _why in shown_runs)
    if more > 0:
        output.say("  and {}; --report FILE lists them all.", plural(more, "more row"))


def rows_as_json(problems: Mapping[str, Iterable[RowProblem]]) -> list[dict[str, Any]]:
    """The same for programs, by what became of the rows."""
    runs = [(*run, kind) for kind, rows in problems.items() for run in _runs(rows)]
    return [
        {"row": first, "to_row": last, "kind": kind, "reason": reason}
        for first, last, reason, kind in sorted(runs)
    ]
