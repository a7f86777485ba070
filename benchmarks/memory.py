"""Peak memory of a bulk send over that of a client that has sent one text, each in a fresh process."""

from __future__ import annotations

from common import options
from processes import working
from report import Report, Target, versions
from server import running

WAYS = {
    "ways_mensatek:bulk": "send_bulk",
    "ways_httpx:chunks": "httpx by hand, 8 workers on one stream",
    "ways_httpx:task_per_chunk": "httpx by hand, a task per chunk",
}
SDK = "ways_mensatek:bulk"
MOST = Target("peak memory of 1,000,000 recipients over the empty client, MB", "<= 10")
FLAT = Target("peak memory of 1,000,000 recipients over that of 100,000, MB", "<= 2")


def growth(base_url: str, way: str, count: int) -> tuple[float, float]:
    """Megabytes at the peak after one text, and how many more after that many recipients."""
    with working(base_url) as worker:
        first = worker.run(f"{way.partition(':')[0]}:send", 1).peak
        return first, worker.run(way, count).peak - first


def main() -> None:
    parser = options(__doc__, rounds=3)
    parser.add_argument("--recipients", type=int, default=1_000_000, help="the most (1,000,000)")
    asked = parser.parse_args()
    rounds, count = (1, 20_000) if asked.quick else (asked.rounds, asked.recipients)
    report = Report("memory", "megabytes at the peak of a process, over those after one text")
    report.packages = versions("mensatek-async", "httpx")
    firsts: list[float] = []
    more: dict[tuple[str, int], list[float]] = {}
    with running() as base_url:
        for _ in range(rounds):
            for way in WAYS:
                for many in (count // 10, count):
                    if many < count and way != SDK:
                        continue
                    first, grown = growth(base_url, way, many)
                    more.setdefault((way, many), []).append(grown)
                    if way == SDK:
                        firsts.append(first)
    report.number("empty", "AsyncMensatek after one text", "MB", firsts)
    for (way, many), values in more.items():
        target = MOST if (way, many) == (SDK, count) else None
        report.number(f"{way} {many}", f"more with {many:,} recipients, {WAYS[way]}", "MB", values, target)
    pairs = zip(more[SDK, count], more[SDK, count // 10], strict=True)
    told = f"send_bulk, {count:,} recipients over {count // 10:,}"
    report.number("flat", told, "MB", [a - b for a, b in pairs], FLAT)
    report.finish(asked)


if __name__ == "__main__":
    main()
