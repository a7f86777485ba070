"""What processes share of the guard, as rows of a store: nothing of it is secret, and no phone stands in it."""

from __future__ import annotations

import hashlib
import os
from enum import Enum

from attrs import frozen

from ...settings import Account
from ...store.owner import has_ended
from ...store.schema import Schema
from ...store.transaction import Tx

GUARD = Schema(
    suffix=":guard",
    steps=[
        [
            """CREATE TABLE IF NOT EXISTS mensatek_guard (
                account TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL, at {real} NOT NULL,
                until {real} NOT NULL, number INTEGER NOT NULL, value TEXT NOT NULL, keep_until {real} NOT NULL,
                PRIMARY KEY (account, what, about)){rowless}""",
            "CREATE INDEX IF NOT EXISTS mensatek_guard_at ON mensatek_guard (at)",
            "CREATE INDEX IF NOT EXISTS mensatek_guard_keep ON mensatek_guard (keep_until)",
        ]
    ],
)
_LONG, _SHORT = 86_400.0, 60.0  # seconds beyond its end that a row is kept
_SALT = "salt:guard"
_PLACE = "account = ? AND what = ? AND about = ?"
_REPLACE = "at = excluded.at, until = excluded.until, number = excluded.number, value = excluded.value"
_RAISE = ", ".join(
    f"{name} = CASE WHEN excluded.{name} > mensatek_guard.{name} THEN excluded.{name} ELSE mensatek_guard.{name} END"
    for name in ("until", "number")
)


class What(Enum):
    """What a row is about; in brackets what its columns say."""

    BLOCK = "block"  # the provider blocked the account (until)
    HOLD = "hold"  # it asked to wait (until)
    WRONG = "wrong"  # a wrong call (about: its operation and a number)
    RARE = "rare"  # a call meant for rare use (about: its operation)
    LOGIN = "login"  # a token (about: its digest; until, number: how long, how often it is refused; value: accepted)
    TURN = "turn"  # the first call of a token (about: its digest; value: the process that makes it)
    CREDITS = "credits"  # the credits that a read named (about: the token's digest)
    READ = "read"  # when a read went out last (about: a digest of what was asked)


_OF_A_TOKEN = (What.LOGIN, What.TURN, What.CREDITS)


@frozen
class Keys:
    """Under which names an account, and a token of it, stand in a store.

    The store's own salt is in them, so they mean nothing elsewhere; a token cannot be guessed from its digest, which is
    slow to make, and short.
    """

    salt: bytes
    account: str
    login: str

    def place(self, what: What, asked: object = "") -> tuple[str, str, str]:
        """Return where a row stands: account, what it is about, and which of its kind."""
        if what is What.READ:
            return self.account, what.value, _digest(f"{self.login} {asked!r}", self.salt)
        return self.account, what.value, self.login if what in _OF_A_TOKEN else str(asked)


@frozen
class Row:
    """A row: `age` and `left` are seconds since it was written, and until its end."""

    account: str
    what: What
    about: str
    age: float
    left: float
    number: int
    value: str


def keys_of(tx: Tx, account: Account) -> Keys:
    tx.run(
        "INSERT INTO mensatek_meta VALUES (?, ?) ON CONFLICT (name) DO NOTHING", _SALT, os.urandom(16).hex()
    )
    salt = bytes.fromhex(tx.one("SELECT value FROM mensatek_meta WHERE name = ?", _SALT)[0])
    whose = f"{account.base_url} {account.user}"
    token = f"{whose} {account.token.reveal()}".encode()
    login = hashlib.scrypt(token, salt=salt, n=2048, r=8, p=1, dklen=8).hex()
    return Keys(salt, _digest(whose, salt), login)


def _digest(text: str, salt: bytes) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=salt, digest_size=12).hexdigest()


def look(tx: Tx, keys: Keys) -> list[Row]:
    """Return all that is known of an account, but for its reads."""
    return _rows(tx, "account = ?", keys.account)


def news(tx: Tx, since: float) -> list[Row]:
    """Return what was written of any account since a moment of the store's civil time, but for reads."""
    return _rows(tx, "at > ?", since)


def _rows(tx: Tx, which: str, value: str | float) -> list[Row]:
    asked = f"SELECT account, what, about, at, until, number, value FROM mensatek_guard WHERE {which} AND what <> ?"
    return [
        # A clock that was set back makes nothing last longer than it was meant to.
        Row(
            account, What(what), about, max(tx.wall - at, 0.0), min(until - tx.wall, until - at), number, text
        )
        for account, what, about, at, until, number, text in tx.all(asked, value, What.READ.value)
    ]


def put(
    tx: Tx,
    place: tuple[str, str, str],
    *,
    left: float = 0.0,
    number: int = 0,
    value: str = "",
    longest: bool = False,
) -> None:
    """Write a row that ends in `left` seconds, and remove those that mean nothing any more.

    With `longest` the later end, and the greater number, stays.
    """
    tx.run("DELETE FROM mensatek_guard WHERE keep_until < ?", tx.wall)
    until = tx.wall + left
    kept = _LONG if What(place[1]) in (What.LOGIN, What.CREDITS) else _SHORT
    tx.run(
        "INSERT INTO mensatek_guard VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, what, about) DO UPDATE SET "
        + (f"at = excluded.at, value = excluded.value, {_RAISE}" if longest else _REPLACE)
        + ", keep_until = excluded.keep_until",
        *(*place, tx.wall, until, number, value, until + kept),
    )


def remove(tx: Tx, place: tuple[str, str, str], value: str = "") -> None:
    """Remove a row, if it has still this value: a turn is given back."""
    tx.run(f"DELETE FROM mensatek_guard WHERE {_PLACE} AND value = ?", *place, value)


def book(tx: Tx, place: tuple[str, str, str], interval: float) -> float:
    """Take the turn of a call that goes out once in an interval; return the seconds until then, 0 when it is taken."""
    _, at, _ = _locked(tx, place)
    wait = float(at + interval - tx.wall)
    if wait <= 0.001 or at > tx.wall + 1:  # a sleep may end a hair early; a clock may go back
        put(tx, place, left=interval)
        return 0.0
    return wait


def take_turn(tx: Tx, keys: Keys, process: str, lease: float) -> bool:
    """Take a token's first call; return False while a process that has not ended makes it."""
    place = keys.place(What.TURN)
    holder, at, until = _locked(tx, place)
    if holder not in ("", process) and at - 1 < tx.wall < until and not has_ended(holder):
        return False
    put(tx, place, left=lease, value=process)
    return True


def _locked(tx: Tx, place: tuple[str, str, str]) -> tuple[str, float, float]:
    """Return the value, writing time and end of a row, which nobody else changes before this transaction ends."""
    tx.run("INSERT INTO mensatek_guard VALUES (?, ?, ?, 0, 0, 0, '', 0) ON CONFLICT DO NOTHING", *place)
    asked = f"SELECT value, at, until FROM mensatek_guard WHERE {_PLACE}"
    value, at, until = tx.one(asked + tx.locking, *place) or ("", 0.0, 0.0)
    return value, at, until
