"""What a test's program has sent, as its recipients see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, overload

from ..phones import normalise

if TYPE_CHECKING:
    from ..sandbox import Text


class SentMessages(Sequence["Text"]):
    """Every text the sandbox has accepted so far, oldest first: one for each recipient, always up to date.

    Each has `phone`, `text` (variables filled, as the phone shows it), `sender`, `reference`, `message_id`, `segments`,
    `status`, `certified`, `scheduled_at` and more; see `mensatek_async.sandbox.Text`.

    Args:
        texts: gives all of them.
    """

    def __init__(self, texts: Callable[[], Sequence[Text]]) -> None:
        self._texts = texts
        self._start = 0

    def __repr__(self) -> str:
        texts = self._now()
        return f"<SentMessages: {len(texts)} to {len({text.phone for text in texts})} phones>"

    def __len__(self) -> int:
        return len(self._now())

    @overload
    def __getitem__(self, index: int) -> Text: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Text]: ...
    def __getitem__(self, index: int | slice) -> Text | Sequence[Text]:
        return self._now()[index]

    def to(self, phone: str) -> list[Text]:
        """Give the texts to one phone, oldest first.

        Args:
            phone: in any usual writing.

        Returns:
            Its texts; an empty list when it got none.

        Raises:
            InvalidPhone: it is no phone.
        """
        wanted = normalise(phone)
        return [text for text in self._now() if text.phone == wanted]

    def with_reference(self, reference: str) -> list[Text]:
        """Give the texts sent with a reference, oldest first."""
        return [text for text in self._now() if text.reference == reference]

    @property
    def texts(self) -> list[str]:
        """What they say, oldest first."""
        return [text.text for text in self._now()]

    @property
    def phones(self) -> list[str]:
        """Who they are for, oldest first: international digits."""
        return [text.phone for text in self._now()]

    @property
    def last(self) -> Text:
        """The newest one.

        Raises:
            IndexError: nothing was sent.
        """
        return self._now()[-1]

    def clear(self) -> None:
        """Leave out everything sent so far; the sandbox still knows it."""
        self._start = len(self._texts())

    def _now(self) -> Sequence[Text]:
        return self._texts()[self._start :]
