"""Brings a sandbox back to where the file of its state says it was."""

from __future__ import annotations

from typing import Any

from ..callbacks.poster import Post
from ..carrier.journeys import Journey
from .account import Account
from .records import Act, Batch, Call, Incoming, LibraryFile, Message
from .state import KEPT_POSTS, Figures, Store, unpack


def load_account(store: Store, account: Account) -> None:
    """Fill an account that is still empty."""
    for (data,) in store.select("SELECT data FROM figures"):
        figures = unpack(data, Figures)
        account.credits, account.used = figures.credits, figures.used
        account.next_message, account.last_batch = figures.next_message, figures.last_batch
        account.delivery.choices.update(figures.choices)
        account.delivery.absences.update(figures.absences)
        account.delivery.contracts_by_themselves = figures.contracts_by_themselves
        if figures.clock is not None:
            account.clock.restore(figures.clock)
    for data, listed in store.select("SELECT data, phones FROM batch ORDER BY number"):
        batch, phones = unpack(data, Batch), unpack(listed, list[str])
        message = account.messages.setdefault(
            batch.message_id,
            Message(message_id=batch.message_id, sender=batch.sender, certified=batch.certified),
        )
        account.restore(message, batch, phones)
    for message_id, phone, data in store.select("SELECT message_id, phone, data FROM act ORDER BY number"):
        account.delivery.note(account.messages[message_id].phones[phone], phone, unpack(data, Act))
    for (data,) in store.select("SELECT data FROM incoming ORDER BY number"):
        account.incoming.append(unpack(data, Incoming))
    for data, content in store.select("SELECT data, content FROM file ORDER BY number"):
        account.library.restore(unpack(data, LibraryFile, content=content))
    account.documents.update(store.select("SELECT digest, content FROM document"))


def load_calls(store: Store) -> tuple[int, list[Call]]:
    """The calls that are kept, and how many were before them."""
    rows = list(store.select("SELECT number, data, body, answer FROM call ORDER BY number"))
    calls = [unpack(data, Call, body=body, answer=answer) for _, data, body, answer in rows]
    return (rows[0][0] - 1 if rows else 0), calls


def load_journeys(store: Store, target: str, account: Account) -> list[Journey]:
    """The journeys that were not reported to their end."""
    batches = {batch.number: batch for message in account.messages.values() for batch in message.batches}
    journeys = []
    for number, data in store.select(
        "SELECT batch, data FROM journey WHERE target = ? ORDER BY batch", target
    ):
        batch = batches[number]
        announced, step, own = unpack(data, list[Any])
        known = account.messages[batch.message_id].phones
        phones = batch.phones or [phone for phone, its in known.items() if its is batch]
        journeys.append(Journey(batch, phones, step=step, own=own, announced=announced))
    return journeys


def load_posts(store: Store, target: str) -> tuple[int, list[Post]]:
    """The newest callbacks and all that are not over, and how many were before them."""
    rows = list(
        store.select(
            "SELECT number, ended, data FROM post WHERE target = ? ORDER BY number DESC LIMIT ?",
            *(target, KEPT_POSTS),
        )
    )[::-1]
    posts = []
    for number, ended, data in rows:
        fields, answers, repeated = unpack(data, list[Any])
        posts.append(
            Post(fields=fields, answers=answers, repeated=repeated, ended=bool(ended), number=number)
        )
    return (rows[0][0] - 1 if rows else 0), posts
