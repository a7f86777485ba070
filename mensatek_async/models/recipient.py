"""Who gets a text, and who sends a certified one."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen
class Recipient:
    """A phone and what is personal in its text.

    Attributes:
        phone: the number in any usual writing: "+34 600 00 00 00", "0034600000000", "600 000 000".
        fields: values for a `Template`'s fields, by name; numbers and dates are written with `str()`. One that
            cannot be written, or is longer than a message, makes this recipient invalid and no other.
        row: how the caller numbers this recipient (a spreadsheet's row, say), a whole number; problems name it.
            Without one it is the position in the input, from 1.
    """

    phone: str = field(converter=str)
    fields: Mapping[str, object] = field(factory=dict, repr=False)
    row: int | None = field(default=None, kw_only=True)


@frozen
class VoiceFallback:
    """Reads the text aloud in a call when the SMS cannot be delivered.

    Attributes:
        language: such as "es-ES", or "es-ES:1" for the female and "es-ES:2" for the male voice.
        caller: the calling number, of any kind that can call, validated in the panel; None leaves it to the provider.
    """

    language: str = "es-ES"
    caller: str | None = None
