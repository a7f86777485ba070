"""The table of contracts, as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, get_args

from attrs import field, frozen

from ..codes import DeliveryStatus, Phase
from ..durable.forgetting import tombstone
from ..durable.work import is_older
from ..models.contracts import Contract, ContractState
from ..models.events import DeliveryReport
from ..store.database import note_deletion
from ..store.schema import Schema
from ..store.transaction import Tx

CONTRACTS: Final = Schema(
    ":contracts",
    (
        (
            # Whether the first reports of a message are about a contract is known only later, hence is_contract.
            """CREATE TABLE mensatek_contract (
                message_id BIGINT NOT NULL, phone TEXT NOT NULL, state TEXT NOT NULL, is_contract INTEGER NOT NULL,
                reference TEXT NOT NULL DEFAULT '', verification_code TEXT NOT NULL DEFAULT '',
                code INTEGER, reported_at {real}, sent_at {real}, delivered_at {real}, opened_at {real},
                read_at {real}, accepted_at {real}, ended_at {real}, reminded_at {real},
                deliver_by {real}, accept_by {real}, changed {real} NOT NULL, PRIMARY KEY (message_id, phone))""",
            "CREATE INDEX mensatek_contract_state ON mensatek_contract (is_contract, state)",
            # The requests of campaigns whose recipients have been taken in.
            """CREATE TABLE mensatek_contract_chunk (
                campaign_id BIGINT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (campaign_id, seq))""",
        ),
    ),
)
STATES: Final[Sequence[ContractState]] = get_args(ContractState)
PENDING: Final = STATES[: STATES.index("signed")]
_RANK = {state: STATES.index(state) for state in PENDING} | {
    state: len(STATES) + at for at, state in enumerate(("failed", "expired", "rejected", "signed"))
}
_BY_CODE: dict[int, ContractState] = {
    16: "accepted",
    160: "opened",
    161: "read",
    162: "accepted",
    195: "expired",
}
_EXPIRES = (
    "CASE WHEN state = 'sent' AND (accept_by IS NULL OR deliver_by < accept_by) THEN deliver_by "
    "ELSE accept_by END"
)
_SENT = "CASE WHEN sent_at IS NULL THEN COALESCE(delivered_at, changed) ELSE sent_at END"
_SELECT = (
    "SELECT message_id, phone, state, reference, code, sent_at, delivered_at, opened_at, read_at, accepted_at, "
    f"ended_at, reminded_at, {_EXPIRES} AS expires_at, verification_code FROM mensatek_contract WHERE is_contract = 1"
)
_ONE = "WHERE message_id = ? AND phone = ?"


@frozen(kw_only=True)
class Sending:
    """What the contracts of one request have in common; times are seconds since 1970, None when unknown."""

    message_id: int
    reference: str = field(default="", repr=False)
    sent_at: float
    deliver_by: float | None = None
    accept_by: float | None = None


def state_of(status: DeliveryStatus) -> ContractState:
    """Return how far a contract has come by a status of it."""
    if status.is_rejected:
        return "rejected"
    if status.is_signed:
        return "signed"
    if status.is_failed:
        return "failed"
    return _BY_CODE.get(status.code, "delivered" if status.is_delivered else "sent")


def add_sent(tx: Tx, sending: Sending, phones: Iterable[str]) -> int:
    """Add contracts that were sent, whatever reports on them came before; return how many were not known as such."""
    message_id = sending.message_id
    rows = tx.all("SELECT name FROM mensatek_meta WHERE name LIKE ?", tombstone(-message_id, "") + "%")
    forgotten = {name for (name,) in rows}
    every = [phone for phone in dict.fromkeys(phones) if tombstone(-message_id, phone) not in forgotten]
    counted = (
        f"SELECT count(*) FROM mensatek_contract WHERE message_id = ? AND is_contract = 1 AND phone{tx.among}"
    )
    new = len(every) - int(tx.one(counted, message_id, tx.listed(every))[0])
    same = (sending.reference, sending.sent_at, sending.deliver_by, sending.accept_by, tx.wall)
    tx.many(
        "INSERT INTO mensatek_contract (message_id, phone, state, is_contract, reference, sent_at, deliver_by, "
        "accept_by, changed) VALUES (?, ?, 'sent', 1, ?, ?, ?, ?, ?) ON CONFLICT (message_id, phone) DO UPDATE SET "
        "is_contract = 1, reference = CASE WHEN excluded.reference = '' THEN mensatek_contract.reference ELSE "
        "excluded.reference END, sent_at = excluded.sent_at, deliver_by = COALESCE(excluded.deliver_by, "
        "mensatek_contract.deliver_by), accept_by = COALESCE(excluded.accept_by, mensatek_contract.accept_by)",
        [(message_id, phone, *same) for phone in every],
    )
    tx.run("UPDATE mensatek_contract SET is_contract = 1 WHERE message_id = ?", message_id)
    return new


def record(tx: Tx, report: DeliveryReport) -> bool:
    """Take a report of a certified text in; return whether it is about a contract, as far as is known by now.

    It may come twice, in any order, days late, or before the contract is known to be sent.
    """
    key, status = (report.message_id, report.phone), report.status
    if _is_forgotten(tx, *key):
        return False
    shows = status.phase is Phase.CONTRACT or status.code == 5000
    known = tx.one("SELECT 1 FROM mensatek_contract WHERE message_id = ? AND is_contract = 1 LIMIT 1", key[0])
    tx.run(
        "INSERT INTO mensatek_contract (message_id, phone, state, is_contract, changed) VALUES (?, ?, 'sent', ?, ?) "
        "ON CONFLICT (message_id, phone) DO NOTHING",
        *(*key, int(bool(known)), tx.wall),
    )
    if shows and not known:
        tx.run("UPDATE mensatek_contract SET is_contract = 1 WHERE message_id = ?", key[0])
    _note(tx, key, report)
    return bool(known or shows)


def _note(tx: Tx, key: tuple[int, str], report: DeliveryReport) -> None:
    status, moment = report.status, report.reported_at.timestamp() if report.reported_at else None
    columns = f"SELECT state, code, reported_at, reference, verification_code FROM mensatek_contract {_ONE}{tx.locking}"
    state, code, earlier, reference, verification = tx.one(columns, *key)
    changed: dict[str, Any] = {
        "reference": reference or report.reference,
        "verification_code": verification or report.verification_code,
        "changed": tx.wall,
    }
    first = ""
    if status.phase is not Phase.INFO:
        before = None if code is None else DeliveryStatus(code, certifies=True)
        if before is None or not is_older(moment, earlier, status, before):
            changed |= {"code": status.code, "reported_at": moment}
        now, at = state_of(status), tx.wall if moment is None else moment
        if _RANK[now] > _RANK[state]:
            changed |= {"state": now} if now in PENDING else {"state": now, "ended_at": at}
        if now in PENDING and now != "sent":
            first, changed["at"] = f"{now}_at", at
    names = ", ".join(
        f"{name} = ?" if name != "at" else f"{first} = COALESCE({first}, ?)" for name in changed
    )
    tx.run(f"UPDATE mensatek_contract SET {names} {_ONE}", *changed.values(), *key)


def listed(
    tx: Tx,
    states: Sequence[str],
    message_id: int | None,
    expires_within: float | None,
    sent_before: float | None,
    limit: int,
) -> list[Contract]:
    """Return contracts in some states, those that expire first at the front; times are seconds from now."""
    conditions: dict[str, Any] = {
        f"state{tx.among}": tx.listed(states),
        "message_id = ?": message_id,
        f"{_EXPIRES} <= ?": None if expires_within is None else tx.wall + expires_within,
        f"{_SENT} <= ?": None if sent_before is None else tx.wall - sent_before,
    }
    given = {condition: value for condition, value in conditions.items() if value is not None}
    sql = f"{_SELECT} AND {' AND '.join(given)} ORDER BY {_EXPIRES} IS NULL, {_EXPIRES}, message_id, phone LIMIT ?"
    return [_contract(row) for row in tx.all(sql, *given.values(), limit)]


def get(tx: Tx, message_id: int, phone: str) -> Contract | None:
    """Return one contract, None when it is not known."""
    row = tx.one(f"{_SELECT} AND message_id = ? AND phone = ?", message_id, phone)
    return _contract(row) if row else None


def counts(tx: Tx) -> dict[ContractState, int]:
    """Return how many contracts are in each state."""
    found = dict(tx.all("SELECT state, count(*) FROM mensatek_contract WHERE is_contract = 1 GROUP BY state"))
    return {state: int(found.get(state, 0)) for state in STATES}


def reminded(tx: Tx, contract: Contract) -> None:
    """Note that a recipient was reminded."""
    key = contract.message_id, contract.phone
    tx.run(f"UPDATE mensatek_contract SET reminded_at = ? {_ONE}", tx.wall, *key)


def purge(tx: Tx, age: float) -> int:
    """Remove contracts that ended so many seconds ago, and reports on what was none; return how many were contracts."""
    old = "FROM mensatek_contract WHERE changed < ?"
    ended = tx.run(
        f"DELETE {old} AND is_contract = 1 AND NOT state{tx.among}", tx.wall - age, tx.listed(PENDING)
    )
    if ended + tx.run(f"DELETE {old} AND is_contract = 0", tx.wall - age):
        note_deletion(tx)
    return ended


def _is_forgotten(tx: Tx, message_id: int, phone: str) -> bool:
    names = tombstone(-message_id, phone), tombstone(-message_id, "")
    return bool(tx.one("SELECT 1 FROM mensatek_meta WHERE name IN (?, ?)", *names))


def _contract(row: Sequence[Any]) -> Contract:
    message_id, phone, state, reference, code, *moments, verification = row
    sent, delivered, opened, read, accepted, ended, reminder, expires = map(_moment, moments)
    return Contract(
        message_id=message_id,
        phone=phone,
        state=state,
        reference=reference,
        status=None if code is None else DeliveryStatus(code, certifies=True),
        sent_at=sent,
        delivered_at=delivered,
        opened_at=opened,
        read_at=read,
        accepted_at=accepted,
        ended_at=ended,
        reminded_at=reminder,
        expires_at=expires,
        verification_code=verification,
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
