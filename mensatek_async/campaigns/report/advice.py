"""What to do about those who were not reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...bulk.chunks import REPEATED
from ..journal.left_out import FORGOTTEN

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
CONTRACTS: Final[Mapping[int, str]] = {
    190: "They rejected it: ask them why before you send another one.",
    195: "Their time ran out: send it again with a longer validity.",
}
_REASONS: Final[Mapping[str, str]] = {
    REPEATED: "Their phone got the text of its first row. There is nothing to do.",
    FORGOTTEN: "It was taken out of the store, as was asked. There is nothing to do.",
}


def advice(outcome: str, reason: str | int, name: str) -> str:
    """Return what to do about rows with an outcome and a reason, "" for nothing.

    Args:
        outcome: theirs.
        reason: why, or the code of a delivery status.
        name: the campaign's, as a shell takes it.
    """
    if isinstance(reason, int):
        return _STATUSES.get(reason, _SUPPORT)
    if reason in _REASONS:
        return _REASONS[reason]
    match outcome:
        case "invalid":
            return "Correct these rows in your list, and send them as a campaign of another name."
        case "rejected":
            return f"`mensatek campaign reconcile {name}` asks the provider who they are."
        case "unknown":
            return f"`mensatek campaign reconcile {name}` asks the provider once what became of them."
        case "failed":
            return "The provider refused the request: put right what it says, and send these rows as a new campaign."
        case "opted_out":
            return "They asked for no more texts, and got none. There is nothing to do."
    return ""
