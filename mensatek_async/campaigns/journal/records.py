"""A campaign's row, and the settings that may change while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from decimal import Decimal
from functools import lru_cache
from typing import Any

from attrs import evolve, field, fields_dict, frozen

from ..._wire.structure import loads
from ...models.campaign import CampaignState
from ...store.transaction import Tx
from .hours import Hours
from .states import MICRO


@frozen(kw_only=True)
class Settings:
    """What may be changed by starting a campaign again; see `CampaignOptions`."""

    rate: float | None = None
    start: time | None = None  # the first time of day to send
    end: time | None = None  # the time of day from which nothing is sent
    local: bool = False  # whether these are in the recipient's time instead of Spanish time
    max_credits: Decimal | None = None
    unknown_after: float | None = None
    unknown_policy: str = "keep"
    respect_opt_outs: bool = True
    start_at: float | None = None  # from when on it sends, seconds since 1970
    asked_at: float | None = None  # the same as its program has given it, where it was moved since
    moved_to: str = ""  # when the provider is to deliver it, as the wire has it, where that was moved

    def renewed(self, given: Settings) -> Settings:
        """Return the settings that a campaign is started with again; dates that were moved stay so, as if given."""
        again = given.asked_at in (None, self.asked_at)
        kept = self if again else given
        return evolve(given, start_at=kept.start_at, asked_at=kept.asked_at, moved_to=self.moved_to)

    def until_start(self, now: float) -> float:
        """Return the seconds until it sends; 0 where it may."""
        return 0.0 if self.start_at is None else max(self.start_at - now, 0.0)

    @property
    def hours(self) -> Hours | None:
        return Hours(self.start, self.end) if self.start is not None and self.end is not None else None

    @property
    def cap(self) -> int | None:
        """Return the cap in millionths of a credit."""
        return None if self.max_credits is None else int(self.max_credits * MICRO)


@lru_cache  # every claim reads those of every campaign that runs
def _loaded(text: str) -> Settings:
    return loads(text, Settings)


def _settings(text: str) -> Settings:
    return _loaded(text)


@frozen
class CampaignRow:
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

    @property
    def is_purged(self) -> bool:
        """Return whether its phones and texts were purged, and what it was known by again."""
        return not self.content

    def is_read_by_somebody(self, now: float) -> bool:
        """Return whether somebody is alive who reads its rows."""
        return not self.ingest_done and self.ingest_until > now


_SELECT = f"SELECT {', '.join(fields_dict(CampaignRow))} FROM mensatek_campaign"


def by_id(tx: Tx, campaign: int, *, lock: bool = False) -> CampaignRow:
    """Return a campaign that is known to exist."""
    return CampaignRow(*tx.one(f"{_SELECT} WHERE id = ?{tx.locking if lock else ''}", campaign))


def by_name(tx: Tx, name: str) -> CampaignRow | None:
    row = tx.one(f"{_SELECT} WHERE name = ?", name)
    return CampaignRow(*row) if row else None


def all_of(tx: Tx, states: Sequence[str] = (), account: str | None = None) -> list[CampaignRow]:
    """Return every campaign in one of the states and of the account, oldest first; all without these."""
    where = f"WHERE state IN ({', '.join('?' * len(states))})" if states else ""
    rows = [CampaignRow(*row) for row in tx.all(f"{_SELECT} {where} ORDER BY id", *states)]
    return [row for row in rows if account in (None, row.account)]


def options_of(tx: Tx, campaign: int) -> str:
    """Return what a campaign sends, a `Content` as it is written down."""
    return str(tx.one("SELECT options FROM mensatek_campaign WHERE id = ?", campaign)[0])


def set_campaign(tx: Tx, campaign: int, **columns: Any) -> None:
    names = ", ".join(f"{name} = ?" for name in columns)
    tx.run(f"UPDATE mensatek_campaign SET {names} WHERE id = ?", *columns.values(), campaign)


def add_to_campaign(tx: Tx, campaign: int, **columns: int) -> None:
    names = ", ".join(f"{name} = {name} + ?" for name in columns)
    tx.run(f"UPDATE mensatek_campaign SET {names} WHERE id = ?", *columns.values(), campaign)


def set_state(tx: Tx, campaign: int, state: str, reason: str = "", note: str = "") -> None:
    ended = tx.wall if state in ("done", "cancelled") else None
    set_campaign(tx, campaign, state=state, reason=reason, note=note, ended=ended)


def reopen(tx: Tx, campaign: int) -> None:
    """Let a campaign go on that was done, if it was: it has something to send again."""
    tx.run(
        "UPDATE mensatek_campaign SET state = 'running', ended = NULL WHERE id = ? AND state = 'done'",
        campaign,
    )
