"""What is printed, where, and to whom nobody listens any more."""

from __future__ import annotations

import io
import json
import os
from decimal import Decimal
from typing import Any

import pytest

from mensatek_async.cli.output import Output, Quiet, credits_text, plural
from mensatek_async.cli.progress import Plain, checking, line, sending
from mensatek_async.cli.stop import Stop
from mensatek_async.models.bulk import BulkProgress


def progress(**changes: Any) -> BulkProgress:
    values: dict[str, Any] = {
        "rows": 10,
        "total": None,
        "accepted": 1200,
        "rejected": 2,
        "invalid": 0,
        "failed": 0,
        "unknown": 0,
        "credits_used": Decimal(1),
        "credits_left": None,
        "elapsed": 2.0,
    }
    return BulkProgress(**(values | changes))


def test_credits_read_well() -> None:
    """Thousands apart, no idle zeros, and honest when not told."""
    assert credits_text(Decimal("14970.50")) == "14,970.5"
    assert credits_text(Decimal("100.00")) == "100"
    assert credits_text(Decimal(100000)) == "100,000"
    assert credits_text(None) == "not told"


def test_one_row_two_rows() -> None:
    """Counts agree with their nouns."""
    assert plural(1, "row") == "1 row"
    assert plural(2000, "row") == "2,000 rows"
    assert plural(2, "reply", "replies") == "2 replies"


def test_json_stands_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads standard output; people read the rest beside it."""
    output = Output(json=True)
    output.say("for people")
    output.answer({"credits": Decimal("1.5"), "whole": Decimal(3), "other": Stop("x")})

    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"credits": 1.5, "whole": 3, "other": "x"}
    assert shown.err == "for people\n"


def test_without_json_no_json_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is for people then."""
    output = Output()
    output.say("hello")
    output.answer({"a": 1})

    assert capsys.readouterr().out == "hello\n"


@pytest.mark.parametrize(("typed", "sent"), [("y\n", True), ("Sí\n", True), ("n\n", False), ("", False)])
def test_only_yes_is_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, sent: bool
) -> None:
    """Anything else, and the end of input, sends nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    output = Output()

    if sent:
        output.confirm("Send?")
    else:
        with pytest.raises(Stop, match="Nothing was sent"):
            output.confirm("Send?")
    assert capsys.readouterr().err == "Send? [y/N] "


def test_an_answer_in_no_alphabet_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stray byte on the terminal is not a yes."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n"), "utf-8"))

    with pytest.raises(Stop):
        Output().confirm("Send?")


def test_a_broken_pipe_is_no_error() -> None:
    """`| head` ends, and the command goes on in silence."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    quiet = Quiet(stream)
    os.close(reading)

    quiet.write("x" * 100_000)
    quiet.flush()
    quiet.write("y")
    quiet.flush()
    assert not quiet.isatty()
    stream.close()


def test_a_pipe_that_breaks_on_flush_is_no_error() -> None:
    """A short line stays in the buffer until it is flushed."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    quiet = Quiet(stream)
    os.close(reading)

    quiet.write("short")
    quiet.flush()
    stream.close()


def test_a_stream_closed_under_us_is_no_error() -> None:
    """A stream without a descriptor has nothing to be replaced by."""
    stream = io.StringIO()
    quiet = Quiet(stream)
    assert quiet.encoding == "ascii"
    stream.close()

    assert quiet.write("x") == 1


def test_an_old_terminal_shows_question_marks() -> None:
    """An accent on a terminal without accents must not end the command."""
    raw = io.BytesIO()
    quiet = Quiet(io.TextIOWrapper(raw, "ascii"))

    quiet.write("Muñoz")
    quiet.flush()

    assert raw.getvalue() == b"Mu?oz"
    assert quiet.encoding == "ascii"


def test_a_line_of_progress() -> None:
    """Sent, refused, rate and credits; what is seldom only when it happens."""
    assert line(progress(), 5000) == "1,200 of 5,000 sent, 2 refused, 600/s"
    assert line(progress(unknown=3, invalid=1, credits_left=Decimal(9)), 5000) == (
        "1,200 of 5,000 sent, 2 refused, 1 invalid, 3 unknown, 600/s, credits left 9"
    )


def test_plain_lines_come_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One every few seconds, and the last one always."""
    clock = [100.0]
    monkeypatch.setattr("mensatek_async.cli.progress.time.monotonic", lambda: clock[0])
    with sending(Output(), 5000) as display:
        assert isinstance(display, Plain)
        for _ in range(8):
            clock[0] += 1
            display.show(progress())
            display.checked(7)
        display.finish(progress(accepted=5000))

    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 3
    assert shown[-1].startswith("5,000 of 5,000 sent")


def test_the_rows_checked_are_told_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million rows take a while."""
    monkeypatch.setattr("mensatek_async.cli.progress.EVERY", 0)
    with checking(Output()) as display:
        display.checked(2000)

    assert capsys.readouterr().err == "2,000 rows checked\n"


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self) -> bool:
        return True


def test_people_who_watch_see_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same counts; the bar of a check is gone when it ends, that of a send stays."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    output = Output()

    with checking(output) as display:
        display.checked(2000)
    with sending(output, 5000) as display:
        display.show(progress())
        display.finish(progress(accepted=5000, credits_left=Decimal(12)))

    shown = terminal.getvalue()
    assert "2,000 rows checked" in shown
    assert "5,000 of 5,000 sent" in shown.replace("\n", " ")
    assert "-----" in shown
