"""The ledger of rows and the report file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mensatek_async import ConnectionFailed, Recipient
from mensatek_async.cli.report import HEADINGS, REFUSED, Ledger, Report
from mensatek_async.cli.stop import Stop
from mensatek_async.models.bulk import ChunkOutcome, RowProblem


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == list(HEADINGS)
    return found[1:]


def test_the_ledger_knows_what_is_left() -> None:
    """Where nothing was sent, nor may have been; broken and blank rows between do not matter."""
    ledger = Ledger()
    assert not ledger.unsent(unread=True)

    ledger.settle(ChunkOutcome(status="sent", rows=[2, 3, 5], invalid=[RowProblem(4, "x")]))
    assert str(ledger.unsent(unread=False)) == ""
    assert str(ledger.unsent(unread=True)) == "6-"

    ledger.settle(ChunkOutcome(status="unknown", rows=[900]))
    ledger.settle(ChunkOutcome(status="failed", rows=[6, 8, 903]))
    ledger.refuse(7)

    assert str(ledger.unsent(unread=False)) == "6-8,903-"
    assert [row for row in range(10) if ledger.knows(row)] == [2, 3, 4, 5, 6, 7, 8]
    assert not ledger.knows(10_000)
    assert ledger.touched(4, 5)
    assert not ledger.touched(6, 7)


def test_each_row_has_one_line(tmp_path: Path) -> None:
    """With its phone as sent or as given, and no more said than is known."""
    path = tmp_path / "r.csv"
    report = Report(str(path), "-")
    for row, phone in (
        (2, "600 000 001"),
        (3, "600 000 002"),
        (4, "abc"),
        (5, "600000003"),
        (6, "600000004"),
    ):
        report.hand(row, phone)
    people = [Recipient("34600000001"), Recipient("34600000002")]

    report.settle(
        ChunkOutcome(
            status="sent",
            rows=[2, 3],
            recipients=people,
            accepted=2,
            message_id=7,
            invalid=[RowProblem(4, "no phone")],
        )
    )
    report.settle(ChunkOutcome(status="failed", rows=[5], error=ConnectionFailed("no network.")))
    report.settle(ChunkOutcome(status="failed", rows=[6]))
    report.settle(ChunkOutcome(status="unknown", rows=[7], error=ConnectionFailed("lost.")))
    report.settle(ChunkOutcome(status="sent", rows=[8, 9], accepted=1, rejected=1, message_id=7))
    report.settle(ChunkOutcome(status="sent", rows=[10], rejected=1))
    report.line(11, "x", "invalid", "broken")
    report.finish([(12, "600000009")], "the send ended before this row")
    report.close()

    mixed = "the provider refused 1 of the 2 rows of this request and does not say which"
    assert lines(path) == [
        ["2", "34600000001", "accepted", "", "7"],
        ["3", "34600000002", "accepted", "", "7"],
        ["4", "abc", "invalid", "no phone", ""],
        ["5", "600000003", "not sent", "no network.", ""],
        ["6", "600000004", "not sent", "interrupted", ""],
        ["7", "", "unknown", "lost.", ""],
        ["8", "", "sent", mixed, "7"],
        ["9", "", "sent", mixed, "7"],
        ["10", "", "refused", REFUSED, ""],
        ["11", "x", "invalid", "broken", ""],
        ["12", "600000009", "not sent", "the send ended before this row", ""],
    ]


def test_lines_are_there_at_once(tmp_path: Path) -> None:
    """A crash after a request loses no line of it."""
    path = tmp_path / "r.csv"
    report = Report(str(path), "-")

    report.settle(ChunkOutcome(status="sent", rows=[2], recipients=[Recipient("34600000001")], accepted=1))

    assert len(lines(path)) == 1
    report.close()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("+34 600 000 001", "+34 600 000 001"),
        ("+34600 / 600", "+34600 / 600"),
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|x", "'+cmd|x"),
        (" -2+cmd", "' -2+cmd"),
        ("600-000-001", "600-000-001"),
    ],
)
def test_a_cell_is_never_a_formula(tmp_path: Path, given: str, written: str) -> None:
    """The report is opened in a spreadsheet, and whoever filled in the phone could have written anything."""
    report = Report(str(tmp_path / "r.csv"), "x.csv")
    report.line(2, given, "invalid")
    report.close()

    assert lines(tmp_path / "r.csv")[0][1] == written


def test_the_recipients_are_not_overwritten(tmp_path: Path) -> None:
    """Under whatever name."""
    recipients = tmp_path / "x.csv"
    recipients.write_text("phone\n1\n")
    (tmp_path / "link.csv").symlink_to(recipients)

    for name in ("x.csv", "link.csv"):
        with pytest.raises(Stop, match="would overwrite"):
            Report(str(tmp_path / name), str(recipients))
    assert recipients.read_text() == "phone\n1\n"


def test_an_earlier_report_is_kept(tmp_path: Path) -> None:
    """It may be the only record of who was texted already."""
    path = tmp_path / "r.csv"
    for number in range(3):
        report = Report(str(path), "-")
        report.line(number, "1", "accepted")
        report.close()

    assert [lines(tmp_path / name)[0][0] for name in ("r.1.csv", "r.2.csv", "r.csv")] == ["0", "1", "2"]


def test_a_report_that_cannot_be_is_told(tmp_path: Path) -> None:
    """Before anything is sent."""
    for path, told in (
        (tmp_path, "is a directory"),
        (tmp_path / "none" / "r.csv", "No such file"),
        (str(tmp_path / "a\0b"), "cannot be written"),
    ):
        with pytest.raises(Stop, match=told):
            Report(str(path), "-")


def test_a_report_of_another_kind_is_written_through() -> None:
    """Such as /dev/null, which cannot be moved aside."""
    report = Report("/dev/null", "-")

    assert report.moved is None
    report.close()


def test_a_full_disk_is_told() -> None:
    """A record that cannot be kept ends the send."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(Stop, match="cannot be written: No space left"):
        Report("/dev/full", "-")


def test_a_disk_that_fills_up_is_told(tmp_path: Path) -> None:
    """What it had stays whole under a name that says it, nothing under its own; closing stays quiet then."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "r.csv"
    report = Report(str(path), "x.csv")
    report.line(2, "600000001", "accepted")
    report.flush()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 9, limits[1]))
    try:
        report.line(3, "600000002", "accepted")
        with pytest.raises(Stop, match=r"cannot be written: File too large.*r\.incomplete\.csv"):
            report.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    report.close()

    assert lines(tmp_path / "r.incomplete.csv") == [["2", "600000001", "accepted", "", ""]]
    assert not path.exists()
