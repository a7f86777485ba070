"""What a bulk command tells when it ends."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mensatek_async import AuthenticationError, InvalidDate
from mensatek_async.cli.check import KEPT_PROBLEMS, Checked, Problems, Sample
from mensatek_async.cli.output import Output
from mensatek_async.cli.preview import preview
from mensatek_async.cli.report import Ledger
from mensatek_async.cli.selection import Selection
from mensatek_async.cli.sending import Job, Run
from mensatek_async.cli.stop import Exit
from mensatek_async.cli.summary import summary
from mensatek_async.models.bulk import BulkResult, ChunkOutcome, RowProblem
from mensatek_async.settings import Limits
from mensatek_async.sources.opening import open_table
from mensatek_async.sources.reading import Reading, assign_columns


def reading() -> Reading:
    return assign_columns(open_table(io.BytesIO(b"tel\n600000001\n"), "x.csv"), [])


def make_run(result: BulkResult, ledger: Ledger | None = None, **changes: Any) -> Run:
    job = Job(reading=reading(), text="x", sender=None, when=None, encoding="auto", limits=Limits())
    run = Run(job, ledger or Ledger(), None)
    run.result = result
    for name, value in changes.items():
        setattr(run, name, value)
    return run


def told(
    run: Run, rows: int, capsys: pytest.CaptureFixture[str], *, json_too: bool = False
) -> tuple[Exit, str]:
    code = summary(Output(json=json_too), run, Checked(rows=rows), None)
    shown = capsys.readouterr()
    return code, shown.out if json_too else shown.out + shown.err


def test_rows_apart_and_rows_together(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that share a reason are one line, and broken rows between them do not split it."""
    ledger = Ledger()
    ledger.settle(ChunkOutcome(status="sent", rows=[5]))
    failed = [RowProblem(row, "not sent: no network") for row in (2, 3, 6, 7, 9)]
    invalid = [RowProblem(8, "bad"), RowProblem(4, "bad")]
    result = BulkResult(accepted=1, rows=8, requests=1, failed=failed, invalid=invalid)

    code, shown = told(make_run(result, ledger), 8, capsys)

    assert code is Exit.SOME_NOT_SENT
    assert "Not sent: no network\n  rows 2 to 3, 6 to 9\n" in shown
    assert "Broken rows:\n  row 4: bad\n  row 8: bad\n" in shown


def test_long_lists_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """A screen is not a report."""
    ledger = Ledger()
    ledger.settle(ChunkOutcome(status="sent", rows=list(range(1, 1001, 2))))
    failed = [RowProblem(row, "not sent: x") for row in range(2, 1001, 2)]
    ledger.settle(ChunkOutcome(status="failed", rows=[problem.row for problem in failed]))
    unknown = [RowProblem(row, f"may have been sent: {row}") for row in range(2000, 2030)]
    refusals = [(1, 500, 2)] * 7
    result = BulkResult(accepted=500, rows=1030, requests=3, failed=failed, unknown=unknown)

    _, shown = told(make_run(result, ledger, refusals=refusals), 1030, capsys)

    assert "and 480 more places" in shown
    assert "and 10 more reasons" in shown
    assert "stand in 500 places; the report names them" in shown
    assert shown.count("2 in rows 1 to 500") == 5


def test_a_screen_of_problems_and_a_file_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON holds a thousand entries and the true count."""
    invalid = [RowProblem(row, f"bad {row}") for row in range(2, 5002)]

    code, shown = told(make_run(BulkResult(rows=5000, invalid=invalid)), 5000, capsys, json_too=True)

    answer = json.loads(shown)
    assert code is Exit.SOME_NOT_SENT
    assert len(answer["problems"]) == 1000
    assert answer["problem_rows"] == 5000
    assert answer["message_id"] is None
    assert answer["credits_left"] is None


@pytest.mark.parametrize(
    ("changes", "result", "code"),
    [
        ({}, BulkResult(accepted=2, rows=2, requests=1), Exit.DONE),
        ({}, BulkResult(accepted=1, rejected=1, rows=2, requests=1), Exit.SOME_NOT_SENT),
        ({}, BulkResult(rows=0, stopped=AuthenticationError("EnviarSMS", -1)), Exit.REFUSED),
        ({"error": InvalidDate("late")}, BulkResult(), Exit.WRONG_USE),
        ({"error": InvalidDate("late")}, BulkResult(accepted=1, rows=1, requests=1), Exit.SOME_NOT_SENT),
        ({"error": OSError("disk")}, BulkResult(), Exit.SOME_NOT_SENT),
        ({"interrupted": True}, BulkResult(accepted=2, rows=2, requests=1), Exit.INTERRUPTED),
    ],
)
def test_exit_codes(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any], result: BulkResult, code: Exit
) -> None:
    """The shell is told the worst of what happened."""
    assert told(make_run(result, **changes), 2, capsys)[0] is code


def test_every_row_is_somewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that were never read count as not sent."""
    broken = Problems()
    broken.add(2, "x")
    result = BulkResult(
        accepted=3, rejected=1, rows=5, requests=1, unknown=[RowProblem(9, "may have been sent: y")]
    )

    _, shown = told(make_run(result, broken=broken), 10, capsys, json_too=True)

    answer = json.loads(shown)
    parts = ("accepted", "refused", "invalid", "not_sent", "unknown")
    assert [answer[part] for part in parts] == [3, 1, 1, 4, 1]
    assert answer["rows"] == 10


def test_kept_problems_are_bounded() -> None:
    """A million broken rows are counted, not kept."""
    problems = Problems()
    for row in range(KEPT_PROBLEMS + 5):
        problems.add(row, "x")

    assert problems.count == KEPT_PROBLEMS + 5
    assert len(problems.first) == KEPT_PROBLEMS


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_people_see_the_first_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The surest way to notice a wrong encoding; never in a log."""
    checked = Checked(rows=2, ready=2, texts=3, unicode=1, longest=2)
    checked.samples.append(Sample(2, "34600000001", "Hola Íñigo", 1, False))
    found = reading()
    found.source.blank = 1
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    preview(Output(), found, checked, price=Decimal(2), credits=Decimal(100))

    shown = capsys.readouterr().out
    assert terminal.getvalue() == "The first one reads: Hola Íñigo\n"
    assert "(1 blank row left out)" in shown
    assert "Texts: 3 (1 GSM, 1 Unicode; up to 2 a recipient)." in shown
    assert "6 estimated, at 2 credits a text" in shown
    assert shown.endswith("The account has 100.\n")


def test_only_what_was_asked_for_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of rows 2 to 4 does not send the rest of the file next."""
    ledger = Ledger()
    ledger.settle(ChunkOutcome(status="sent", rows=[2]))
    run = make_run(BulkResult(accepted=1, rows=1, requests=1), ledger, interrupted=True)
    run.job = evolve(run.job, selection=Selection([(2, 4)]))

    _, shown = told(run, 3, capsys)

    assert "--rows 3-4\n" in shown
