"""The curve of a report, drawn: lines as SVG that fits its place, with the words of its axes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..._wire.scalars import madrid
from .curve import Curve
from .markup import Html, html, tag
from .words import Words

_WIDTH, _HEIGHT = 1000, 300  # of the drawing, which is stretched to its place
_TIMES = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(86_400 * days for days in (1, 2, 5, 10, 30, 90, 365)),
)
_MOST_TIMES = 6


def plot(curve: Curve, words: Words) -> Html:
    """Return the curve with its axes and its legend."""
    _ = words.language.text
    ups = _ups(max(curve.taken[-1], curve.arrived[-1], 1))
    times = _times(curve)
    lines = [tag("line", class_="grid", x1=0, x2=_WIDTH, y1=y, y2=y) for y in (_y(up, ups[-1]) for up in ups)]
    lines += [
        tag("line", class_="grid", x1=x, x2=x, y1=0, y2=_HEIGHT) for x in (_x(at, curve) for at in times)
    ]
    shown = [("taken", _("taken by the provider"), curve.taken)]
    if curve.arrived[-1]:
        shown.append(("arrived", _("delivered to phones"), curve.arrived))
        under = f"{_path(curve.arrived, ups[-1])} L{_WIDTH} {_HEIGHT} L0 {_HEIGHT} Z"
        lines.append(tag("path", class_="under", d=under))
    lines += [tag("path", class_=f"curve {kind}", d=_path(steps, ups[-1])) for kind, _, steps in shown]
    legend = [tag("li", _sample(kind), name) for kind, name, _ in shown]
    form = "%H:%M:%S" if curve.width * len(curve.taken) < 600 else "%H:%M"
    if len(times) > 1 and times[1] - times[0] >= 86_400:
        form = "%d/%m" if words.language.code == "es" else "%m-%d"
    overs = [
        tag("span", words.moment(at, form), style=f"left:{_x(at, curve) * 100 / _WIDTH:.2f}%") for at in times
    ]
    drawing = tag(
        "svg",
        *lines,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=_("Delivered over time"),
    )
    heights = [tag("span", words.number(up)) for up in ups]
    return html(
        tag("ul", *legend, class_="legend"),
        tag(
            "div",
            tag("div", *heights, class_="ups"),
            drawing,
            tag("div", *overs, class_="overs"),
            class_="plot",
        ),
    )


def _sample(kind: str) -> Html:
    line = tag("line", class_=f"curve {kind}", x1=0, x2=32, y1=6, y2=6)
    return tag("svg", line, viewBox="0 0 32 12", aria_hidden="true")


def _ups(most: int) -> list[int]:
    """Return where the lines across are drawn, up to what is as much as the most."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if step * 5 >= most:
                return list(range(0, most + step, step))
        size *= 10


def _times(curve: Curve) -> list[int]:
    """Return the moments that are named, seconds since 1970: whole hours, minutes or days of Spanish time."""
    length = curve.width * len(curve.taken)
    step = next((step for step in _TIMES if length / step <= _MOST_TIMES), _TIMES[-1])
    away = datetime.fromtimestamp(curve.start, madrid()).utcoffset()
    offset = int(away.total_seconds()) if away else 0
    first = -(-(curve.start + offset) // step) * step - offset
    return list(range(first, curve.start + length * 97 // 100, step))[:_MOST_TIMES]


def _x(moment: float, curve: Curve) -> float:
    return round((moment - curve.start) * _WIDTH / (curve.width * len(curve.taken)), 1)


def _y(count: int, most: int) -> float:
    return round(_HEIGHT - count * _HEIGHT / most, 1)


def _path(steps: Sequence[int], most: int) -> str:
    """Return a line through the totals, without the points in the middle of a level."""
    points = [(0.0, _y(0, most))] + [
        ((at + 1) * _WIDTH / len(steps), _y(n, most)) for at, n in enumerate(steps)
    ]
    bent = [
        point
        for before, point, after in zip(points, points[1:], points[2:], strict=False)
        if not before[1] == point[1] == after[1]
    ]
    return "M" + " L".join(f"{x:.1f} {y:g}" for x, y in (points[0], *bent, points[-1]))
