"""Options that several commands have, each with its words in the help, and how numbers are written in them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from attrs import field, frozen
from cyclopts import Parameter

from .language import _


def amount(type_: Any, tokens: Sequence[Any]) -> Any:
    """Read a number of 0 or more as people write it, 0.05, 0,05 or 1.000,5: a `float` where the option is one."""
    from .._wire.problems import WrongValue
    from .._wire.scalars import decimal

    written = tokens[0].value
    try:
        number = decimal(written)
    except WrongValue:
        number = Decimal(-1)
    if number < 0:
        why = _("it takes a number of 0 or more, such as 0.05, 0,05 or 1.000,5, not {!r}", written)
        raise ValueError(why)
    return float(number) if "float" in str(type_) else number


DEFAULT_STORE = "campaigns.db"
_IN_STORE = Parameter(env_var="MENSATEK_STORE")
NamedStore = Annotated[str | None, _IN_STORE]

Credits = Annotated[Decimal, Parameter(converter=amount)]
Number = Annotated[float, Parameter(converter=amount)]
Flag = Annotated[bool, Parameter(negative="", show_default=False)]
Json = Annotated[Flag, Parameter(help="Print one JSON object.")]
Yes = Annotated[Flag, Parameter(help="Go on without asking.")]
Watch = Annotated[Flag, Parameter(help="Watch it live, until it ends.")]
Force = Annotated[Flag, Parameter(help="Overwrite a file that is no export.")]
Limit = Annotated[int, Parameter(help="How many at most.")]
Many = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]
Concurrency = Annotated[int, Parameter(help="Requests at once, 1 to 64.")]
Metrics = Annotated[
    int | None,
    Parameter(
        help="Port of this machine (127.0.0.1) at which to serve metrics to Prometheus; 0: a free one."
    ),
]
Name = Annotated[str, Parameter(allow_leading_hyphen=True)]
Store = Annotated[
    str, Parameter(help="SQLite file, or postgresql:// address, that keeps the campaigns."), _IN_STORE
]
OutboxStore = Annotated[
    str, Parameter(help="SQLite file, or postgresql:// address, that keeps the outbox."), _IN_STORE
]
At = Annotated[
    str | None,
    Parameter(
        help="When to send, such as 2027-01-08T10:00 or '08/01/2027 10:00'; without an offset (+01:00) it is "
        "Spanish time."
    ),
]
Encoding = Annotated[
    Literal["auto", "gsm", "unicode"],
    Parameter(
        name="--encoding-text", help="How texts travel; auto takes Unicode only where GSM cannot carry it."
    ),
]


@Parameter(name="*")
@frozen(kw_only=True)
class AccountOptions:
    """Options of every command that talks to the provider.

    Attributes:
        user: API user; default: MENSATEK_API_USER.
        token_file: File that holds the API token; default: MENSATEK_API_TOKEN, else you are asked.
        base_url: Address of the API; default: MENSATEK_BASE_URL, else the provider's.
        sandbox: Use a sandbox started for this run: nothing leaves this machine and no account is needed.
    """

    user: str | None = None
    token_file: str | None = None
    base_url: str | None = None
    sandbox: Flag = False


@Parameter(name="*")
@frozen(kw_only=True)
class CallOptions(AccountOptions):
    """Options of every command that makes one call."""

    json: Json = False


@Parameter(name="*")
@frozen(kw_only=True)
class StoreOptions:
    """Options of every command that looks into a store."""

    store: Store = DEFAULT_STORE
    json: Json = False


@Parameter(name="*")
@frozen(kw_only=True)
class WorkOptions(StoreOptions):
    """Options of every command that sends what a store holds."""

    concurrency: Concurrency = 8
    account: AccountOptions = AccountOptions()


@Parameter(name="*")
@frozen(kw_only=True)
class OutboxOptions(StoreOptions):
    """Options of every command that looks into an outbox."""

    store: OutboxStore = "outbox.db"
    user: Annotated[str | None, Parameter(help="API user; default: MENSATEK_API_USER.")] = None


@Parameter(name="*")
@frozen(kw_only=True)
class OutboxWorkOptions(WorkOptions):
    """Options of every command that sends what an outbox holds."""

    store: OutboxStore = "outbox.db"


@Parameter(name="*")
@frozen(kw_only=True)
class SendingOptions:
    """Options of every command that sends.

    Attributes:
        sender: Who sends: 11 letters, digits, & or _; default: MENSATEK_SENDER.
        reference: Comes back in every delivery report, such as your order's number.
        price: Credits a text costs you, for the estimate before sending.
    """

    sender: str | None = None
    at: At = None
    reference: str | None = None
    encoding: Encoding = "auto"
    price: Credits = Decimal(1)
    yes: Yes = False
    json: Json = False
    account: AccountOptions = AccountOptions()


@Parameter(name="*")
@frozen(kw_only=True)
class FileOptions:
    """How the file of recipients is read.

    Attributes:
        phone: The phone's column, by name or number; default: found by its name.
        delimiter: What separates the cells of a CSV; default: found out.
        sheet: The spreadsheet's sheet, by name or number; default: the first visible one.
        header_row: The row of the headings, where a title stands above; default: found by the phone's.
        encoding: The encoding of a text file, such as cp1252; default: found out.
        include_hidden: Take the rows a spreadsheet hides, too.
    """

    phone: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    encoding: Annotated[str | None, Parameter(name="--file-encoding")] = None
    include_hidden: Flag = False


@Parameter(name="*")
@frozen(kw_only=True)
class RowsOptions:
    """What every row of a file gets, and how that is sent.

    Attributes:
        text: The text; {Column} is replaced by each row's cell, {phone} by its phone.
        euros: Euros that a credit costs you, such as 0.05: the estimate is in euros too.
        test_to: Your own phone: it gets the first row's text before anybody else does.
        dry_run: Read and check everything, send nothing.
        opt_outs: File of phones that must not be texted; they are added to the store's opt-outs, which stay.
        ignore_opt_outs: Text those too who have opted out: for what is no advertising.
    """

    text: str = field(repr=False)
    sending: SendingOptions = SendingOptions()
    file: FileOptions = FileOptions()
    euros: Credits | None = None
    test_to: str | None = field(default=None, repr=False)
    dry_run: Flag = False
    opt_outs: str | None = None
    ignore_opt_outs: Flag = False
    concurrency: Concurrency = 8


@Parameter(name="*")
@frozen(kw_only=True)
class LegalOptions:
    """Options of every command that sends something certified.

    Attributes:
        issuer_name: Who sends, for the certificate.
        issuer_phone: A phone to reach the issuer.
        issuer_tax_id: The issuer's NIF, CIF or NIE.
        foreign_issuer: The issuer's tax id is of another country.
        validity: How long delivery is tried, such as 3d, 12h or 1d6h30m; 20d23h59m at most.
        report_email: E-mail address that gets the reports.
    """

    issuer_name: Annotated[str | None, Parameter(env_var="MENSATEK_ISSUER_NAME")] = None
    issuer_phone: Annotated[str | None, Parameter(env_var="MENSATEK_ISSUER_PHONE")] = None
    issuer_tax_id: Annotated[str | None, Parameter(env_var="MENSATEK_ISSUER_TAX_ID")] = None
    foreign_issuer: Flag = False
    validity: str | None = None
    report_email: str | None = None


@Parameter(name="*")
@frozen(kw_only=True)
class SandboxOptions:
    """Options of `mensatek sandbox`.

    Attributes:
        port: Port to listen on; 0 takes a free one.
        host: Address to listen on; one that others reach makes the page ask for a password.
        password_file: File that holds the page's password; default: MENSATEK_SANDBOX_PASSWORD, else one is made up.
        allowed_host: Further name the page may be called by, such as a proxy's; may be given again.
        state: File that keeps everything, also over a crash; default: memory.
        credits: What there is to spend.
        price: Credits a text costs.
        certified_price: Credits a certified text costs; default: as --price.
        time_scale: Seconds that pass in the sandbox in a real one, such as 3600.
        delivery_seconds: Seconds from one delivery status to the next, by the sandbox's clock.
        contracts_wait: Leave contracts to the page; else they go on by themselves.
        no_magic: Phones with magic endings are as all others.
        latency: Seconds every call takes.
        error_rate: Share of calls that fail, 0 to 1.
        error_kind: How they fail: 503, 429, 500, drop, lost, cut, html, credits (no credits left) or refused.
        reply_style: Form of the replies: json-object (as live ones), json-array (as in the manuals), xml, txt, ...
        drop_every: Lose every n-th answer to a send; 0 loses none.
        callbacks: URL to post delivery reports, replies and documents' events to, as the provider does.
    """

    port: int = 8025
    host: str = "127.0.0.1"
    password_file: str | None = None
    allowed_host: Many = ()
    state: str | None = None
    credits: Credits = Decimal(100_000)
    price: Credits = Decimal(1)
    certified_price: Credits | None = None
    time_scale: Number = 1.0
    delivery_seconds: Number = 3.0
    contracts_wait: Flag = False
    no_magic: Flag = False
    latency: Number = 0.0
    error_rate: Number = 0.0
    error_kind: str = "503"
    reply_style: str = "json-object"
    drop_every: int = 0
    callbacks: Annotated[str | None, Parameter(name=("--callbacks", "--callback-url"))] = None
