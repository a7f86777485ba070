"""How a report writes numbers, dates and durations in each language."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from ..._wire.scalars import madrid
from ...codes import DeliveryStatus
from ...language import Language

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_SPACE = "\N{NO-BREAK SPACE}"


@frozen
class Words:
    """What a report says, in a language."""

    language: Language

    @property
    def _spanish(self) -> bool:
        return self.language.code == "es"

    def status(self, code: int) -> str:
        """Return a delivery status in a few words."""
        status = DeliveryStatus(code)
        return status.label.rstrip(".") if self._spanish else status.label_en

    def number(self, value: int | Decimal, places: int | None = None) -> str:
        """Return a number with its thousands apart, without idle zeros or with so many decimals."""
        written = f"{value:,f}" if places is None else f"{value:,.{places}f}"
        if places is None and "." in written:
            written = written.rstrip("0").rstrip(".")
        return self.language.number(written)

    def share(self, part: int, whole: int) -> str:
        """Return a part of a whole in percent; "" of nothing."""
        if not whole:
            return ""
        percent = Decimal(100 * part) / whole
        # What is not all, or not nothing, never reads as if it were.
        percent = percent if part in (0, whole) else min(max(percent, Decimal("0.1")), Decimal("99.9"))
        return f"{self.number(percent, 0 if part in (0, whole) or 1 <= percent <= 99 else 1)}{_SPACE}%"

    def euros(self, value: Decimal) -> str:
        """Return an amount of money, with all its decimals and two at least."""
        decimals = len(f"{value.normalize():f}".partition(".")[2])
        written = self.number(value, max(decimals, 2))
        return f"{written}{_SPACE}€" if self._spanish else f"€{written}"

    def moment(self, when: datetime | float | None, form: str = "") -> str:
        """Return a moment in Spanish time, "" for none."""
        if when is None:
            return ""
        if not isinstance(when, datetime):
            when = datetime.fromtimestamp(when, madrid())
        form = form or ("%d/%m/%Y %H:%M" if self._spanish else "%Y-%m-%d %H:%M")
        return when.astimezone(madrid()).strftime(form)

    def duration(self, seconds: float) -> str:
        """Return a duration by its two largest units."""
        left, parts = max(round(seconds), 0), list[str]()
        for unit, size in _UNITS:
            count, left = divmod(left, size)
            if count or parts:
                parts.append(f"{count}{_SPACE}{unit}" if count else "")
        return _SPACE.join(filter(None, parts[:2])) or f"0{_SPACE}s"
