"""A campaign's row, and the settings that may change while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from ..._wire.structure import loads
from ...models.campaign import CampaignState
from ...store.transaction import Tx
from .hours import Hours
from .states import MICRO

_COLUMNS = (
    "id, uid, name, account, state, reason, note, settings, content, idmensaje, opener_gen, next_seq, ingested, "
    "ingest_done, source_fingerprint, source_file, ingest_owner, ingest_until, invalid, refusals, troubles, "
    "price, delivered, undelivered, reconciled, created, ended"
)


@frozen(kw_only=True)
class Settings:
    """What may be changed by starting a campaign again.

    Attributes:
        rate: recipients a second; None for as fast as it goes.
        start: the first time of day to send, None for any.
        end: the time of day from which nothing is sent.
        local: whether these are in the recipient's time instead of Spanish time.
        max_credits: what may be spent in all; None for no cap.
        unknown_after: seconds after which unknown recipients are settled; None leaves them.
        unknown_policy: how.
    """

    rate: float | None = None
    start: time | None = None
    end: time | None = None
    local: bool = False
    max_credits: Decimal | None = None
    unknown_after: float | None = None
    unknown_policy: str = "keep"

    @property
    def hours(self) -> Hours | None:
        """The hours in which it sends."""
        return Hours(self.start, self.end) if self.start is not None and self.end is not None else None

    @property
    def cap(self) -> int | None:
        """The cap in millionths of a credit."""
        return None if self.max_credits is None else int(self.max_credits * MICRO)


def _settings(text: str) -> Settings:
    return loads(text, Settings)


@frozen
class CampaignRow:
    """One row of the campaigns' table."""

    id: int
    uid: str
    name: str
    account: str = field(repr=False)
    state: CampaignState
    reason: str
    note: str
    settings: Settings = field(converter=_settings)
    content: str
    idmensaje: int | None
    opener_gen: int
    next_seq: int
    ingested: int
    ingest_done: int
    source_fingerprint: str
    source_file: str
    ingest_owner: str
    ingest_until: float
    invalid: int
    refusals: int
    troubles: int
    price: int
    delivered: int
    undelivered: int
    reconciled: int
    created: float
    ended: float | None

    def is_read_by_somebody(self, now: float) -> bool:
        """Whether somebody is alive who reads its rows."""
        return not self.ingest_done and self.ingest_until > now


def by_id(tx: Tx, campaign: int, *, lock: bool = False) -> CampaignRow:
    """A campaign that is known to exist."""
    sql = f"SELECT {_COLUMNS} FROM mensatek_campaign WHERE id = ?"  # noqa: S608
    return CampaignRow(*tx.one(sql + (tx.locking if lock else ""), campaign))


def by_name(tx: Tx, name: str) -> CampaignRow | None:
    """A campaign, or None."""
    row = tx.one(f"SELECT {_COLUMNS} FROM mensatek_campaign WHERE name = ?", name)  # noqa: S608
    return CampaignRow(*row) if row else None


def all_of(tx: Tx, states: Sequence[str] = ()) -> list[CampaignRow]:
    """Every campaign in one of the states, oldest first; all without states."""
    marks = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
    rows: list[Any] = tx.all(f"SELECT {_COLUMNS} FROM mensatek_campaign {marks} ORDER BY id", *states)  # noqa: S608
    return [CampaignRow(*row) for row in rows]


def set_state(tx: Tx, campaign: int, state: str, reason: str = "", note: str = "") -> None:
    """Move a campaign to another state."""
    ended = tx.wall if state in ("done", "cancelled") else None
    tx.run(
        "UPDATE mensatek_campaign SET state = ?, reason = ?, note = ?, ended = ? WHERE id = ?",
        *(state, reason, note, ended, campaign),
    )


def reopen(tx: Tx, campaign: int) -> None:
    """A campaign that was done has something to send again."""
    tx.run(
        "UPDATE mensatek_campaign SET state = 'running', ended = NULL WHERE id = ? AND state = 'done'",
        campaign,
    )
