"""The page of a report: words, numbers and pictures drawn in it; nothing is fetched, and nothing in it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from attrs import define

from ..._core.private_file import Kind
from ...errors import InvalidRequest
from ...store.database import Database
from ..journal.records import CampaignRow
from ..options import Content
from .curve import Curve
from .figures import Figures, figures
from .markup import Html, html, prose, tag
from .outcomes import Outcomes
from .plot import plot
from .words import Words

_MARK = "mensatek-async campaign report"
REPORT: Final = Kind(
    "report of a campaign",
    lambda start: _MARK.encode() in start,
    (".csv", ".jsonl", ".ndjson", ".json", ".pdf", ".xlsx", ".xls", ".ods", ".db", ".txt"),
    "It is a page in HTML: name it .html. A browser prints it to PDF.",
)
_STYLE = Path(__file__).with_name("style.css")
_LONGEST = 2000  # characters of the text that are shown
_HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    f'<meta name="generator" content="{_MARK}"><meta name="robots" content="noindex"><meta '
    "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
    '<link rel="icon" href="data:,">'
)


@define
class Page:
    """One report.

    Attributes:
        figures: what it shows.
        words: in which language.
        price: euros that a credit costs; None for no euros.
        with_phones: whether phones are written out.
    """

    figures: Figures
    words: Words
    price: Decimal | None
    with_phones: bool

    def html(self) -> str:
        """Return the page."""
        title = tag("title", f"{self.figures.progress.name} - {self.words.language.text('Campaign report')}")
        head = tag("head", Html(_HEAD), title, Html(f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>"))
        body = tag("body", tag("main", self._header(), *self._sections(), self._footer()))
        return f"<!DOCTYPE html>\n{tag('html', head, body, lang=self.words.language.code)}\n"

    def _sections(self) -> Iterator[Html]:
        _, outcomes = self.words.language.text, Outcomes(self.figures, self.words, self.with_phones)
        for title, content in (
            (_("What was sent"), self._message()),
            (_("Delivered over time"), self._curve()),
            (_("By outcome"), outcomes.bars()),
            (_("Why some were not reached, and what to do"), outcomes.reasons()),
            (_("By delivery status"), outcomes.statuses()),
            (_("The slowest"), outcomes.slowest()),
            (_("Rows that were not reached"), outcomes.missed()),
        ):
            if content:
                yield tag("section", tag("h2", title), content)

    def _header(self) -> Html:
        say, _, figures = self.words, self.words.language.text, self.figures
        times = [_("Started {}", say.moment(figures.row.created))]
        if figures.row.ended is not None:
            times.append(_("ended {}", say.moment(figures.row.ended)))
        times.append(_("report made {} (Spanish time)", say.moment(datetime.now(UTC))))
        states = [self._state(), say.language.reason(figures.progress.note)]
        if figures.row.is_purged:
            states[1] = _(
                "Its phones and texts were purged, and with them what was reported; the counts stay."
            )
        return tag(
            "header",
            tag("p", _("Campaign report"), class_="kind"),
            tag("h1", figures.progress.name),
            *(tag("p", state, class_="state") for state in states if state),
            tag("p", ", ".join(times)),
            tag("dl", *self._tiles(), class_="tiles"),
        )

    def _state(self) -> str:
        say, _, progress = self.words, self.words.language.text, self.figures.progress
        left = say.number(progress.pending)
        if progress.state == "cancelled":
            return _("Cancelled.")
        if progress.state == "paused":
            return _("Paused, still to be sent: {}.", left)
        if progress.state == "running" and progress.reading:
            return _("Running, rows are still read; still to be sent: {}.", left)
        if progress.state == "running":
            return _("Running, still to be sent: {}.", left)
        if progress.scheduled_at is not None and progress.scheduled_at > datetime.now(UTC):
            return _("Taken by the provider, to be sent {}.", say.moment(progress.scheduled_at))
        return _("Everything has been sent.") if progress.total else _("It has no rows.")

    def _tiles(self) -> Iterator[Html]:
        say, _, progress = self.words, self.words.language.text, self.figures.progress
        total, sent, credits = progress.total, progress.sent, progress.credits_used
        tiles = [
            (_("Rows"), say.number(total), ""),
            (_("Taken by the provider"), say.number(sent), say.share(sent, total)),
            (_("Delivered"), say.number(progress.delivered), say.share(progress.delivered, sent)),
            (_("Not delivered"), say.number(progress.undelivered), say.share(progress.undelivered, sent)),
            (_("Texts (segments)"), say.number(self.figures.segments), ""),
            (_("Credits"), say.number(credits), ""),
        ]
        if self.price is not None:
            each = _("at {} a credit", say.euros(self.price))
            tiles.append((_("Euros"), say.euros(round(credits * self.price, 2)), each))
        for name, value, more in tiles:
            number = tag("dd", value, tag("small", more), class_="long" if len(value) > 11 else None)
            yield tag("div", tag("dt", name), number)

    def _message(self) -> Html:
        _, figures = self.words.language.text, self.figures
        text = "" if figures.row.is_purged else figures.content.text
        shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        facts = (
            (_("Sender"), figures.param("sender")),
            (_("Product"), self._product()),
            (_("Reference"), figures.param("reference")),
            (_("Scheduled for"), self.words.moment(figures.progress.scheduled_at)),
        )
        listed = [html(tag("dt", name), tag("dd", value)) for name, value in facts if value]
        return html(tag("p", shown, class_="sms") if shown else None, tag("dl", *listed, class_="facts"))

    def _product(self) -> str:
        if self.figures.content.product == "sms":
            return "SMS"
        _ = self.words.language.text
        return _("Contract SMS") if self.figures.param("contract_type") else _("Certified SMS")

    def _curve(self) -> Html:
        _, curve = self.words.language.text, self.figures.curve
        if curve is None:
            return tag("p", _("The provider has taken nothing yet."), class_="note")
        return html(
            plot(curve, self.words), *(tag("p", prose(note), class_="note") for note in self._notes(curve))
        )

    def _notes(self, curve: Curve) -> Iterator[str]:
        say, _ = self.words, self.words.language.text
        if curve.timed:
            yield _(
                "Half of them had it by {}, 95 % by {}.",
                *(say.moment(curve.when(part)) for part in (0.5, 0.95)),
            )
        elif not self.figures.row.is_purged and not self.figures.statuses:
            yield _("No delivery report has come. They come by webhook, or by `mensatek campaign reconcile`.")
        if curve.later:
            yield _("{} got it later, the last one {}.", say.number(curve.later), say.moment(curve.last))
        if curve.untimed:
            yield _("{} more have it, and nobody knows since when.", say.number(curve.untimed))

    def _footer(self) -> Html:
        _ = self.words.language.text
        notes = [
            _("Delivered and not delivered are those of whom a delivery report has said so."),
            _("Segments are counted here; credits are what the provider's answers named."),
        ]
        if not self.with_phones:
            notes.append(_("Phones are masked."))
        return tag("footer", *(tag("p", note) for note in notes))


def report(
    db: Database,
    row: CampaignRow,
    content: Content,
    path: str | os.PathLike[str],
    *,
    words: Words,
    price: Decimal | None,
    with_phones: bool,
    force: bool,
) -> None:
    """Write the page, whole or not at all.

    Raises:
        InvalidRequest: the file cannot be written, or may not be.
    """
    if db.owns(Path(path)):
        raise InvalidRequest(f"{str(path)!r} is the database of the store: the report needs another name.")
    with REPORT.write(path, force=force) as out:
        out.write(Page(figures(db, row, content), words, price, with_phones).html())
