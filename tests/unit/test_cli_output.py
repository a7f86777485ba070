"""What is printed, where, and to whom nobody listens any more."""

from __future__ import annotations

import io
import json
import os
from decimal import Decimal

import pytest

from mensatek_async.cli.output import Output, Quiet, Stop, credits_text, plural
from mensatek_async.cli.recipients import checking


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


class Terminal(io.StringIO):
    """Somebody watches."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [io.StringIO, Terminal])
def test_the_rows_checked_are_told_now_and_then(
    terminal: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million rows take a while."""
    monkeypatch.setattr("mensatek_async.cli.campaign_view.EVERY", 0)
    monkeypatch.setattr("sys.stderr", stream := terminal())
    monkeypatch.setenv("TERM", "xterm")
    with checking(Output()) as tick:
        tick(2000)

    assert "2,000 rows checked" in stream.getvalue()
