"""What the provider posts to a webhook: delivery reports, events of documents, incoming messages, other products'."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from attrs import field, frozen

from ..codes import DeliveryStatus
from ..phones import mask


@frozen
class Location:
    """Where the signer of a contract was.

    Attributes:
        latitude: degrees, -90 to 90; south is negative.
        longitude: degrees, -180 to 180; west is negative.
    """

    latitude: float
    longitude: float


@frozen(kw_only=True, slots=False)
class DeliveryReport:
    """The news that a text, or a contract, has reached another status.

    Attributes:
        service: the provider's word for the product (`Servicio`), such as "SMSMASIVO" or "SMSCERTIFICADO".
        status: the delivery status; one that this package does not know has `Phase.UNKNOWN`.
        sender: who the text came from.
        phone: the recipient, international digits.
        reported_at: when it was reported, aware, Spanish time; None when unknown.
        seconds: from sending to this status, whole or not; None when unknown.
        message_id: the `message_id` its send returned.
        reference: the `reference` its send was given, else "".
        report_id: the provider's id of this recipient's text (`idReport`); None when unknown.
        variables: what a contract's status brings along, decoded from its JSON; empty when it cannot be read.
        verification_code: the code (`CSV`) by which anybody can check the signed document, else "".
        location: the signer's position (status 5000), where `variables` hold one that can be read.
        mark: what a campaign had added to the reference to know its send again; else "".
        raw: fields this package does not know, and values that could not be read, by their wire names.
        is_known_service: False for a service that no manual names; the report is read all the same.
    """

    service: str
    status: DeliveryStatus
    sender: str = ""
    phone: str = field(repr=mask)
    reported_at: datetime | None = None
    seconds: float | None = None
    message_id: int
    reference: str = field(default="", repr=False)
    report_id: int | None = None
    variables: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)
    verification_code: str = field(default="", repr=False)
    location: Location | None = field(default=None, repr=False)
    mark: str = field(default="", repr=False, eq=False)
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)
    is_known_service: bool = field(default=True, eq=False)


@frozen(kw_only=True, slots=False)
class DocumentEvent:
    """Something a recipient did with the document of a certified text.

    Attributes:
        service: the provider's word for it (`Servicio`), "EVENTOSSMSCERTIFICADO".
        file: the document's name.
        protection: how it is protected (`TipoAdjunto`), as it came: the manual does not list the kinds.
        occurred_at: when it happened, aware, Spanish time; None when unknown.
        phone: the recipient, international digits.
        kind: what happened (`TipoEvento`), as it came: the manual does not list the kinds.
        message_id: the `message_id` its send returned.
        value: what belongs to this kind of event, such as a tax id; else "".
        reference: the `reference` its send was given, else "".
        ip: where the recipient came from; "" when unknown.
        port: the port they came from; None when unknown.
        raw: fields this package does not know, and values that could not be read, by their wire names.
        is_known_service: False for a service that no manual names; the event is read all the same.
    """

    service: str
    file: str
    protection: str = ""
    occurred_at: datetime | None = None
    phone: str = field(repr=mask)
    kind: str
    message_id: int
    value: str = field(default="", repr=False)
    reference: str = field(default="", repr=False)
    ip: str = field(default="", repr=False)
    port: int | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)
    is_known_service: bool = field(default=True, eq=False)


@frozen(kw_only=True, slots=False)
class IncomingMessage:
    """A text that came in: to a number of yours, or as the reply that closes a contract.

    Attributes:
        service: the provider's word for it (`Servicio`), "SMSRECIBIDO".
        received_at: when the provider took it in, aware, Spanish time; the carrier's date where that is not
            told; None when neither is.
        number: the number that received it, international digits.
        sender: who wrote it, international digits for a phone.
        text: the text, as it came.
        original_id: the provider's own id of the text it replies to (`idR`); None when it replies to none.
        message_id: the `message_id` of the send it replies to; None when it replies to none.
        is_certified: whether it replies to a certified text.
        reference: the `reference` of the send it replies to, else "".
        reported_at: the date the carrier gave, aware, Spanish time; None when unknown.
        raw: fields this package does not know, and values that could not be read, by their wire names.
        is_known_service: False for a service that no manual names; the message is read all the same.
    """

    service: str
    received_at: datetime | None = None
    number: str
    sender: str = field(repr=mask)
    text: str = field(repr=False)
    original_id: int | None = None
    message_id: int | None = None
    is_certified: bool = False
    reference: str = field(default="", repr=False)
    reported_at: datetime | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)
    is_known_service: bool = field(default=True, eq=False)


@frozen(kw_only=True, slots=False)
class OtherEvent:
    """News of another product of the account, such as certified e-mail or WhatsApp, that came to the same URL.

    Its codes mean something else there, so they are never a `DeliveryStatus`.

    Attributes:
        service: the provider's word for the product (`Servicio`), such as "EMAILCERTIFICADO".
        code: its number (`Resultado`); None when there is none.
        message_id: the id of its message (`idMensaje`); None when there is none.
        reference: the `reference` its send was given, else "".
        raw: every field as it came, by its wire name.
    """

    service: str
    code: int | None = None
    message_id: int | None = None
    reference: str = field(default="", repr=False)
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)

    @property
    def is_known_service(self) -> bool:
        """False: no manual of the SMS products names it."""
        return False


Event: TypeAlias = DeliveryReport | DocumentEvent | IncomingMessage | OtherEvent
"""Whatever a webhook can bring."""
