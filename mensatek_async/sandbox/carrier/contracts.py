"""What the recipients of contracts do in the sandbox: open, accept, sign, reject, let expire."""

from __future__ import annotations

from collections.abc import Sequence

from ..account.records import Act
from ..api.provider import Provider
from . import statuses


class ContractActions:
    """The part of a sandbox where contracts are dealt with by hand."""

    _provider: Provider

    @property
    def contracts_by_themselves(self) -> bool:
        """Whether contracts go on to their end as time passes; off, delivered ones wait for the methods below."""
        return self._provider.account.delivery.contracts_by_themselves

    @contracts_by_themselves.setter
    def contracts_by_themselves(self, on: bool) -> None:
        with self._provider.changing("settings", "messages") as account:
            account.delivery.contracts_by_themselves = on

    def open_contract(self, phone: str, *, message_id: int | None = None) -> None:
        """Have a recipient open the document of a contract.

        Args:
            phone: the recipient, international digits.
            message_id: which contract; the newest to this phone when not given.

        Raises:
            KeyError: the phone has no such contract.
            ValueError: it has not left yet, was cancelled, has ended, or has no document.
        """
        self._close(phone, message_id, [statuses.CONTRACT_OPENED])

    def accept_contract(
        self, phone: str, *, message_id: int | None = None, location: tuple[float, float] | None = None
    ) -> None:
        """Have a recipient accept a contract, or a certified text sent with `Aceptacion`, as `sign_contract`."""
        self.sign_contract(phone, message_id=message_id, location=location)

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
        accepting = [statuses.CONTRACT_YES, *([] if location is None else [statuses.CONTRACT_LOCATED])]
        signing = [*accepting, statuses.CONTRACT_WRITTEN, statuses.CONTRACT_SIGNED]
        accepting += [statuses.CONTRACT_ACCEPTED]
        steps = [statuses.CONTRACT_OPENED, statuses.CONTRACT_READ, *(signing if biometric else accepting)]
        by_reply = [statuses.REPLY_RECEIVED, statuses.REPLY_CERTIFIED]
        self._close(phone, message_id, steps, by_reply, [] if biometric else accepting, location)

    def reject_contract(self, phone: str, *, message_id: int | None = None) -> None:
        """Have a recipient open a contract and reject it, or reject a text sent with `Aceptacion`.

        Parameters and errors as `open_contract`.
        """
        end = [statuses.CONTRACT_REJECTED]
        self._close(phone, message_id, [statuses.CONTRACT_OPENED, statuses.CONTRACT_REJECTED], end, end)

    def expire_contract(self, phone: str, *, message_id: int | None = None) -> None:
        """Have a contract, or a text sent with `Aceptacion`, expire; parameters and errors as `open_contract`."""
        end = [statuses.CONTRACT_EXPIRED]
        self._close(phone, message_id, end, end, end)

    def _close(
        self,
        phone: str,
        message_id: int | None,
        steps: Sequence[int],
        by_reply: Sequence[int] = (),
        accepting: Sequence[int] = (),
        location: tuple[float, float] | None = None,
    ) -> None:
        with self._provider.changing() as account:
            batch = account.find(phone, message_id, lambda batch: batch.is_closed_by_hand)
            if batch is None:
                raise KeyError("This phone has no such contract")
            if batch.cancelled_at is not None or batch.leaves_at > account.clock.now:
                raise ValueError("The contract was cancelled, or has not left yet")
            reached = account.reached(batch, phone)
            if reached & statuses.FINAL_CONTRACT:
                raise ValueError("The contract has ended already")
            wanted = [statuses.RECEIVED, *steps]
            if batch.contract == statuses.BY_REPLY:
                steps, wanted = by_reply, [statuses.REPLY_AWAITED, *by_reply]
            elif batch.kind.asks_acceptance:
                steps, wanted = accepting, [statuses.RECEIVED, statuses.CERTIFIED, *accepting]
            if not steps:
                raise ValueError("It has no document to open or to sign")
            said: dict[int, dict[str, str]] = {}
            if location is not None:
                latitude, longitude = location
                place = {"Latitud": f"{latitude:.6f}", "Longitud": f"{longitude:.6f}"}
                said[statuses.CONTRACT_LOCATED] = place
            now = account.clock.now
            new = [status for status in wanted if status not in reached]
            acts = [Act(at=now, status=status, variables=said.get(status, {})) for status in new]
            account.act(batch, phone, acts)
