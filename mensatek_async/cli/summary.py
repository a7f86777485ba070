"""What a bulk command tells before and after: for people, and as JSON."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..models.bulk import RowProblem
from ..sources.text_files import shown
from .check import Checked
from .output import Output, credits_text, plural
from .report import Ledger
from .selection import Selection
from .sending import Run
from .stop import Exit, code_of

if TYPE_CHECKING:
    pass

SHOWN = 20  # reasons, and places of one reason
SHOWN_BROKEN = 100  # broken rows, which somebody has to correct one by one
MOST_SPANS = 100
IN_JSON = 1000


@frozen
class Told:
    """Rows with one fate: first, last, and what to say of them.

    Attributes:
        first: the first row.
        last: the last row; all between have the same fate.
        kind: "invalid", "not sent" or "unknown".
        reason: why.
    """

    first: int
    last: int
    kind: str
    reason: str

    def __str__(self) -> str:
        where = f"row {self.first}" if self.first == self.last else f"rows {self.first} to {self.last}"
        return f"  {where}: {shown(self.reason, 300).rstrip('.')}"


@frozen(kw_only=True)
class Counts:
    """Where all rows of the file ended; they add up to `rows`."""

    rows: int
    accepted: int
    refused: int
    invalid: int
    not_sent: int
    unknown: int

    @classmethod
    def of(cls, run: Run, checked: Checked) -> Counts:
        """Add up what the client knows, the rows it never got, and those it never read."""
        result = run.result
        unread = max(checked.rows - result.rows - run.broken.count, 0)
        return cls(
            rows=result.rows + run.broken.count + unread,
            accepted=result.accepted,
            refused=result.rejected,
            invalid=len(result.invalid) + run.broken.count,
            not_sent=len(result.failed) + unread,
            unknown=len(result.unknown),
        )


def exit_of(run: Run, counts: Counts) -> Exit:
    """The exit code of a send."""
    if run.interrupted:
        return Exit.INTERRUPTED
    ended = run.error or run.result.stopped
    if ended is not None:
        code = code_of(ended)
        return Exit.SOME_NOT_SENT if code is Exit.WRONG_USE and run.result.requests else code
    return Exit.DONE if counts.accepted == counts.rows else Exit.SOME_NOT_SENT


def summary(output: Output, run: Run, checked: Checked, report: str | None) -> Exit:
    """Tell what became of every row."""
    counts = Counts.of(run, checked)
    code = exit_of(run, counts)
    result = run.result
    ended = run.error or result.stopped
    if run.interrupted:
        output.note("Interrupted.")
    elif ended is not None:
        output.error(f"the send stopped: {ended}")
    output.say(f"{counts.accepted:,} of {plural(counts.rows, 'row')} sent in {run.seconds:,.1f} s.")
    for count, name, what in _lines(counts):
        if count:
            output.say(f"  {count:,} {name}: {what}.")
    used, left = credits_text(result.credits_used), credits_text(result.credits_left)
    output.say(f"Credits: {used} used, {left} left." if result.requests else "Credits: none used.")
    _say_refusals(output, run)
    _say_together(output, "Not sent", result.failed, run.ledger)
    _say_together(output, "Perhaps sent", result.unknown, run.ledger)
    broken = (("invalid", run.broken.first), ("invalid", result.invalid))
    say_broken(output, by_row(broken, SHOWN_BROKEN), counts.invalid, report)
    unsent = _unsent(run, counts)
    if unsent:
        output.say(_how_to_go_on(unsent))
    if report is not None:
        output.say(f"Report: {shown(report, 300)}")
    output.answer(_json(run, counts, code, unsent, report, ended, checked.hidden))
    return code


def _lines(counts: Counts) -> tuple[tuple[int, str, str], ...]:
    return (
        (counts.refused, "refused", "the provider found them repeated or not correct"),
        (counts.invalid, "invalid", "broken or repeated in the file, never sent"),
        (counts.not_sent, "not sent", "they certainly did not leave"),
        (counts.unknown, "unknown", "they may have been sent, the answer was lost"),
    )


def _fates(run: Run) -> tuple[tuple[str, Iterable[RowProblem]], ...]:
    result = run.result
    return (
        ("invalid", run.broken.first),
        ("invalid", result.invalid),
        ("not sent", result.failed),
        ("unknown", result.unknown),
    )


def by_row(fates: Iterable[tuple[str, Iterable[RowProblem]]], most: int = IN_JSON) -> list[Told]:
    """The rows by their numbers, neighbours with one reason together."""
    runs = (told for kind, problems in fates for told in _runs(kind, problems))
    return heapq.nsmallest(most, runs, key=lambda told: told.first)


def _runs(kind: str, problems: Iterable[RowProblem]) -> Iterator[Told]:
    """Neighbouring rows with one reason are told together."""
    first = last = 0
    reason: str | None = None
    for problem in problems:
        if problem.row == last + 1 and problem.reason == reason:
            last = problem.row
            continue
        if reason is not None:
            yield Told(first, last, kind, reason)
        first, last, reason = problem.row, problem.row, problem.reason
    if reason is not None:
        yield Told(first, last, kind, reason)


def say_broken(output: Output, told: list[Told], total: int, report: str | None) -> None:
    """The first broken rows, one by one: each has its own fault."""
    if not told:
        return
    output.say("Broken rows:")
    for entry in told:
        output.say(str(entry))
    more = total - sum(entry.last - entry.first + 1 for entry in told)
    if more > 0:
        where = "the report lists them all" if report else "--report FILE lists them all"
        output.say(f"  and {plural(more, 'more row')}; {where}.")


def _say_together(output: Output, title: str, problems: Sequence[RowProblem], ledger: Ledger) -> None:
    """Rows that share a fate, by reason. Broken rows among them do not interrupt a run of rows."""
    if not problems:
        return
    runs: dict[str, list[tuple[int, int]]] = {}
    for told in _runs("", problems):
        ranges = runs.setdefault(told.reason, [])
        if ranges and ranges[-1][1] < told.first and not ledger.touched(ranges[-1][1], told.first):
            ranges[-1] = (ranges[-1][0], told.last)
        else:
            ranges.append((told.first, told.last))
    for reason, ranges in islice(runs.items(), SHOWN):
        plain = reason.removeprefix("not sent: ").removeprefix("may have been sent: ")
        output.say(f"{title}: {shown(plain, 300)}")
        where = [f"{first}" if first == last else f"{first} to {last}" for first, last in sorted(ranges)]
        more = f" and {len(where) - SHOWN:,} more places" if len(where) > SHOWN else ""
        output.say(f"  rows {', '.join(where[:SHOWN])}{more}")
    if len(runs) > SHOWN:
        output.say(f"  and {len(runs) - SHOWN:,} more reasons")


def _say_refusals(output: Output, run: Run) -> None:
    if not run.refusals:
        return
    first = ", ".join(f"{count} in rows {start} to {end}" for start, end, count in run.refusals[:5])
    more = ", ..." if len(run.refusals) > 5 else ""
    output.say(f"  The provider does not say which it refused: {first}{more}.")


def _unsent(run: Run, counts: Counts) -> Selection:
    """The rows another run would have to send, when this one sent some and not all."""
    unread = counts.not_sent > len(run.result.failed)
    return run.ledger.unsent(unread=unread).within(run.job.selection)


def _how_to_go_on(unsent: Selection) -> str:
    if len(unsent.spans) > MOST_SPANS:
        return f"The rows that were not sent stand in {len(unsent.spans):,} places; the report names them."
    return f"To send the rows that were not sent: the same command with --rows {unsent}"


def json_problems(told: list[Told], total: int) -> dict[str, Any]:
    """The rows that were not sent, for programs."""
    return {
        "problems": [
            {"row": entry.first, "to_row": entry.last, "kind": entry.kind, "reason": entry.reason}
            for entry in told
        ],
        "problem_rows": total,
    }


def _json(
    run: Run,
    counts: Counts,
    code: Exit,
    unsent: Selection,
    report: str | None,
    ended: BaseException | None,
    hidden: int,
) -> dict[str, Any]:
    return {
        "dry_run": False,
        "rows": counts.rows,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "invalid": counts.invalid,
        "hidden_rows": hidden,
        "not_sent": counts.not_sent,
        "unknown": counts.unknown,
        "message_id": run.result.message_id or None,
        "requests": run.result.requests,
        "credits_used": run.result.credits_used,
        "credits_left": run.result.credits_left,
        "seconds": round(run.seconds, 3),
        "interrupted": run.interrupted,
        "stopped": None if ended is None else str(ended),
        "unsent_rows": str(unsent) or None,
        "report": report,
        **json_problems(by_row(_fates(run)), counts.invalid + len(run.result.failed) + counts.unknown),
        "exit_code": int(code),
    }
