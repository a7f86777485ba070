"""Async and typed SDK for the Mensatek messaging API v7.

Public names are loaded at first use, so that importing the package costs next to nothing.
"""

from ._version import __version__

TYPE_CHECKING = False  # what type checkers take for true; importing it would cost more than all the rest

if TYPE_CHECKING:
    from . import text, webhooks
    from .bulk.outcomes import BulkStream
    from .campaigns.campaign import Campaign
    from .campaigns.campaigns import Campaigns
    from .campaigns.progress_stream import ProgressStream
    from .certificates import open_certificates
    from .client import AsyncMensatek
    from .codes import DeliveryStatus, Phase
    from .errors import (
        AccountPaused,
        AlreadyCancelled,
        AlreadySent,
        APIError,
        AuthenticationError,
        BadParameters,
        CampaignConflict,
        CampaignError,
        CampaignNotFound,
        ConfigurationError,
        ConnectionFailed,
        ContentMissing,
        ContractWithoutPdf,
        DateRejected,
        FileNotFound,
        FileRejected,
        FilesNotAllowed,
        FileTooLarge,
        FormatNotAllowed,
        InsufficientCredits,
        Interrupted,
        InvalidCertificates,
        InvalidDate,
        InvalidField,
        InvalidFile,
        InvalidPhone,
        InvalidRequest,
        InvalidSender,
        InvalidWebhook,
        MensatekError,
        NotYours,
        OutcomeUnknown,
        Refused,
        SourceChanged,
        SourceMissing,
        StorageFull,
        StoreError,
        TooManyRequests,
        UnexpectedReply,
        UploadFailed,
    )
    from .models.bulk import BulkProgress, BulkResult, ChunkOutcome, RowProblem, RowProblems
    from .models.campaign import Progress, UnknownRecipient
    from .models.certified import (
        Certificate,
        CertificateBundle,
        CertificateRow,
        ContractType,
        Download,
        Identify,
    )
    from .models.events import DeliveryReport, DocumentEvent, IncomingMessage, Location, OtherEvent
    from .models.issuer import Issuer
    from .models.recipient import Recipient, VoiceFallback
    from .models.results import (
        Cancellation,
        MessageReport,
        RecipientReport,
        Rescheduling,
        SendResult,
        StoredFile,
    )
    from .resources.certified import CertifiedResource
    from .resources.files import FilesResource
    from .resources.sms import SmsResource
    from .settings import Guard, Limits, Retry, Timeout
    from .sources.files import CsvSource, ExcelSource, JsonLinesSource
    from .sources.rows import BrokenRow
    from .sources.sql import SqlSource
    from .sync._usage import MensatekAsyncUsageWarning
    from .sync.generated._campaign import SyncCampaign
    from .sync.generated._campaigns import SyncCampaigns
    from .sync.generated._certified import SyncCertifiedResource
    from .sync.generated._client import Mensatek
    from .sync.generated._files import SyncFilesResource
    from .sync.generated._outcomes import SyncBulkStream
    from .sync.generated._progress import SyncProgressStream
    from .sync.generated._sms import SyncSmsResource
    from .text import Segmentation, Template
    from .warning import DateWarning, ElementWarning, MensatekWarning, SenderWarning, TextAltered
    from .webhooks.deliveries import Deliveries

_HOMES = {
    "bulk.outcomes": ("BulkStream",),
    "campaigns.campaign": ("Campaign",),
    "campaigns.campaigns": ("Campaigns",),
    "campaigns.progress_stream": ("ProgressStream",),
    "certificates": ("open_certificates",),
    "client": ("AsyncMensatek",),
    "codes": ("DeliveryStatus", "Phase"),
    "errors": (
        "APIError",
        "AccountPaused",
        "AlreadyCancelled",
        "AlreadySent",
        "AuthenticationError",
        "BadParameters",
        "CampaignConflict",
        "CampaignError",
        "CampaignNotFound",
        "ConfigurationError",
        "ConnectionFailed",
        "ContentMissing",
        "ContractWithoutPdf",
        "DateRejected",
        "FileNotFound",
        "FileRejected",
        "FileTooLarge",
        "FilesNotAllowed",
        "FormatNotAllowed",
        "InsufficientCredits",
        "Interrupted",
        "InvalidDate",
        "InvalidField",
        "InvalidCertificates",
        "InvalidFile",
        "InvalidPhone",
        "InvalidRequest",
        "InvalidSender",
        "InvalidWebhook",
        "MensatekError",
        "NotYours",
        "OtherEvent",
        "OutcomeUnknown",
        "Refused",
        "SourceChanged",
        "SourceMissing",
        "StorageFull",
        "StoreError",
        "TooManyRequests",
        "UnexpectedReply",
        "UploadFailed",
    ),
    "warning": ("DateWarning", "ElementWarning", "MensatekWarning", "SenderWarning", "TextAltered"),
    "models.bulk": ("BulkProgress", "BulkResult", "ChunkOutcome", "RowProblem", "RowProblems"),
    "models.campaign": ("Progress", "UnknownRecipient"),
    "models.events": ("DeliveryReport", "DocumentEvent", "IncomingMessage", "Location", "OtherEvent"),
    "models.certified": (
        "Certificate",
        "CertificateBundle",
        "CertificateRow",
        "ContractType",
        "Download",
        "Identify",
    ),
    "models.issuer": ("Issuer",),
    "models.recipient": ("Recipient", "VoiceFallback"),
    "models.results": (
        "Cancellation",
        "MessageReport",
        "RecipientReport",
        "Rescheduling",
        "SendResult",
        "StoredFile",
    ),
    "resources.certified": ("CertifiedResource",),
    "resources.files": ("FilesResource",),
    "resources.sms": ("SmsResource",),
    "settings": ("Guard", "Limits", "Retry", "Timeout"),
    "sources.files": ("CsvSource", "ExcelSource", "JsonLinesSource"),
    "sources.rows": ("BrokenRow",),
    "sources.sql": ("SqlSource",),
    "sync.generated._campaign": ("SyncCampaign",),
    "sync.generated._campaigns": ("SyncCampaigns",),
    "sync.generated._certified": ("SyncCertifiedResource",),
    "sync.generated._client": ("Mensatek",),
    "sync.generated._files": ("SyncFilesResource",),
    "sync.generated._outcomes": ("SyncBulkStream",),
    "sync.generated._progress": ("SyncProgressStream",),
    "sync.generated._sms": ("SyncSmsResource",),
    "sync._usage": ("MensatekAsyncUsageWarning",),
    "text": ("Segmentation", "Template"),
    "webhooks.deliveries": ("Deliveries",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "APIError",
    "AccountPaused",
    "AlreadyCancelled",
    "AlreadySent",
    "AsyncMensatek",
    "AuthenticationError",
    "BadParameters",
    "BrokenRow",
    "BulkProgress",
    "BulkResult",
    "BulkStream",
    "Campaign",
    "CampaignConflict",
    "CampaignError",
    "CampaignNotFound",
    "Campaigns",
    "Cancellation",
    "Certificate",
    "CertificateBundle",
    "CertificateRow",
    "CertifiedResource",
    "ChunkOutcome",
    "ConfigurationError",
    "ConnectionFailed",
    "ContentMissing",
    "ContractType",
    "ContractWithoutPdf",
    "CsvSource",
    "DateRejected",
    "DateWarning",
    "Deliveries",
    "DeliveryReport",
    "DeliveryStatus",
    "DocumentEvent",
    "Download",
    "ElementWarning",
    "ExcelSource",
    "FileNotFound",
    "FileRejected",
    "FileTooLarge",
    "FilesNotAllowed",
    "FilesResource",
    "FormatNotAllowed",
    "Guard",
    "Identify",
    "IncomingMessage",
    "InsufficientCredits",
    "Interrupted",
    "InvalidCertificates",
    "InvalidDate",
    "InvalidField",
    "InvalidFile",
    "InvalidPhone",
    "InvalidRequest",
    "InvalidSender",
    "InvalidWebhook",
    "Issuer",
    "JsonLinesSource",
    "Limits",
    "Location",
    "Mensatek",
    "MensatekAsyncUsageWarning",
    "MensatekError",
    "MensatekWarning",
    "MessageReport",
    "NotYours",
    "OtherEvent",
    "OutcomeUnknown",
    "Phase",
    "Progress",
    "ProgressStream",
    "Recipient",
    "RecipientReport",
    "Refused",
    "Rescheduling",
    "Retry",
    "RowProblem",
    "RowProblems",
    "Segmentation",
    "SendResult",
    "SenderWarning",
    "SmsResource",
    "SourceChanged",
    "SourceMissing",
    "SqlSource",
    "StorageFull",
    "StoreError",
    "StoredFile",
    "SyncBulkStream",
    "SyncCampaign",
    "SyncCampaigns",
    "SyncCertifiedResource",
    "SyncFilesResource",
    "SyncProgressStream",
    "SyncSmsResource",
    "Template",
    "TextAltered",
    "Timeout",
    "TooManyRequests",
    "UnexpectedReply",
    "UnknownRecipient",
    "UploadFailed",
    "VoiceFallback",
    "__version__",
    "open_certificates",
    "text",
    "webhooks",
]


if not TYPE_CHECKING:  # a checker that saw it would take any misspelt name for right

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOME_OF.get(name)
        if home is not None:
            value = getattr(import_module(f".{home}", __name__), name)
        elif name in ("text", "webhooks"):
            value = import_module(f".{name}", __name__)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
