"""Which phones were met already, in bounded memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

_PAGE = 16  # bits of a number inside one page
_LOW = (1 << _PAGE) - 1
_DENSE = 2048  # entries from which a page is kept as a bitmap, which is quicker to look up
_NEW_PAGE = 200  # bytes of a page and its place among the others
_ENTRY = 4  # bytes: its own two, and its share in the bitmap to come
_FEW = 4096  # phones that are kept as a plain set, three times as quick and twenty times as large
_FEW_BYTES = 128


class SeenPhones:
    """An exact set of phone numbers that costs two to three bytes each.

    Numbers of one country lie close together, so they are kept as pages of 65,536 neighbours: a sorted array of the low
    16 bits, or a bitmap once it is well filled; only the first few are a plain set. All the mobile numbers of Spain
    need 25 MB. At `most_bytes` it takes no further numbers; then only the provider's own rule catches a repeat.
    """

    def __init__(self, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._pages: dict[int, array[int] | bytearray] = {}
        self._left = most_bytes
        self._few: set[str] | None = set() if most_bytes >= _FEW * (_FEW_BYTES + _NEW_PAGE) else None

    def add(self, phone: str) -> bool:
        """Remember a phone given as digits; False when it was met before."""
        return not self.repeats((phone,))

    def repeats(self, phones: Sequence[str]) -> list[int]:
        """Remember phones; returns the positions of those that were met before."""
        if self._few is not None:
            return self._add_to_few(self._few, phones)
        if self._left >= _NEW_PAGE * len(phones):  # enough, wherever they lie
            return self._add(map(int, phones))
        places: list[int] = []
        for place, number in enumerate(map(int, phones)):
            if self._has_room(number) and self._add((number,)):
                places.append(place)
        return places

    def _add_to_few(self, few: set[str], phones: Sequence[str]) -> list[int]:
        places: list[int] = []
        new = set(phones)
        if len(new) == len(phones) and few.isdisjoint(new):
            few |= new
        else:
            for place, phone in enumerate(phones):
                if phone in few:
                    places.append(place)
                else:
                    few.add(phone)
        if len(few) > _FEW:
            self._few = None
            self._add(sorted(map(int, few)))
        return places

    def _has_room(self, number: int) -> bool:
        page = self._pages.get(number >> _PAGE)
        if page is None:
            return self._left >= _NEW_PAGE
        return self._left >= _ENTRY or type(page) is bytearray or number & _LOW in page

    def _add(self, numbers: Iterable[int]) -> list[int]:
        """One loop, since it runs for every recipient."""
        pages, find = self._pages, self._pages.get
        places: list[int] = []
        spent = 0
        for place, number in enumerate(numbers):
            low = number & _LOW
            page = find(number >> _PAGE)
            if isinstance(page, bytearray):
                byte, mask = page[low >> 3], 1 << (low & 7)
                if byte & mask:
                    places.append(place)
                else:
                    page[low >> 3] = byte | mask
            elif page is None:
                pages[number >> _PAGE] = array("H", (low,))
                spent += _NEW_PAGE
            else:
                at = bisect_left(page, low)
                if at < len(page) and page[at] == low:
                    places.append(place)
                else:
                    page.insert(at, low)
                    spent += _ENTRY
                    if len(page) >= _DENSE:
                        pages[number >> _PAGE] = _bitmap(page)
        self._left -= spent
        return places


def _bitmap(page: array[int]) -> bytearray:
    bits = bytearray(1 << (_PAGE - 3))
    for low in page:
        bits[low >> 3] |= 1 << (low & 7)
    return bits
