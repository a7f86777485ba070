"""How it is shown what a campaign would send, and what that would cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import asdict, frozen

from ...models.campaign import Preview, PreviewedText
from ...sources.reading import Reading
from ...sources.text_files import shown
from ..language import _, reason
from ..output import Exit, Output, credits_text, plural, spelt
from .view import rows_as_json, say_rows


@frozen(kw_only=True)
class PreviewView:
    """Shows previews.

    Attributes:
        output: where.
        reading: the file of recipients.
        price: credits that a text costs.
        euros: euros that a credit costs; None for not known.
    """

    output: Output
    reading: Reading
    price: Decimal
    euros: Decimal | None

    def show(self, preview: Preview, credits: Decimal | None) -> None:
        """Print what would be sent and what it would cost."""
        output, source = self.output, self.reading.source
        column = shown(self.reading.phone_column, 40)
        output.say("Recipients: {}; phones in column {}.", reason(source.label), column)
        text = _("{} to send", plural(preview.ready, "row"))
        if broken := preview.invalid + preview.repeated:
            text += _(", {:,} broken or repeated", broken)
        if source.blank:
            text += _(" ({} left out)", plural(source.blank, "blank row"))
        if source.hidden:
            text += _(" ({} left out; --include-hidden takes them)", plural(source.hidden, "hidden row"))
        output.say(text + ".")
        if preview.rows > preview.ready:
            left_out = preview.opted_out, preview.repeated, preview.invalid
            output.say("Left out: {:,} opted out, {:,} repeated, {:,} invalid.", *left_out)
        if preview.ready:
            self._show_counts(preview)
            output.say(self._cost(preview, credits))
            if self.euros is not None:
                euros = self._euros(preview), credits_text(self.euros)
                output.say("Euros: {:,.2f} estimated, at {} a credit.", *euros)
            self._show_texts(preview)

    def _show_counts(self, preview: Preview) -> None:
        output, most = self.output, max(preview.segments)
        longest = _("one each") if most == 1 else _("up to {} a recipient", most)
        output.say("Texts: {:,} ({}; {}).", preview.texts, _encodings(preview), longest)
        each = (
            _("{:,} for {}", size, plural(count, "recipient")) for size, count in preview.segments.items()
        )
        output.say("Segments: {}.", ", ".join(each))
        if preview.forcing:
            output.say("Unicode because of: {}", spelt(preview.forcing))
        if preview.gaps:
            gaps = plural(preview.gaps, "row has", "rows have")
            output.say("Note: {} an empty cell where the text has a field.", gaps)

    def _show_texts(self, preview: Preview) -> None:
        """Print the first texts and the longest, as their recipients will see them."""
        for one in preview.samples:
            self._show_text(one, _("Row {}, to {}", one.row, one.phone))
        longest = preview.longest
        if longest is not None and longest in preview.samples:
            self.output.say("The longest text is that of row {}.", longest.row)
        elif longest is not None:
            self._show_text(longest, _("The longest, row {}, to {}", longest.row, longest.phone))

    def _show_text(self, one: PreviewedText, title: str) -> None:
        coding, cost = "Unicode" if one.unicode else "GSM", _credits(self.price * one.segments)
        self.output.say(f"{title}: {plural(one.segments, 'text')}, {coding}, {cost}")
        for written in one.text.splitlines():
            self.output.say(f"    {shown(written, 2000)}")

    def _euros(self, preview: Preview) -> Decimal | None:
        euros = self.euros
        return None if euros is None else self.price * preview.texts * euros

    def _cost(self, preview: Preview, credits: Decimal | None) -> str:
        estimate = self.price * preview.texts
        each = _("{} a text", _credits(self.price))
        line = _(
            "Credits: {} estimated, at {}; the first answer shows the real price.",
            credits_text(estimate),
            each,
        )
        if credits is not None:
            line += _(" The account has {}.", credits_text(credits))
            if credits < estimate:
                line += _(" That may not be enough; the send then stops and says which rows were not sent.")
        return line

    def conclude(self, preview: Preview) -> Exit:
        """Print what a dry run shows last; nothing was sent."""
        output, price = self.output, self.price
        broken = preview.invalid + preview.repeated
        code = Exit.SOME_NOT_SENT if broken or not preview.ready else Exit.DONE
        rows = plural(preview.rows, "row")
        output.say("Dry run: nothing was sent. {:,} of {} can be sent.", preview.ready, rows)
        say_rows(output, _("Broken rows"), preview.problems, broken)
        output.answer(
            {
                "dry_run": True,
                "rows": preview.rows,
                "ready": preview.ready,
                "invalid": broken,
                "repeated": preview.repeated,
                "opted_out": preview.opted_out,
                "hidden_rows": self.reading.source.hidden,
                "texts": preview.texts,
                "segments": preview.segments,
                "unicode_rows": preview.unicode,
                "forcing": list(preview.forcing),
                "credits": price * preview.texts,
                "euros": self._euros(preview),
                "samples": [self._as_json(one) for one in preview.samples],
                "longest": preview.longest and self._as_json(preview.longest),
                "problems": rows_as_json({"invalid": preview.problems}),
                "problem_rows": broken,
                "exit_code": int(code),
            }
        )
        return code

    def _as_json(self, one: PreviewedText) -> dict[str, Any]:
        return {**asdict(one), "credits": self.price * one.segments}


def _encodings(preview: Preview) -> str:
    gsm = preview.ready - preview.unicode
    if not preview.unicode:
        return "GSM"
    return _("{:,} GSM, {:,} Unicode", gsm, preview.unicode) if gsm else "Unicode"


def _credits(amount: Decimal) -> str:
    return f"{credits_text(amount)} {_('credit' if amount == 1 else 'credits')}"
