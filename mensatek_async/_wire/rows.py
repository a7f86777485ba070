"""The recipients of one request by wire names: kept as columns, and made into mappings when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import overload

from . import names

_PHONE = names.RECIPIENT["phone"]


class Rows(Sequence[dict[str, str]]):
    """Recipients in order: their phones, and a list for each field (`columns`) unless they differ in their fields."""

    __slots__ = ("_full", "columns", "phones")

    def __init__(self) -> None:
        self.phones: list[str] = []
        self.columns: dict[str, list[str]] | None = {}
        self._full: list[dict[str, str]] = []

    def add(self, recipients: Sequence[dict[str, str]]) -> None:
        """Append recipients, each a mapping of texts."""
        kinds = {tuple(one) for one in recipients}
        together = [recipients] if len(kinds) == 1 else [[one] for one in recipients]
        for alike in together:
            names = [name for name in alike[0] if name != _PHONE]
            columns = {name: [one[name] for one in alike] for name in names}
            self.add_columns([one[_PHONE] for one in alike], columns)

    def add_columns(self, phones: Sequence[str], columns: Mapping[str, Sequence[str]]) -> None:
        """Append recipients: their phones as digits, and their fields by wire name, a list of texts each."""
        if not self.phones:
            self.columns = {name: [] for name in columns}
        if self.columns is not None and tuple(self.columns) != tuple(columns):
            self._full, self.columns = self.listed(), None
        if self.columns is None:
            self._full.extend(_made(phones, columns))
        else:
            for name, values in columns.items():
                self.columns[name].extend(values)
        self.phones.extend(phones)

    def listed(self) -> list[dict[str, str]]:
        """All of them, as a list of mappings."""
        return self._full if self.columns is None else _made(self.phones, self.columns)

    def values(self) -> Iterator[tuple[str, ...]]:
        """The fields of each."""
        if self.columns is not None:
            return zip(*self.columns.values(), strict=True) if self.columns else repeat((), len(self.phones))
        return (tuple(value for name, value in one.items() if name != _PHONE) for one in self._full)

    def __len__(self) -> int:
        return len(self.phones)

    def __iter__(self) -> Iterator[dict[str, str]]:
        return iter(self.listed())

    @overload
    def __getitem__(self, index: int) -> dict[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, str]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, str] | list[dict[str, str]]:
        if self.columns is None:
            return self._full[index]
        if isinstance(index, slice):
            return _made(self.phones[index], {name: values[index] for name, values in self.columns.items()})
        return {_PHONE: self.phones[index], **{name: values[index] for name, values in self.columns.items()}}

    def __repr__(self) -> str:
        return f"<{len(self)} recipients>"


def _made(phones: Sequence[str], columns: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    names = (_PHONE, *columns)
    return [dict(zip(names, row, strict=True)) for row in zip(phones, *columns.values(), strict=True)]
