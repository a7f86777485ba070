"""`mensatek contract status` and `remind`: who has not opened, read or signed theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from attrs import asdict

from ..._wire.scalars import madrid
from ...models.contracts import Contract, ContractState, WaitingFor
from ...models.results import SendResult
from ...sources.text_files import shown
from ...sync.generated._contracts import SyncContracts
from ...text.template import Template
from ..account import connect, parse_duration
from ..campaign.view import check_store, place
from ..language import _, later
from ..options import AccountOptions, Limit, StoreOptions
from ..output import Exit, Output, Stop, plural

_STATES = later("sent", "delivered", "opened", "read", "accepted", "signed", "rejected", "expired", "failed")
_MOMENTS = later("sent {:%Y-%m-%d %H:%M}", "expires {:%Y-%m-%d %H:%M}", "reminded {:%Y-%m-%d %H:%M}")


def status(
    *,
    waiting_for: WaitingFor = "signed",
    state: ContractState | None = None,
    expires_within: str | None = None,
    message_id: int | None = None,
    limit: Limit = 100,
    options: StoreOptions = StoreOptions(),
) -> Exit:
    """Show contracts in flight: who has not opened, read or signed theirs, and what expires when.

    Args:
        waiting_for: What has not happened yet; signed is all in flight.
        state: Contracts in this state instead, such as rejected.
        expires_within: Only those that expire within so long, such as 3d or 12h.
        message_id: Only those of one message.
    """
    if state is not None and (expires_within or waiting_for != "signed"):
        raise Stop("--state goes without --waiting-for and --expires-within.")
    output = Output(json=options.json)
    within = parse_duration(expires_within, "--expires-within")
    with _contracts_of(options.store) as contracts:
        if state is not None:
            found = contracts.list(state, message_id=message_id, limit=limit)
        else:
            found = contracts.pending(waiting_for, expires_within=within, message_id=message_id, limit=limit)
        counts = contracts.counts()
    for one in found:
        output.say(_line(one))
    every = ", ".join(_("{1:,} {0}", _(name), count) for name, count in counts.items() if count) or _("none")
    total = plural(sum(counts.values()), "contract")
    output.say("{} in {}: {}.", total, shown(place(options.store), 300), every)
    output.answer({"counts": counts, "contracts": [_as_json(one) for one in found]})
    return Exit.DONE


def remind(
    *,
    text: str,
    waiting_for: WaitingFor = "accepted",
    after: str = "2d",
    name: str = "reminder",
    options: StoreOptions = StoreOptions(),
    account: AccountOptions = AccountOptions(),
) -> Exit:
    """Remind those who have not accepted theirs, once: `mensatek outbox drain` sends it from the same store.

    Args:
        text: The reminder; {reference} and {expires} are filled in.
        waiting_for: Whom: who has not done this yet.
        after: Only contracts sent at least so long ago, such as 2d or 12h.
        name: Nobody is reminded twice under one name.
    """
    output = Output(json=options.json)
    age = parse_duration(after, "--after") or 0
    with (
        _contracts_of(options.store) as contracts,
        connect(account) as connection,
        connection.client() as client,
        closing(client.outbox(options.store)) as outbox,
    ):
        put = contracts.remind(outbox, Template(text), waiting_for=waiting_for, after=age, name=name)
    where = shown(place(options.store), 300)
    output.say("{} put into the outbox of {}.", plural(put, "reminder"), where)
    output.answer({"reminders": put})
    return Exit.DONE


@contextmanager
def _contracts_of(store: str) -> Iterator[SyncContracts]:
    """Give the contracts of a store."""
    with closing(SyncContracts(check_store(store))) as opened:
        yield opened


@contextmanager
def recording(
    store: str | None, to: Sequence[str], **sent: Any
) -> Iterator[Callable[[SendResult], object] | None]:
    """Give what writes down in a store, if one is named, who was sent a contract; opened before any text leaves."""
    if store is None:
        yield None
        return
    with _contracts_of(store) as contracts:
        contracts.create_tables()
        yield lambda result: contracts.record_sent(result, to, **sent)


def _line(contract: Contract) -> str:
    moments = (contract.sent_at, contract.expires_at, contract.reminded_at)
    parts = (
        _(contract.state),
        contract.phone,
        _("message {}", contract.message_id),
        shown(contract.reference, 100),
        *(_(text, when.astimezone(madrid())) for text, when in zip(_MOMENTS, moments, strict=True) if when),
    )
    return "  ".join(part for part in parts if part)


def _as_json(contract: Contract) -> dict[str, Any]:
    code = None if contract.status is None else contract.status.code
    return {**asdict(contract, recurse=False), "status": code}
