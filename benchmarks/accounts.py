"""Many accounts on one client: their memory, the time to make one, and a guard that processes share."""

from __future__ import annotations

from common import Meter, options
from processes import working
from report import Report, Target, versions
from server import running

MEMORY = Target("1,000 accounts on one client, each with one text sent: megabytes", "<= 10")
SHARED = Target("guard shared over processes, a send when nothing is wrong, us", "<= 20")
PLAIN, GUARDED = "ways_mensatek:send", "ways_mensatek:send_guarded"
MADE, SENT = "ways_mensatek:account_made", "ways_mensatek:account_sends"


def main() -> None:
    parser = options(__doc__, rounds=9)
    parser.add_argument("--accounts", type=int, default=1000, help="how many (1,000)")
    parser.add_argument("--count", type=int, default=500, help="sends in a round (500)")
    asked = parser.parse_args()
    rounds, count = (1, 50) if asked.quick else (asked.rounds, asked.count)
    report = Report("accounts", "many accounts on one client, and a guard that processes share")
    report.packages = versions("mensatek-async", "httpx")
    meter, grown = Meter(rounds), []
    with running() as base_url:
        for _ in range(min(rounds, 3)):
            with working(base_url) as worker:
                first = worker.run(PLAIN, 1).peak
                grown.append(worker.run(SENT, asked.accounts).peak - first)
        with working(base_url) as worker:
            for name in meter.turns([PLAIN, GUARDED, MADE, SENT]):
                meter.add(name, worker.run(name, count).timing)
    times = meter.times
    report.number("memory", f"{asked.accounts:,} accounts, one text each", "MB", grown, MEMORY)
    report.took("made", "client.for_account", times[MADE])
    report.took("sends", "client.for_account(...).sms.send", times[SENT])
    report.took("plain", "client.sms.send", times[PLAIN])
    report.took("guarded", "client.sms.send with Guard(store=<SQLite>)", times[GUARDED])
    more = [(a.cpu - b.cpu) * 1e6 for a, b in zip(times[GUARDED], times[PLAIN], strict=True)]
    report.number("shared", "the latter over the former, by CPU", "us", more, SHARED)
    report.finish(asked)


if __name__ == "__main__":
    main()
