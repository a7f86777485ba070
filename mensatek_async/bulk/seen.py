"""Which phones were met already, in bounded memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left

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
        number = int(phone)
        high, low = number >> _PAGE, number & 0xFFFF
        page = self._pages.get(high)
        if isinstance(page, bytearray):
            mask = 1 << (low & 7)
            if page[low >> 3] & mask:
                return False
            page[low >> 3] |= mask
            return True
        if page is None:
            if not self._pay(200):
                return True
            self._pages[high] = array("H", (low,))
            return True
        at = bisect_left(page, low)
        if at < len(page) and page[at] == low:
            return False
        if self._pay(2):
            page.insert(at, low)
            if len(page) >= _DENSE:
                self._pages[high] = _bitmap(page)
        return True

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
