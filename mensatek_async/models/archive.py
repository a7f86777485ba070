"""What an archive of certificates keeps and says."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from attrs import field, frozen

from ..codes import DeliveryStatus
from ..phones import mask


@frozen
class CertificateStatus:
    """A status that a certified text or contract went through.

    Attributes:
        code: the provider's number.
        reported_at: when it was reported, aware; None when unknown.
        label: what it says, in English.
    """

    code: int
    reported_at: datetime | None = None
    label: str = ""

    @property
    def status(self) -> DeliveryStatus:
        """The status of this number."""
        return DeliveryStatus(self.code, certifies=True)


@frozen(kw_only=True)
class ArchivedCertificate:
    """A certificate in an archive; the JSON record beside its file holds the same, by the same names.

    Attributes:
        file: its path in the archive, with "/".
        media_type: "application/pdf" or "application/zip".
        size: bytes.
        sha256: the SHA-256 of the file, in hexadecimal.
        fetched_at: when it was fetched, aware.
        message_id: the `message_id` its send returned; None for the ZIP of a period.
        phone: the recipient, international digits; "" for the ZIP of a period.
        reference: the `reference` its send was given, as far as it is known.
        statuses: every status that was recorded, in the order of their time.
        verification_code: the code (`CSV`) by which anybody can check a signed document, else "".
        start: for the ZIP of a period, its start, aware.
        end: its end.
    """

    file: str
    media_type: str
    size: int
    sha256: str
    fetched_at: datetime
    message_id: int | None = None
    phone: str = field(default="", repr=mask)
    reference: str = field(default="", repr=False)
    statuses: tuple[CertificateStatus, ...] = ()
    verification_code: str = field(default="", repr=False)
    start: datetime | None = None
    end: datetime | None = None


@frozen(kw_only=True)
class ArchiveSummary:
    """What came of collecting certificates.

    Attributes:
        fetched: certificates fetched now.
        known: those that were in the archive already.
        pending: recipients whose certificate is not ready, or could not be fetched: `catch_up` tries them again.
        without: recipients who get none, since their text failed, or the contract was rejected or expired.
    """

    fetched: int = 0
    known: int = 0
    pending: int = 0
    without: int = 0


@frozen(kw_only=True)
class ArchiveProblem:
    """Something in an archive that is not as it was.

    Attributes:
        file: which file, by its path in the archive.
        kind: "missing" (there is a record and no file), "changed" (the file is not what its record says), "unrecorded"
            (a file without its record) or "unreadable" (the record, or the file, cannot be read).
    """

    file: str
    kind: ProblemKind


ProblemKind: TypeAlias = Literal["missing", "changed", "unrecorded", "unreadable"]


@frozen(kw_only=True)
class Verification:
    """What a check of an archive found.

    Attributes:
        intact: certificates that are there and as their records say.
        pending: recipients and messages recorded, whose certificates are not there yet.
        problems: what is missing or was changed.
    """

    intact: int = 0
    pending: int = 0
    problems: tuple[ArchiveProblem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is missing or changed. What is pending was never there."""
        return not self.problems
