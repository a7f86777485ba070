"""Options that several commands have, each with its words in the help, and how numbers are written in them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from attrs import frozen
from cyclopts import Parameter


def amount(type_: Any, tokens: Sequence[Any]) -> Any:
    """Read a number of 0 or more as people write it: 0.05, 0,05 or 1.000,5; for an option's `converter`.

    Args:
        type_: the option's type, which holds `float` or `Decimal`.
        tokens: what was written.

    Returns:
        A `Decimal`, or a `float` where the option is one.

    Raises:
        ValueError: it is no such number.
    """
    from .._wire.problems import WrongValue
    from .._wire.scalars import decimal

    written = tokens[0].value
    try:
        number = decimal(written)
    except WrongValue:
        number = Decimal(-1)
    if number < 0:
        raise ValueError(f"it takes a number of 0 or more, such as 0.05, 0,05 or 1.000,5, not {written!r}")
    return float(number) if "float" in str(type_) else number


Json = Annotated[bool, Parameter(negative="", show_default=False, help="Print one JSON object.")]
Yes = Annotated[bool, Parameter(negative="", show_default=False, help="Go on without asking.")]
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
DEFAULT_STORE = "campaigns.db"

TestTo = Annotated[
    str | None, Parameter(help="Your own phone: it gets the first row's text before anybody else does.")
]
DryRun = Annotated[
    bool, Parameter(negative="", show_default=False, help="Read and check everything, send nothing.")
]


@Parameter(name="*")
@frozen(kw_only=True)
class AccountOptions:
    """Options of every command that talks to the provider; the help of each tells what it means."""

    user: Annotated[str | None, Parameter(help="API user; default: MENSATEK_API_USER.")] = None
    token_file: Annotated[
        str | None,
        Parameter(help="File that holds the API token; default: MENSATEK_API_TOKEN, else you are asked."),
    ] = None
    base_url: Annotated[
        str | None, Parameter(help="Address of the API; default: MENSATEK_BASE_URL, else the provider's.")
    ] = None
    sandbox: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="Use a sandbox started for this run: nothing leaves this machine and no account is needed.",
        ),
    ] = False


@Parameter(name="*")
@frozen(kw_only=True)
class SendingOptions:
    """Options of every command that sends; the help of each tells what it means."""

    sender: Annotated[
        str | None, Parameter(help="Who sends: 11 letters, digits, & or _; default: MENSATEK_SENDER.")
    ] = None
    at: At = None
    reference: Annotated[
        str | None, Parameter(help="Comes back in every delivery report, such as your order's number.")
    ] = None
    encoding: Encoding = "auto"
    price: Annotated[
        Decimal,
        Parameter(converter=amount, help="Credits a text costs you, for the estimate before sending."),
    ] = Decimal(1)
    yes: Yes = False
    json: Json = False


@Parameter(name="*")
@frozen(kw_only=True)
class FileOptions:
    """How the file of recipients is read."""

    phone: Annotated[
        str | None, Parameter(help="The phone's column, by name or number; default: found by its name.")
    ] = None
    delimiter: Annotated[
        str | None, Parameter(help="What separates the cells of a CSV; default: found out.")
    ] = None
    sheet: Annotated[
        str | None,
        Parameter(help="The spreadsheet's sheet, by name or number; default: the first visible one."),
    ] = None
    header_row: Annotated[
        int | None,
        Parameter(help="The row of the headings, where a title stands above; default: found by the phone's."),
    ] = None
    file_encoding: Annotated[
        str | None, Parameter(help="The encoding of a text file, such as cp1252; default: found out.")
    ] = None
    include_hidden: Annotated[
        bool, Parameter(negative="", show_default=False, help="Take the rows a spreadsheet hides, too.")
    ] = False


@Parameter(name="*")
@frozen(kw_only=True)
class PaceOptions:
    """How fast, when and for how much; starting the campaign again may change them, but for the last two."""

    rate: Annotated[
        float | None, Parameter(converter=amount, help="Recipients a second, over all who use the store.")
    ] = None
    send_between: Annotated[
        str | None, Parameter(help="Hours of the day to send in, such as 09:00-21:00.")
    ] = None
    local_time: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Those hours are each recipient's; default: Spain's."
        ),
    ] = False
    max_credits: Annotated[
        Decimal | None, Parameter(converter=amount, help="Pause before it costs more than this.")
    ] = None
    chunk_size: Annotated[int | None, Parameter(help="Recipients in a request; default: as many as fit.")] = (
        None
    )
    anchor: Annotated[
        str | None,
        Parameter(help="A phone of yours for the very first text, the only one whose fate can stay unknown."),
    ] = None


@Parameter(name="*")
@frozen(kw_only=True)
class CertifiedOptions:
    """What makes it a campaign of certified texts."""

    certified: Annotated[
        bool, Parameter(negative="", show_default=False, help="Send certified texts; they need an issuer.")
    ] = False
    identify: Annotated[
        str | None, Parameter(help="Certified: identify the recipient first, such as CERTIFICADO-12345678E.")
    ] = None
    acceptance_days: Annotated[
        int | None, Parameter(help="Certified: to be accepted within so many days, 1 to 15.")
    ] = None
    contract_type: Annotated[
        int | None, Parameter(help="Certified: a contract; the provider's number of its kind.")
    ] = None


@Parameter(name="*")
@frozen(kw_only=True)
class LegalOptions:
    """Options of every command that sends something certified; the help of each tells what it means."""

    issuer_name: Annotated[
        str | None, Parameter(env_var="MENSATEK_ISSUER_NAME", help="Who sends, for the certificate.")
    ] = None
    issuer_phone: Annotated[
        str | None, Parameter(env_var="MENSATEK_ISSUER_PHONE", help="A phone to reach the issuer.")
    ] = None
    issuer_tax_id: Annotated[
        str | None, Parameter(env_var="MENSATEK_ISSUER_TAX_ID", help="The issuer's NIF, CIF or NIE.")
    ] = None
    foreign_issuer: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="The issuer's tax id is of another country."),
    ] = False
    validity: Annotated[
        str | None,
        Parameter(help="How long delivery is tried, such as 3d, 12h or 1d6h30m; 20d23h59m at most."),
    ] = None
    report_email: Annotated[str | None, Parameter(help="E-mail address that gets the reports.")] = None


@Parameter(name="*")
@frozen(kw_only=True)
class BulkOptions:
    """Options that `mensatek bulk` alone has; the help of each tells what it means."""

    report: Annotated[str | None, Parameter(help="CSV or .jsonl file to write what became of each row.")] = (
        None
    )
    rows: Annotated[
        str | None, Parameter(help="Only these rows, such as 2-500,700,1022- (the first is 1).")
    ] = None
    name: Annotated[
        str | None,
        Parameter(
            help="Its name in the journal; default: made of the file, the text, the options and the account."
        ),
    ] = None
    again: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Send once more what this command has sent already."),
    ] = False
    store: Annotated[
        str | None,
        Parameter(
            help="SQLite file, or postgresql:// address, of the journal; default: bulk.db in the user's state "
            "directory, with --sandbox a temporary one."
        ),
    ] = None
    keep: Annotated[
        float | None,
        Parameter(
            converter=amount,
            help="Days after whose end phones and texts leave the journal; default: 30, and never from a --store.",
        ),
    ] = None
    concurrency: Annotated[int, Parameter(help="Requests at once, 1 to 64.")] = 8
    per_second: Annotated[float | None, Parameter(converter=amount, help="Requests a second at most.")] = None


@Parameter(name="*")
@frozen(kw_only=True)
class SandboxOptions:
    """What the user asked for; each option's help tells what it means."""

    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8025
    host: Annotated[
        str, Parameter(help="Address to listen on; one that others reach makes the page ask for a password.")
    ] = "127.0.0.1"
    password_file: Annotated[
        str | None,
        Parameter(
            help="File that holds the page's password; default: MENSATEK_SANDBOX_PASSWORD, else one is made up"
            " where others reach the page."
        ),
    ] = None
    allowed_host: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="Further name the page may be called by, such as a proxy's; may be given again.",
        ),
    ] = ()
    state: Annotated[
        str | None, Parameter(help="File that keeps everything, also over a crash; default: memory.")
    ] = None
    credits: Annotated[Decimal, Parameter(converter=amount, help="What there is to spend.")] = Decimal(
        100_000
    )
    price: Annotated[Decimal, Parameter(converter=amount, help="Credits a text costs.")] = Decimal(1)
    certified_price: Annotated[
        Decimal | None,
        Parameter(converter=amount, help="Credits a certified text costs; default: as --price."),
    ] = None
    time_scale: Annotated[
        float,
        Parameter(converter=amount, help="Seconds that pass in the sandbox in a real one, such as 3600."),
    ] = 1.0
    delivery_seconds: Annotated[
        float,
        Parameter(
            converter=amount, help="Seconds from one delivery status to the next, by the sandbox's clock."
        ),
    ] = 3.0
    contracts_wait: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            help="Leave contracts to the page; else they go on by themselves.",
        ),
    ] = False
    no_magic: Annotated[
        bool, Parameter(negative="", show_default=False, help="Phones with magic endings are as all others.")
    ] = False
    latency: Annotated[float, Parameter(converter=amount, help="Seconds every call takes.")] = 0.0
    error_rate: Annotated[float, Parameter(converter=amount, help="Share of calls that fail, 0 to 1.")] = 0.0
    error_kind: Annotated[
        str,
        Parameter(
            help="How they fail: 503, 429, 500, drop, lost, cut, html, credits (no credits left) or refused."
        ),
    ] = "503"
    reply_style: Annotated[
        str,
        Parameter(
            help="Form of the replies: json-object (the bare object, as live replies are), json-array (as the manuals"
            " show it), xml, txt and others that docs/sandbox.md lists."
        ),
    ] = "json-object"
    drop_every: Annotated[int, Parameter(help="Lose every n-th answer to a send; 0 loses none.")] = 0
    callbacks: Annotated[
        str | None,
        Parameter(
            name=("--callbacks", "--callback-url"),
            help="URL to post delivery reports, replies and documents' events to, as the provider does.",
        ),
    ] = None


@Parameter(name="*")
@frozen(kw_only=True)
class ListenOptions:
    """Options of `mensatek webhooks listen`; the help of each tells what it means."""

    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8080
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1"
    username: Annotated[str | None, Parameter(help="HTTP Basic user that callers must give.")] = None
    password_file: Annotated[str | None, Parameter(help="File that holds its password.")] = None
    token_file: Annotated[
        str | None, Parameter(help="File that holds what the URL's parameter token must be.")
    ] = None
    allow_unauthenticated: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Take callbacks from anybody; on this machine the default."
        ),
    ] = False
    json: Annotated[
        bool, Parameter(negative="", show_default=False, help="Print one JSON object a line for each event.")
    ] = False
