"""What a text really costs, learnt from the answers, and whether the next request can be paid."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import anyio

from ..errors import InsufficientCredits
from ..models.results import SendResult


class CreditBudget:
    """What a bulk send can pay; it knows nothing until the first answer names a price and a balance."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._unit: Decimal | None = None
        self._reserved = Decimal(0)
        self._in_flight = 0
        self._ended = anyio.Event()

    async def afford(self, segments: int, left: Callable[[], Decimal | None]) -> InsufficientCredits | None:
        """Wait until it is certain whether a request can be paid; the error that says no, or None.

        What is on its way may or may not be in the balance yet, so while something is, a doubt is waited out.
        """
        while self._unit is not None and (balance := left()) is not None:
            need = self._unit * segments
            if need <= balance - self._reserved:
                return None
            if not self._in_flight:
                reason = "the next request costs more than is left"
                error = InsufficientCredits(self._operation, None, reason, needed=need, left=balance)
                error.args = (f"{self._operation} was not called: {reason}.",)
                return error
            await self._ended.wait()
        return None

    def start(self, segments: int) -> Decimal:
        """Set something aside for a request that leaves, and return how much."""
        reserved = (self._unit or Decimal(0)) * segments
        self._reserved += reserved
        self._in_flight += 1
        return reserved

    def end(self, reserved: Decimal) -> None:
        self._reserved -= reserved
        self._in_flight -= 1
        self._ended.set()
        self._ended = anyio.Event()

    def learn(self, result: SendResult, segments: int, asked: int) -> None:
        """Take the price of one text from an answer; the lowest met counts, so that a doubt never stops a send."""
        if result.credits_used is None or result.credits_used <= 0 or not 0 < result.accepted <= asked:
            return
        price = result.credits_used * asked / (segments * result.accepted)
        if self._unit is None or price < self._unit:
            self._unit = price
