"""What became of the rows: bars by outcome, reason and status, and the rows that have to be named."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import define

from ...bulk.chunks import REPEATED
from ...codes import DeliveryStatus, Phase
from ...phones import mask
from ..journal.left_out import FORGOTTEN
from .figures import Figures, Listed
from .markup import Html, html, prose, tag
from .words import Words

_MOST = 20  # reasons that have a bar of their own
_PHASES = {Phase.DELIVERED: "good", Phase.FAILED: "bad", Phase.CONTRACT: "deal"}
_CLASSES = ("n", "s", None, "s")  # of a table's columns
_GONE = "The number is not in use any more: take it out of your list, or ask for the new one."
_SUPPORT = "Ask the provider's support what is wrong before you send to them again."
_OFF = "The phone stayed off: try again another day, or reach them in another way."
_BARRED = "They are on a blacklist, the carrier's or your account's: leave them out of your list."
_STATUSES: Final[Mapping[int, str]] = {
    **dict.fromkeys((50, 51, 102, 110, 111, 112, 130, 132, 133, 136, 137), _GONE),
    **dict.fromkeys((53, 101, 103, 113), _OFF),
    **dict.fromkeys((54, 55), _BARRED),
    **dict.fromkeys((551, 552, 553), "Try again at another time of day."),
    29: "It was cancelled in time and never left.",
    104: "The number cannot be right: correct it in your list.",
    131: "Their phone is full: try again in some days.",
    200: "The credits came back. Ask the provider's support what is wrong before you send to them again.",
}
_CONTRACTS: Final[Mapping[int, str]] = {
    190: "They rejected it: ask them why before you send another one.",
    195: "Their time ran out: send it again with a longer validity.",
}
_REASONS: Final[Mapping[str, str]] = {
    REPEATED: "Their phone got the text of its first row. There is nothing to do.",
    FORGOTTEN: "It was taken out of the store, as was asked. There is nothing to do.",
}


@define
class Outcomes:
    """The part of a report on outcomes.

    Attributes:
        figures: what it shows.
        words: in which language.
        with_phones: whether phones are written out.
    """

    figures: Figures
    words: Words
    with_phones: bool

    def bars(self) -> Html | None:
        """Return a bar for each outcome; None where there are no rows."""
        progress = self.figures.progress
        counts = {
            "waiting": progress.sent - progress.delivered - progress.undelivered,
            "failed": progress.failed - progress.undelivered,
        }
        bars = (
            (title, counts.get(name, getattr(progress, name, 0)), colour, "")
            for name, (title, colour) in self._outcomes.items()
        )
        return self._drawn(bar for bar in bars if bar[1] > 0)

    def reasons(self) -> Html | None:
        """Return a bar for each reason why rows were not reached, with what to do; None where there is none."""
        name, ordered = shlex.quote(self.figures.progress.name), self.figures.reasons.most_common()
        bars = [
            (
                *(self._why(outcome, reason), count, self._outcomes[outcome][1]),
                self.words.language.reason(_advice(outcome, reason, name)),
            )
            for (outcome, reason), count in ordered[:_MOST]
        ]
        if rest := sum(count for _, count in ordered[_MOST:]):
            bars.append((self.words.language.text("Other reasons"), rest, "bad", ""))
        return self._drawn(bars)

    def statuses(self) -> Html | None:
        """Return a bar for each delivery status; None where nothing was reported."""
        bars = []
        for code, count in sorted(self.figures.statuses.items(), key=lambda one: -one[1]):
            phase, name = DeliveryStatus(code).phase, f"{self.words.status(code)} ({code})"
            todo = self.words.language.reason(_CONTRACTS.get(code, ""))
            bars.append((name, count, _PHASES.get(phase, "wait"), todo))
        return self._drawn(bars)

    def slowest(self) -> Html | None:
        """Return a table of the texts that took longest; None where none has arrived."""
        _ = self.words.language.text
        return self._table(self.figures.slowest, _("Took"), _("Arrived"))

    def missed(self) -> Html | None:
        """Return a table of the first rows that were not reached, and how many there are; None where there is none."""
        say, _ = self.words, self.words.language.text
        progress, rows = self.figures.progress, self.figures.missed
        table = self._table(rows, _("Why"), _("Reported"))
        total = progress.failed + progress.rejected + progress.invalid + progress.unknown
        if total <= len(rows) or self.figures.row.is_purged:
            return table
        counts = say.number(len(rows)), say.number(total)
        more = _("{} of {} are listed; `mensatek campaign export` writes all rows.", *counts)
        return html(table, tag("p", prose(more), class_="note"))

    def _table(self, rows: Sequence[Listed], *more: str) -> Html | None:
        """Draw rows with their phones, what is said of each, and when that was."""
        if not rows:
            return None
        say, _ = self.words, self.words.language.text
        titles = (_("Row"), _("Phone"), *more)

        def line(cell: str, values: Iterable[str]) -> Html:
            cells = zip(values, _CLASSES, titles, strict=True)
            return tag(
                "tr", *(tag(cell, value, class_=kind, data_name=title) for value, kind, title in cells)
            )

        lines = []
        for one in rows:
            phone = one.phone if self.with_phones or not one.phone else mask(one.phone)
            arrived = one.outcome == "delivered"
            what = say.duration(one.seconds) if arrived else self._why(one.outcome, one.reason)
            lines.append(line("td", (say.number(one.row), phone, what, say.moment(one.moment))))
        return tag("table", tag("thead", line("th", titles)), tag("tbody", *lines))

    def _drawn(self, bars: Iterable[tuple[str, int, str, str]]) -> Html | None:
        """Draw bars, each with its name, count, colour and what to do."""
        say, total, bars = self.words, self.figures.progress.total, list(bars)
        longest = max((count for _, count, _, _ in bars), default=0)
        lines = []
        for name, count, colour, todo in bars:
            rect = tag("rect", class_=colour, width=f"{100 * count / longest:.2f}%", height="100%")
            numbers = tag("b", say.number(count), " ", tag("small", say.share(count, total)))
            drawn = tag("svg", rect, aria_hidden="true")
            what_to_do = tag("p", prose(todo), class_="todo") if todo else None
            lines.append(tag("li", tag("span", name), drawn, numbers, what_to_do))
        return tag("ul", *lines, class_="bars") if lines else None

    @property
    def _outcomes(self) -> dict[str, tuple[str, str]]:
        """What each outcome is called, and the colour of its bar."""
        _ = self.words.language.text
        return {
            "delivered": (_("Delivered"), "good"),
            "waiting": (_("Taken, no report yet that it arrived"), "wait"),
            "undelivered": (_("Not delivered"), "bad"),
            "rejected": (_("The provider did not take it, as repeated or not correct"), "bad"),
            "invalid": (_("Not sent, broken or repeated in the list"), "bad"),
            "failed": (_("Not sent, the provider refused the request"), "bad"),
            "unknown": (_("Perhaps sent, the answer was lost"), "odd"),
            "opted_out": (_("Not sent, they had opted out"), "odd"),
            "pending": (_("Still to be sent"), "wait"),
            "cancelled": (_("Cancelled before it was sent"), "wait"),
        }

    def _why(self, outcome: str, reason: str | int) -> str:
        if isinstance(reason, int):
            return self.words.status(reason)
        if not reason or outcome not in ("invalid", "failed", "unknown"):
            return self._outcomes[outcome][0]
        _, why = self.words.language.text, self.words.language.reason(reason).rstrip(".")
        return _("Perhaps sent: {}", why) if outcome == "unknown" else _("Not sent: {}", why)


def _advice(outcome: str, reason: str | int, name: str) -> str:
    """Return what to do about rows with an outcome and a reason, "" for nothing."""
    if isinstance(reason, int):
        return _STATUSES.get(reason, _SUPPORT)
    if reason in _REASONS:
        return _REASONS[reason]
    return {
        "invalid": "Correct these rows in your list, and send them as a campaign of another name.",
        "rejected": f"`mensatek campaign reconcile {name}` asks the provider who they are.",
        "unknown": f"`mensatek campaign reconcile {name}` asks the provider once what became of them.",
        "failed": "The provider refused the request: put right what it says, and send these rows as a new campaign.",
        "opted_out": "They asked for no more texts, and got none. There is nothing to do.",
    }.get(outcome, "")
