"""The recipients of one request, as the wire names them; most are a phone and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from . import names

_PHONE = names.RECIPIENT["phone"]
_OPEN, _NEXT, _CLOSE = f'[{{"{_PHONE}":"', f'"}},{{"{_PHONE}":"', '"}]'


class Rows(Sequence[dict[str, str]]):
    """Recipients that are made into mappings when somebody looks, and written without them where only phones are.

    Attributes:
        phones: their phones, international digits.
    """

    __slots__ = ("_full", "phones")

    def __init__(self) -> None:
        self.phones: list[str] = []
        self._full: list[dict[str, str]] | None = None

    def add_phones(self, phones: Sequence[str]) -> None:
        """Append recipients of whom there is nothing but the phone, as digits."""
        self.phones.extend(phones)
        if self._full is not None:
            self._full.extend([{_PHONE: phone} for phone in phones])

    def add(self, recipients: Sequence[dict[str, str]]) -> None:
        """Append recipients with what their text needs, each a mapping of texts by wire names."""
        if self._full is None:
            self._full = [{_PHONE: phone} for phone in self.phones]
        self._full.extend(recipients)
        self.phones.extend([recipient[_PHONE] for recipient in recipients])

    @property
    def spelt(self) -> str | None:
        """Their JSON, when there are only phones: digits need no escaping."""
        if self._full is not None:
            return None
        return f"{_OPEN}{_NEXT.join(self.phones)}{_CLOSE}" if self.phones else "[]"

    def listed(self) -> list[dict[str, str]]:
        """All of them, as a list."""
        return [{_PHONE: phone} for phone in self.phones] if self._full is None else self._full

    def __len__(self) -> int:
        return len(self.phones)

    @overload
    def __getitem__(self, index: int) -> dict[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, str]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, str] | list[dict[str, str]]:
        if self._full is not None:
            return self._full[index]
        if isinstance(index, slice):
            return [{_PHONE: phone} for phone in self.phones[index]]
        return {_PHONE: self.phones[index]}

    def __repr__(self) -> str:
        return f"<{len(self)} recipients>"
