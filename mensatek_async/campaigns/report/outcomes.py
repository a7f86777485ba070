"""What became of the rows: bars by outcome, reason and status, and the rows that have to be named."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from attrs import define

from ...codes import DeliveryStatus, Phase
from ...phones import mask
from .advice import CONTRACTS, advice
from .figures import Figures
from .markup import Html, html, prose, tag
from .words import Words

_MOST = 20  # reasons that have a bar of their own
_PHASES = {Phase.DELIVERED: "good", Phase.FAILED: "bad", Phase.CONTRACT: "deal"}
_CLASSES = ("n", "s", None, "s")  # of a table's columns


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
        waiting = progress.sent - progress.delivered - progress.undelivered
        counts = (
            ("delivered", progress.delivered, "good"),
            ("waiting", waiting, "wait"),
            ("undelivered", progress.undelivered, "bad"),
            ("rejected", progress.rejected, "bad"),
            ("invalid", progress.invalid, "bad"),
            ("failed", progress.failed - progress.undelivered, "bad"),
            ("unknown", progress.unknown, "odd"),
            ("opted_out", progress.opted_out, "odd"),
            ("pending", progress.pending, "wait"),
            ("cancelled", progress.cancelled, "wait"),
        )
        return self._drawn(
            [(self._called(name), count, colour, "") for name, count, colour in counts if count > 0]
        )

    def reasons(self) -> Html | None:
        """Return a bar for each reason why rows were not reached, with what to do; None where there is none."""
        name, ordered = shlex.quote(self.figures.progress.name), self.figures.reasons.most_common()
        bars = [
            (
                *(self._why(outcome, reason), count, "odd" if outcome in ("opted_out", "unknown") else "bad"),
                self.words.reason(advice(outcome, reason, name)),
            )
            for (outcome, reason), count in ordered[:_MOST]
        ]
        if rest := sum(count for _, count in ordered[_MOST:]):
            bars.append((self.words.text("Other reasons"), rest, "bad", ""))
        return self._drawn(bars)

    def statuses(self) -> Html | None:
        """Return a bar for each delivery status; None where nothing was reported."""
        bars = []
        for code, count in sorted(self.figures.statuses.items(), key=lambda one: -one[1]):
            phase, name = DeliveryStatus(code).phase, f"{self.words.status(code)} ({code})"
            todo = self.words.reason(CONTRACTS.get(code, ""))
            bars.append((name, count, _PHASES.get(phase, "wait"), todo))
        return self._drawn(bars)

    def slowest(self) -> Html | None:
        """Return a table of the texts that took longest; None where none has arrived."""
        say, _ = self.words, self.words.text
        rows = [
            (say.number(one.row), self._phone(one.phone), say.duration(one.seconds), say.moment(one.moment))
            for one in self.figures.slowest
        ]
        return _table((_("Row"), _("Phone"), _("Took"), _("Arrived")), rows) if rows else None

    def missed(self) -> Html | None:
        """Return a table of the first rows that were not reached, and how many there are; None where there is none."""
        say, _, progress = self.words, self.words.text, self.figures.progress
        rows = [
            (
                say.number(one.row),
                self._phone(one.phone),
                self._why(one.outcome, one.reason),
                say.moment(one.moment),
            )
            for one in self.figures.missed
        ]
        table = _table((_("Row"), _("Phone"), _("Why"), _("Reported")), rows) if rows else None
        total = progress.failed + progress.rejected + progress.invalid + progress.unknown
        if total <= len(rows) or self.figures.purged:
            return table
        counts = say.number(len(rows)), say.number(total)
        more = _("{} of {} are listed; `mensatek campaign export` writes all rows.", *counts)
        return html(table, tag("p", prose(more), class_="note"))

    def _drawn(self, bars: Iterable[tuple[str, int, str, str]]) -> Html | None:
        """Draw bars, each with its name, count, colour and what to do."""
        say, total, bars = self.words, self.figures.progress.total, list(bars)
        longest = max((count for _, count, _, _ in bars), default=0)
        lines = []
        for name, count, colour, todo in bars:
            rect = tag("rect", class_=colour, width=f"{100 * count / longest:.2f}%", height="100%")
            numbers = tag("b", say.number(count), " ", tag("small", say.share(count, total)))
            drawn = tag("svg", rect, aria_hidden="true")
            lines.append(
                tag(
                    "li",
                    tag("span", name),
                    drawn,
                    numbers,
                    tag("p", prose(todo), class_="todo") if todo else None,
                )
            )
        return tag("ul", *lines, class_="bars") if lines else None

    def _called(self, outcome: str) -> str:
        _ = self.words.text
        return {
            "delivered": _("Delivered"),
            "waiting": _("Taken, no report yet that it arrived"),
            "undelivered": _("Not delivered"),
            "rejected": _("The provider did not take it, as repeated or not correct"),
            "invalid": _("Not sent, broken or repeated in the list"),
            "failed": _("Not sent, the provider refused the request"),
            "unknown": _("Perhaps sent, the answer was lost"),
            "opted_out": _("Not sent, they had opted out"),
            "pending": _("Still to be sent"),
            "cancelled": _("Cancelled before it was sent"),
        }[outcome]

    def _why(self, outcome: str, reason: str | int) -> str:
        if isinstance(reason, int):
            return self.words.status(reason)
        if not reason or outcome not in ("invalid", "failed", "unknown"):
            return self._called(outcome)
        _, why = self.words.text, self.words.reason(reason).rstrip(".")
        return _("Perhaps sent: {}", why) if outcome == "unknown" else _("Not sent: {}", why)

    def _phone(self, phone: str) -> str:
        return phone if self.with_phones or not phone else mask(phone)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    def line(cell: str, values: Sequence[str]) -> Html:
        cells = zip(values, _CLASSES, titles, strict=True)
        return tag("tr", *(tag(cell, value, class_=kind, data_name=title) for value, kind, title in cells))

    return tag("table", tag("thead", line("th", titles)), tag("tbody", *(line("td", row) for row in rows)))
