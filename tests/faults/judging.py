"""The verdict over a campaign: what the sandbox counted, against what the campaign says of itself."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def phone_of(written: str) -> str:
    """The international digits of a mobile, however these tests write it."""
    digits = "".join(sign for sign in written if sign.isdigit()).removeprefix("00")
    return digits if len(digits) > 9 else f"34{digits}"


@dataclass(slots=True)
class Verdict:
    """What went wrong, by phone."""

    doubled: list[str] = field(default_factory=list)  # got more than one text
    lost: list[str] = field(default_factory=list)  # got none, and no reason is named that would excuse it
    unknown: list[str] = field(default_factory=list)  # the campaign says that it cannot know
    lies: list[str] = field(default_factory=list)  # rows whose outcome is not what happened

    @property
    def clean(self) -> bool:
        """Nobody lost, nobody texted twice, nothing said that is not so."""
        return not (self.doubled or self.lost or self.lies)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


_MAYBE = "sent_or_rejected"  # of a chunk that the provider took in part, without saying which
_TEXTED = ("sent", _MAYBE, "unknown")


def judge(
    counts: Mapping[str, int],
    given: Iterable[str],
    rows: list[dict[str, str]],
    progress: Mapping[str, Any] | None = None,
    *,
    refused: Iterable[str] = (),
) -> Verdict:
    """Compare the sandbox's count of texts per phone with a campaign's export and progress.

    `given` are the phones as they were given, in order, repeats included; those in `refused` may rightly have no text.
    """
    verdict = Verdict()
    phones = [phone_of(one) for one in given]
    outcomes: dict[str, list[str]] = {}
    for row in rows:
        outcomes.setdefault(phone_of(row["phone"]), []).append(row["outcome"])
    excused = {phone_of(one) for one in refused}
    for phone in dict.fromkeys(phones):
        got, said = counts.get(phone, 0), outcomes.get(phone, [])
        if got > 1:
            verdict.doubled.append(phone)
        if "unknown" in said:
            verdict.unknown.append(phone)
        elif not got and phone not in excused:
            verdict.lost.append(phone)
        verdict.lies += _lies(phone, got, said)
    if len(rows) != len(phones):
        verdict.lies.append(f"{len(rows)} rows exported of {len(phones)} given")
    if progress is not None:
        verdict.lies += _sums(progress, Counter(row["outcome"] for row in rows), len(phones))
    return verdict


def _lies(phone: str, got: int, said: list[str]) -> list[str]:
    firsts = [one for one in said if one != "invalid"]
    if got and not any(one in _TEXTED for one in said):
        return [f"{phone}: texted, said {said}"]
    if not got and "sent" in said:
        return [f"{phone}: not texted, said {said}"]
    if len(firsts) > 1:
        return [f"{phone}: {said} for one phone"]
    return []


def _sums(progress: Mapping[str, Any], outcomes: Counter[str], given: int) -> list[str]:
    lies = []
    names = ("sent", "rejected", "invalid", "opted_out", "unknown", "failed", "pending", "cancelled")
    # Undelivered texts were sent and failed: they are in both.
    total = sum(int(progress.get(name, 0)) for name in names) - int(progress.get("undelivered", 0))
    if total != progress["total"] or progress["total"] != given:
        lies.append(f"total {progress['total']}, sum {total}, given {given}: {dict(progress)}")
    for names in (("unknown",), ("invalid",), ("opted_out",), ("sent", "rejected", _MAYBE)):
        told, exported = (sum(found.get(name, 0) for name in names) for found in (progress, outcomes))
        if told != exported:
            lies.append(f"{told} {names[0]} by progress, {exported} by export")
    if not outcomes[_MAYBE] and outcomes["sent"] != progress["sent"]:
        lies.append(f"{progress['sent']} sent by progress, {outcomes['sent']} by export")
    return lies
