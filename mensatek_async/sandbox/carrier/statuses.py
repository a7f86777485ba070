"""The delivery statuses: numbers, what the provider calls them, and what kind of news they are.

Those of the manuals, and those that older manuals and live replies have.
"""

from __future__ import annotations

import json
from importlib.resources import files

SCHEDULED, AWAITING, CANCELLED, DELIVERED, RECEIVED, CERTIFIED, EXPIRED = 1, 2, 29, 11, 13, 14, 53
REPLY_AWAITED, REPLY_RECEIVED, REPLY_CERTIFIED = 15, 16, 17
CONTRACT_OPENED, CONTRACT_READ, CONTRACT_YES, CONTRACT_WRITTEN = 160, 161, 162, 163
CONTRACT_ACCEPTED, CONTRACT_SIGNED, CONTRACT_REJECTED, CONTRACT_EXPIRED = 180, 181, 190, 195
CONTRACT_LOCATED = 5000
TO_VOICE, RINGING, VOICE_DELIVERED = 512, 501, 510
FINAL_CONTRACT = frozenset(
    {REPLY_CERTIFIED, CONTRACT_ACCEPTED, CONTRACT_SIGNED, CONTRACT_REJECTED, CONTRACT_EXPIRED}
)
BY_REPLY, WITH_PDF = 1, 18
CERTIFICATE_READY = frozenset({14, 17, 180, 181})
ARRIVED = frozenset({11, 13, 14, 15, 16, 17, 70, 106, 160, 161, 162, 163, 180, 181, 190, 195})
"""The text is on the phone."""
VOICE = frozenset({500, 501, 502, 503, 504, 505, 509, 510, 512, 550, 551, 552, 553})
"""What comes of a call that says the text, where a send asked for it (`Fail2voice`)."""

_KINDS: dict[str, dict[str, tuple[str, str]]] = json.loads(
    files("mensatek_async.sandbox.carrier").joinpath("statuses.json").read_bytes()
)
"""By kind of news and number, what a status is called in Spanish and in English."""

LABELS = {int(status): names[0] for kind in _KINDS.values() for status, names in kind.items()}
"""What the provider calls each delivery status."""

ENGLISH = {int(status): names[1] for kind in _KINDS.values() for status, names in kind.items()}
"""The same in English."""

PHASES = {int(status): name for name, kind in _KINDS.items() for status in kind}
"""What kind of news each is."""

WAITING = frozenset(status for status, phase in PHASES.items() if phase in ("pending", "retrying"))
"""The carrier has not given up: a text that stays there expires in the end."""

GIVEN = frozenset(status for status, phase in PHASES.items() if phase != "scheduled") - {CANCELLED}
"""What a carrier can say of a text; the others come of its date and of its owner."""


def label(status: int) -> str:
    """The provider's words for a delivery status."""
    return LABELS.get(status, f"Estado {status}")


def phase(status: int) -> str:
    """What kind of news a delivery status is; for the page, cancelled is one of its own."""
    return "cancelled" if status == CANCELLED else PHASES.get(status, "unknown")
