"""What keeps an account's items waiting: a refused login, no credits, or a provider that answers nobody."""

from __future__ import annotations

from attrs import evolve, fields_dict, frozen

from ..store.transaction import Tx

_MANY = 4  # requests in a row that came to nothing
_PATIENCE = 0.25  # seconds for each of those
_LONGEST_TROUBLE = 60.0
_PAUSE, _LONGEST_PAUSE = 60.0, 900.0  # seconds without a call of an account that is refused; they double


@frozen
class Hold:
    """What an account's items wait for.

    Attributes:
        name: whose it is.
        troubles: requests in a row that came to nothing.
        until: when it ends, by the store's clock.
        length: how long the last pause was; 0 once a request was taken.
        trial: whether it lasts until one request has found out whether it is over.
        reason: why.
    """

    name: str
    troubles: int = 0
    until: float = 0.0
    length: float = 0.0
    trial: int = 0
    reason: str = ""

    @property
    def is_suspect(self) -> bool:
        """Return whether one request at a time finds out whether the provider takes any."""
        return self.length > 0 or self.troubles >= _MANY

    def pause(self, tx: Tx, reason: str, least: float) -> Hold:
        """Begin a pause, twice as long as the last one; what comes in while there is one is old news."""
        if self.length and self.until > tx.now and not self.trial:
            return self
        length = min(max(_PAUSE, 2 * self.length), _LONGEST_PAUSE)
        until = tx.now + max(length, least)
        return evolve(self, until=until, length=length, trial=0, reason=reason)._kept(tx)

    def trouble(self, tx: Tx, reason: str) -> Hold:
        """Note a request that came to nothing; from some in a row on everybody waits, longer each time."""
        troubles = self.troubles + 1
        wait = min(_PATIENCE * troubles, _LONGEST_TROUBLE) if troubles >= _MANY else 0.0
        until = max(0.0 if self.trial else self.until, tx.now + wait)
        return evolve(self, troubles=troubles, until=until, trial=0, reason=reason)._kept(tx)

    def tried(self, tx: Tx, seconds: float) -> Hold:
        """Let nobody else try until the one request is back, so many seconds at most."""
        return evolve(self, until=tx.now + seconds, trial=1)._kept(tx)

    def over(self, tx: Tx) -> Hold:
        """End it, if it is one: the provider answers."""
        return Hold(self.name)._kept(tx) if self.troubles or self.length else self

    def _kept(self, tx: Tx) -> Hold:
        tx.run(
            f"INSERT INTO mensatek_outbox_hold ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET troubles = excluded.troubles, until = excluded.until, "
            "length = excluded.length, trial = excluded.trial, reason = excluded.reason",
            *(self.name, self.troubles, self.until, self.length, self.trial, self.reason),
        )
        return self


_COLUMNS = ", ".join(fields_dict(Hold))


def hold_of(tx: Tx, name: str) -> Hold:
    """Return what the items of an account wait for."""
    found = tx.one(f"SELECT {_COLUMNS} FROM mensatek_outbox_hold WHERE name = ?", name)
    return Hold(*found) if found else Hold(name)
