"""What phones and carriers do in the sandbox: reply, take delivery, be switched off, open documents."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime

from ..account.account import Account
from ..account.events import Opened
from ..account.records import REPLY_NUMBER, Act, Batch, Incoming, LibraryFile, OperationResult
from ..api.bodies import Params
from ..api.provider import Provider
from ..api.tracking import ALREADY_CANCELLED, ALREADY_SENT, cancel, reschedule
from ..clock import write_minute
from . import statuses

_YES = frozenset({"si", "acepto"})
_NO_REASON = {ALREADY_SENT: "It has left already", ALREADY_CANCELLED: "It was cancelled before"}


_READ = (statuses.CONTRACT_OPENED, statuses.CONTRACT_READ)
_ACCEPTED = (statuses.CONTRACT_YES, statuses.CONTRACT_ACCEPTED)
_SIGNED = (statuses.CONTRACT_YES, statuses.CONTRACT_WRITTEN, statuses.CONTRACT_SIGNED)
_REPLY = (statuses.REPLY_RECEIVED, statuses.REPLY_CERTIFIED)
_REJECTED, _EXPIRED = (statuses.CONTRACT_REJECTED,), (statuses.CONTRACT_EXPIRED,)
_ENDS: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    "open": ((statuses.CONTRACT_OPENED,), (), ()),
    "accept": ((*_READ, *_ACCEPTED), _REPLY, _ACCEPTED),
    "sign": ((*_READ, *_SIGNED), _REPLY, ()),
    "reject": ((statuses.CONTRACT_OPENED, *_REJECTED), _REJECTED, _REJECTED),
    "expire": (_EXPIRED, _EXPIRED, _EXPIRED),
}
"""The statuses that follow when a recipient does this: of a contract with a PDF, of one by reply, with `Aceptacion`."""


class RecipientActions:
    """The part of a sandbox that acts as the recipients of texts and as their carriers."""

    _provider: Provider

    @property
    def incoming(self) -> list[Incoming]:
        """What phones wrote to the account, in order."""
        with self._provider.lock:
            return list(self._provider.account.incoming)

    @property
    def files(self) -> list[LibraryFile]:
        """The file library, oldest first."""
        with self._provider.lock:
            self._provider.account.tidy_library()
            return list(self._provider.account.files.values())

    def reply(
        self, phone: str, text: str, *, message_id: int | None = None, number: str | None = None
    ) -> Incoming:
        """Have a phone answer: callbacks are posted, and SI or ACEPTO closes a contract that waits for it.

        Args:
            phone: who writes, international digits.
            text: what.
            message_id: the message it replies to; the newest that arrived at this phone when not given.
            number: the number it is written to.

        Returns:
            What came in.

        Raises:
            KeyError: the phone never got that message.
        """
        with self._provider.changing() as account:
            batch = account.find(phone, message_id, lambda batch: _has_arrived(account, batch, phone))
            if batch is None and message_id is not None:
                raise KeyError("This phone never got that message")
            incoming = account.receive(
                phone, number or REPLY_NUMBER, text, batch.message_id if batch else None
            )
            waits = batch is not None and account.status(batch, phone) == statuses.REPLY_AWAITED
            if batch and waits and batch.contract == statuses.BY_REPLY and _plain(text) in _YES:
                self.accept_contract(phone, message_id=batch.message_id)
            return incoming

    def deliver(self, phone: str, status: int | None = None, *, message_id: int | None = None) -> None:
        """Give a text its next delivery status now; from then on it goes no further by itself.

        Args:
            phone: the recipient, international digits.
            status: a delivery status of the manual; None for delivered (11; 14 for a certified text, and for a
                contract the one in which it waits for its recipient).
            message_id: which message; the newest to this phone that has left when not given.

        Raises:
            KeyError: there is no such text.
            ValueError: it has not left yet or was cancelled; the status is in no manual or is none to be reached.
        """
        if status is not None and status not in statuses.GIVEN:
            raise ValueError(f"Invalid status {status}: no text can be given it")
        with self._provider.changing() as account:
            batch = _left(account, phone, message_id)
            status = _delivered(batch) if status is None else status
            account.act(batch, phone, [Act(at=account.clock.now, status=status)])

    def open_document(
        self, phone: str, *, message_id: int | None = None, document: str | None = None
    ) -> None:
        """Have a recipient open a document of a certified text or contract (EVENTOSSMSCERTIFICADO).

        Args:
            phone: the recipient, international digits.
            message_id: which message; the newest to this phone with a document when not given.
            document: its name; the first one when not given.

        Raises:
            KeyError: there is no such text or document.
            ValueError: it has not arrived, or its recipient has not accepted it (`Aceptacion`).
        """
        with self._provider.changing() as account:
            batch = account.find(phone, message_id, lambda batch: bool(batch.documents))
            if batch is None:
                raise KeyError("This phone has no text with a document")
            names = batch.document_names
            if document is not None and document not in names:
                raise KeyError("The text has no such document")
            if not _has_arrived(account, batch, phone):
                raise ValueError("The text has not arrived")
            reached = account.reached(batch, phone)
            if batch.kind.asks_acceptance and statuses.CONTRACT_ACCEPTED not in reached:
                raise ValueError("Its recipient has to accept the text before its content opens")
            opens = batch.contract == statuses.WITH_PDF and not reached & (
                statuses.FINAL_CONTRACT | {statuses.CONTRACT_OPENED}
            )
            if opens and document in (None, names[0]):
                self.open_contract(phone, message_id=batch.message_id)
            else:
                account.events.append(Opened(batch, phone, document or names[0]))

    @property
    def contracts_by_themselves(self) -> bool:
        """Whether contracts go on to their end as time passes; off, delivered ones wait for the methods below."""
        return self._provider.account.delivery.contracts_by_themselves

    @contracts_by_themselves.setter
    def contracts_by_themselves(self, on: bool) -> None:
        with self._provider.changing("settings", "messages") as account:
            account.delivery.contracts_by_themselves = on
            account.delivery.version += 1

    def open_contract(self, phone: str, *, message_id: int | None = None) -> None:
        """Have a recipient open the document of a contract.

        Args:
            phone: the recipient, international digits.
            message_id: which contract; the newest to this phone when not given.

        Raises:
            KeyError: the phone has no such contract.
            ValueError: it has not left yet, was cancelled, has ended, or has no document.
        """
        self._close("open", phone, message_id)

    def accept_contract(
        self, phone: str, *, message_id: int | None = None, location: tuple[float, float] | None = None
    ) -> None:
        """Have a recipient accept a contract, or a certified text sent with `Aceptacion`, as `sign_contract`."""
        self._close("accept", phone, message_id, location)

    def sign_contract(
        self,
        phone: str,
        *,
        message_id: int | None = None,
        biometric: bool = False,
        location: tuple[float, float] | None = None,
    ) -> None:
        """Have a recipient close a contract: read to its end and accepted, or answered with SI.

        Args:
            phone: the recipient, international digits.
            message_id: which contract; the newest to this phone when not given.
            biometric: signed by hand on the screen too (final status 181 instead of 180).
            location: latitude and longitude the signer shares (status 5000).

        Raises:
            KeyError: the phone has no such contract.
            ValueError: it has not left yet, was cancelled, or has ended.
        """
        self._close("sign" if biometric else "accept", phone, message_id, location)

    def reject_contract(self, phone: str, *, message_id: int | None = None) -> None:
        """Have a recipient open a contract and reject it, or reject a text sent with `Aceptacion`.

        Parameters and errors as `open_contract`.
        """
        self._close("reject", phone, message_id)

    def expire_contract(self, phone: str, *, message_id: int | None = None) -> None:
        """Have a contract, or a text sent with `Aceptacion`, expire; parameters and errors as `open_contract`."""
        self._close("expire", phone, message_id)

    def _close(
        self, how: str, phone: str, message_id: int | None, location: tuple[float, float] | None = None
    ) -> None:
        with self._provider.changing() as account:
            batch = account.find(phone, message_id, lambda batch: batch.is_closed_by_hand)
            if batch is None:
                raise KeyError("This phone has no such contract")
            now = account.clock.now
            if batch.cancelled_at is not None or batch.leaves_at > now:
                raise ValueError("The contract was cancelled, or has not left yet")
            reached = account.reached(batch, phone)
            if reached & statuses.FINAL_CONTRACT:
                raise ValueError("The contract has ended already")
            with_document, by_reply, accepting = _ENDS[how]
            before, steps = [statuses.RECEIVED], with_document
            if batch.contract == statuses.BY_REPLY:
                before, steps = [statuses.REPLY_AWAITED], by_reply
            elif batch.kind.asks_acceptance:
                before, steps = [statuses.RECEIVED, statuses.CERTIFIED], accepting
            if not steps:
                raise ValueError("It has no document to open or to sign")
            wanted, place = [*before, *steps], {}
            if location is not None and statuses.CONTRACT_YES in wanted:
                wanted.insert(wanted.index(statuses.CONTRACT_YES) + 1, statuses.CONTRACT_LOCATED)
                latitude, longitude = location
                place = {"Latitud": f"{latitude:.6f}", "Longitud": f"{longitude:.6f}"}
            account.act(
                batch,
                phone,
                [
                    Act(at=now, status=status, variables=place if status == statuses.CONTRACT_LOCATED else {})
                    for status in wanted
                    if status not in reached
                ],
            )

    def switch_off(self, phone: str) -> None:
        """Switch a phone off: texts to it wait, and expire after their validity (72 hours, or as sent)."""
        with self._provider.changing("phones", "messages") as account:
            account.delivery.switch(phone, False, account.last_batch)

    def switch_on(self, phone: str) -> None:
        """Switch a phone on again: what waits arrives."""
        with self._provider.changing("phones", "messages") as account:
            account.delivery.switch(phone, True, account.last_batch)

    def set_outcome(self, phone: str, status: int | None) -> None:
        """Choose the delivery status that texts end with which are still to arrive at a phone, such as 50.

        Args:
            phone: the recipient, international digits.
            status: the status; None takes the choice back.

        Raises:
            ValueError: it is the position of a signer (5000), with which nothing ends.
        """
        if status == statuses.CONTRACT_LOCATED:
            raise ValueError("A signer's position is not what a text ends with")
        with self._provider.changing("phones", "messages") as account:
            account.delivery.choose(phone, status, account.last_batch)

    def cancel(self, message_id: int) -> int:
        """Take back what of a message has not left, as the account's owner.

        Args:
            message_id: which message.

        Returns:
            How many texts were taken back.

        Raises:
            KeyError: there is no such message.
            ValueError: it has left, or was cancelled before.
        """
        return self._change(cancel, message_id)

    def reschedule(self, message_id: int, when: datetime) -> int:
        """Give what of a message has not left another moment, as the account's owner.

        Args:
            message_id: which message.
            when: an aware moment to come, to the minute.

        Returns:
            How many texts leave then.

        Raises:
            KeyError: there is no such message.
            ValueError: it has left, was cancelled before, or the moment is past or has no time zone.
        """
        if when.tzinfo is None:
            raise ValueError("The moment must be aware (have a time zone)")
        return self._change(reschedule, message_id, Fecha=write_minute(when))

    def _change(self, operation: Callable[..., OperationResult], message_id: int, **params: str) -> int:
        """Do with a message what its owner can do by the API; returns of how many texts."""
        with self._provider.changing() as account:
            if message_id not in account.messages:
                raise KeyError("There is no such message")
            asked = Params({"Idmensaje": message_id, **params})
            certified = account.messages[message_id].certified
            code: int = operation(account, asked, certified=certified).fields["Res"]
            if code <= 0:
                raise ValueError(_NO_REASON.get(code, "The moment has passed"))
            return code

    def delete_file(self, name: str) -> None:
        """Remove a file from the library.

        Raises:
            KeyError: there is no such file.
        """
        with self._provider.changing() as account:
            if not account.delete_file(name):
                raise KeyError("There is no such file")


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if letter.isalpha())


def _has_arrived(account: Account, batch: Batch, phone: str) -> bool:
    return batch.cancelled_at is None and not statuses.ARRIVED.isdisjoint(account.reached(batch, phone))


def _left(account: Account, phone: str, message_id: int | None) -> Batch:
    now = account.clock.now
    has_left = account.find(
        phone, message_id, lambda batch: batch.cancelled_at is None and batch.leaves_at <= now
    )
    if has_left is not None:
        return has_left
    if account.find(phone, message_id, lambda batch: True) is None:
        raise KeyError("This phone has no such text")
    raise ValueError("The text has not left yet, or was cancelled")


def _delivered(batch: Batch) -> int:
    if batch.contract:
        return statuses.REPLY_AWAITED if batch.contract == statuses.BY_REPLY else statuses.RECEIVED
    return statuses.CERTIFIED if batch.certified else statuses.DELIVERED
