"""What the sandbox remembers: texts, calls, messages and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ..api import texting
from ..api.bodies import read_body
from ..carrier.delivery import Kind

REPLY_NUMBER = "34600999999"
"""The number of the account that phones write to by default."""

UNNAMED_DOCUMENT = "documento.pdf"
"""What a document is called that came inside a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text the sandbox accepted for one phone.

    Attributes:
        phone: international digits.
        text: as the phone shows it: variables filled, letters outside GSM replaced unless sent as Unicode.
        sender: who it comes from.
        message_id: the message it belongs to (`idMensaje`).
        reference: the caller's own reference, or "".
        certified: sent by EnviarSMSCERTIFICADO.
        unicode: sent with `Unicode=1`.
        segments: texts charged for it.
        status: the delivery status at the moment of the snapshot.
        accepted_at: when the sandbox took it, UTC.
        scheduled_at: when it was asked to leave, UTC; None for at once.
        leaves_at: when it leaves, or left, UTC.
        contract: its `Tipocontrato`; 0 for a text that is no contract.
        cost: credits taken for it.
        written: what the caller wrote, variables filled, before letters were replaced and elements became links;
            a PDF inside it is named by its SHA-256.
    """

    phone: str = field(repr=False)
    text: str = field(repr=False)
    sender: str
    message_id: int
    reference: str = field(repr=False)
    certified: bool
    unicode: bool
    segments: int
    status: int
    accepted_at: datetime
    scheduled_at: datetime | None
    leaves_at: datetime
    contract: int
    cost: Decimal
    written: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Something a phone wrote to a number of the account.

    Attributes:
        phone: who wrote.
        number: the number it was written to.
        text: what.
        at: when, UTC.
        message_id: the message it replies to; None when it replies to none.
    """

    phone: str = field(repr=False)
    number: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    message_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that happened to a text by hand, and the delivery status it brought."""

    at: datetime
    status: int
    variables: dict[str, str] = field(default_factory=dict)  # what the callback says besides


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request the sandbox received.

    Attributes:
        operation: such as `EnviarSMS`.
        headers: names in lower case, credentials included.
        status: HTTP status of the answer; None when the connection was dropped instead.
        reply: the fields of the answer by their wire names, also when the answer itself was lost; None when
            the request was not processed or the answer was a file.
        at: when it came, by the sandbox's clock, UTC.
        content_type: of the request.
        body: the request's body as it came; empty when the sandbox keeps no texts.
        verdict: what the provider's guard makes of it: "work", "read", "quick" (a read repeated too soon), "wrong",
            "blocked", or "fault" when it was not processed.
        fault: the kind of trouble that hit it, or "".
        answer: the body that went back, cut after 20,000 bytes; empty for files and when nothing is kept.
        answer_type: its content type.
        unknown: the parameters that no manual knows, by the names they came under; those of recipients as
            `Destinatarios.Name`.
    """

    operation: str
    headers: Mapping[str, str] = field(repr=False)
    status: int | None
    reply: Mapping[str, Any] | None = field(repr=False)
    at: datetime
    content_type: str
    body: bytes = field(repr=False)
    verdict: str = ""
    fault: str = ""
    answer: bytes = field(default=b"", repr=False)
    answer_type: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, Any]:
        """The parameters by the names they came under, arrays decoded; empty when the body cannot be read."""
        return read_body(self.content_type, self.body).decoded()


def without_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a call but those that are kept and shown nowhere."""
    credentials = ("authorization", "proxy-authorization", "cookie")
    return {name: value for name, value in headers.items() if name not in credentials}


@dataclass(slots=True, kw_only=True, eq=False)
class Batch:
    """The recipients one request added to a message; they share everything but the rendered text."""

    number: int
    message_id: int
    sender: str
    reference: str
    kind: Kind
    unicode: bool
    source: str
    segments: int
    price: Decimal
    cost: Decimal
    recipients: int
    accepted_at: datetime
    scheduled_at: datetime | None
    leaves_at: datetime
    rendered: list[tuple[str, int]] | None
    pace: float
    phones: list[str] = field(default_factory=list)
    reported: bool = True
    files: frozenset[str] = frozenset()
    issuer: tuple[str, ...] = ()
    documents: tuple[tuple[str, str], ...] = ()
    cancelled_at: datetime | None = None

    @property
    def certified(self) -> bool:
        """Whether its texts are certified ones."""
        return self.kind.certified

    @property
    def contract(self) -> int:
        """Its `Tipocontrato`."""
        return self.kind.contract

    @property
    def is_closed_by_hand(self) -> bool:
        """Whether its recipients have to accept it: a contract, or a text sent with `Aceptacion`."""
        return bool(self.kind.contract) or self.kind.asks_acceptance

    @property
    def document_names(self) -> list[str]:
        """The documents a recipient can open."""
        return sorted(self.files) or [UNNAMED_DOCUMENT]

    def moment(self, seconds: float) -> datetime:
        """So many seconds after it left."""
        return self.leaves_at + timedelta(seconds=seconds)

    def written(self, position: int) -> tuple[str, int]:
        """What the caller wrote to one recipient, and how many texts it is charged as."""
        return self.rendered[position] if self.rendered else (self.source, self.segments)

    def shown(self, position: int) -> str:
        """What one recipient's phone shows."""
        return texting.shown(self.written(position)[0], self.unicode)


@dataclass(slots=True, kw_only=True)
class Message:
    """All sends under one `idMensaje`, with the phones that already had it."""

    message_id: int
    sender: str
    certified: bool
    batches: list[Batch] = field(default_factory=list)
    phones: dict[str, Batch] = field(default_factory=dict)

    def waiting(self, now: datetime) -> list[Batch]:
        """What of it has not left and was not cancelled."""
        return [batch for batch in self.batches if batch.cancelled_at is None and batch.leaves_at > now]


@dataclass(slots=True, kw_only=True)
class LibraryFile:
    """A file in the library."""

    name: str
    content: bytes
    uploaded_at: datetime
    delete_after_certification: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationResult:
    """What an operation answers, before it takes a form on the wire."""

    fields: Mapping[str, Any]  # wire names and values, `Res` first
    wrong: bool = False  # repeated ones end in a block
    file: bytes | None = None  # instead of fields, a document to download
    media_type: str = ""
