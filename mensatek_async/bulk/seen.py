"""Which phones were met already, in bounded memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence

_PAGE = 16  # bits of a number inside one page
_DENSE = 4096  # entries from which a page is smaller as a bitmap


class SeenPhones:
    """An exact set of phone numbers that costs two to three bytes each.

    Numbers of one country lie close together, so they are kept as pages of 65,536 neighbours: a sorted array of the low
    16 bits, or a bitmap once that is smaller. All the mobile numbers of Spain need 25 MB. At `most_bytes` it takes no
    further numbers and `full` is set; then only the provider's own rule catches a repeat.
    """

    def __init__(self, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._pages: dict[int, array[int] | bytearray] = {}
        self._left = most_bytes
        self.full: bool = False

    def add(self, phone: str) -> bool:
        """Remember a phone given as digits; False when it was met before."""
        return self.add_all((phone,))[0]

    def add_all(self, phones: Sequence[str]) -> list[bool]:
        """Remember phones; for each, False when it was met before. One loop, since it runs for every recipient."""
        pages = self._pages
        new: list[bool] = []
        for number in map(int, phones):
            low = number & 0xFFFF
            page = pages.get(number >> _PAGE)
            if page is None:
                new.append(True)
                if self._pay(200):
                    pages[number >> _PAGE] = array("H", (low,))
            elif isinstance(page, bytearray):
                mask = 1 << (low & 7)
                met = page[low >> 3] & mask
                page[low >> 3] |= mask
                new.append(not met)
            else:
                at = bisect_left(page, low)
                met = at < len(page) and page[at] == low
                new.append(not met)
                if not met and self._pay(2):
                    page.insert(at, low)
                    if len(page) >= _DENSE:
                        pages[number >> _PAGE] = _bitmap(page)
        return new

    def _pay(self, size: int) -> bool:
        if self._left < size:
            self.full = True
            return False
        self._left -= size
        return True


def _bitmap(page: array[int]) -> bytearray:
    bits = bytearray(1 << (_PAGE - 3))
    for low in page:
        bits[low >> 3] |= 1 << (low & 7)
    return bits
