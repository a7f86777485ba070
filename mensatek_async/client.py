"""`AsyncMensatek`: settings, opening, closing, and its resources."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from attrs import evolve

from ._core import exchange
from ._core.call import Caller
from ._core.context import Context
from ._core.operations import check_params, find, with_paths
from ._core.pool import AsyncTransport
from ._core.transport import Transport
from ._wire.reply_fields import spell
from .assumptions import RequestFormat, load_assumptions
from .errors import ConfigurationError, InvalidRequest, UnexpectedReply
from .models.issuer import Issuer
from .observe.observer import notifier_of
from .phones import check_region
from .resources.certified import CertifiedResource
from .resources.files import FilesResource
from .resources.sms import SmsResource
from .senders import check_sender
from .settings import (
    Account,
    Guard,
    Limits,
    Retry,
    Seconds,
    Timeout,
    as_guard,
    as_setting,
    as_timeout,
    check_account,
    load_account,
)
from .tracebacks import private

if TYPE_CHECKING:
    from .campaigns.campaigns import Campaigns
    from .outbox.outbox import Outbox

ReplyForm = Literal["JSON", "TXT", "XML"]


@private
class AsyncMensatek:
    """A client of one account. Make one, keep it, and share it between all that use the account.

    Use it as `async with AsyncMensatek() as client:`, or call `aclose()` when done. No connection is opened before the
    first call.

    Args:
        user: the API user. Default: the environment's MENSATEK_API_USER.
        token: the API token. Default: MENSATEK_API_TOKEN.
        base_url: where the API is. Default: MENSATEK_BASE_URL, else the provider's own. Only https, or a loopback
            address.
        sender: the sender of messages that name none. Default: MENSATEK_SENDER, else the account's own, which ""
            names too.
        issuer: who issues certified messages that name none.
        report: whether sends that do not say ask for delivery reports. Default: MENSATEK_REPORT (1 or 0), else it is
            left out, and the account's setting counts; campaigns then ask for them, since they need them.
        default_region: the two-letter country of phones written without a prefix.
        timeout: how long to wait; see `Timeout`. A number of seconds, or a timedelta, is its total.
        limits: how much at once; see `Limits`.
        retry: when a call that is safe to repeat is repeated; see `Retry`.
        guard: what keeps the account from being blocked; see `Guard`.
        transport: anything with httpx's asynchronous transport interface, in place of the network.
        request_format: "json", or "form" for `application/x-www-form-urlencoded`. Default: MENSATEK_REQUEST_FORMAT,
            else "json".
        paths: replaces the path of operations, by name; for those whose path is inferred. Default: MENSATEK_PATHS,
            written NAME=PATH,NAME=PATH.
        assume_grouping: whether the provider sends nothing twice to a phone inside of one message, as its manual
            says. False repeats nothing on the strength of that: what a bulk send, a campaign or a send with `join`
            got no answer for is unknown, and stays so. Default: MENSATEK_ASSUME_GROUPING (1 or 0), else True.
        observer: an `Observer`, or an object with some of its methods, which is told of every call, also of bulk sends,
            campaigns, the outbox, and the clients of `for_account`.

    Raises:
        ConfigurationError: credentials are missing, or a setting cannot be used.
        InvalidSender: the default sender is too long, or holds what no text can hold.
    """

    def __init__(
        self,
        user: str | None = None,
        token: str | None = None,
        *,
        base_url: str | None = None,
        sender: str | None = None,
        issuer: Issuer | None = None,
        report: bool | None = None,
        default_region: str = "ES",
        timeout: Timeout | Seconds | None = None,
        limits: Limits | None = None,
        retry: Retry | None = None,
        guard: Guard | None = None,
        transport: AsyncTransport | None = None,
        request_format: RequestFormat | None = None,
        paths: Mapping[str, str] | None = None,
        observer: object | None = None,
        assume_grouping: bool | None = None,
    ) -> None:
        account = load_account(user, token, base_url, sender)
        assumed = load_assumptions(request_format, report, assume_grouping, paths)
        timeout = as_timeout(timeout)
        limits, guard = as_setting(Limits, limits, "concurrency=4"), as_guard(guard)
        self._account, self._assumed = account, assumed
        self._caller = Caller(
            Transport(account, timeout, limits, transport),
            account=account,
            limits=limits,
            retry=as_setting(Retry, retry, "attempts=4"),
            guard=guard,
            request_format=assumed.request_format,
            assume_grouping=assumed.assume_grouping,
            notifier=notifier_of(observer),
        )
        self._context = Context(
            caller=self._caller,
            operations=with_paths(assumed.paths),
            limits=limits,
            timeout=timeout,
            region=check_region(default_region),
            sender=_sender(account),
            issuer=_issuer(issuer),
            report=assumed.report,
            assume_grouping=assumed.assume_grouping,
            read_interval=guard.read_interval,
        )
        self.sms: SmsResource = SmsResource(self._context)
        self.certified: CertifiedResource = CertifiedResource(self._context)
        self.files: FilesResource = FilesResource(self._context)

    @property
    def issuer(self) -> Issuer | None:
        """Who issues certified messages that name none."""
        return self._context.issuer

    @property
    def last_credits(self) -> Decimal | None:
        """The credits left by the newest reply to any client of the account; None before the first. Makes no call."""
        return self._caller.last_credits

    def for_account(
        self, user: str, token: str, *, sender: str | None = None, issuer: Issuer | None = None
    ) -> AsyncMensatek:
        """Return a client of another account, on this one's connections and limits.

        For programs that serve many accounts. It costs little to make, so make one for each piece of work, with the
        token as it is now: what the guard, the memory of reads and the credits know of an account outlives its
        clients, and nobody else's refusal holds it up. Settings are this client's, but for whose texts they are. It
        need not be closed, and works for as long as this one is open.

        Args:
            user: the API user of the account.
            token: its API token. A new one counts at once, also while the old one is refused.
            sender: the sender of messages that name none; None is the account's own, not this client's.
            issuer: who issues certified messages that name none; never this client's.

        Returns:
            The client. Its calls raise ConfigurationError once this one is closed.

        Raises:
            ConfigurationError: the user or the token is missing or cannot be.
            InvalidSender: the sender is too long, or holds what no text can hold.
        """
        account = check_account(user, token, self._account.base_url, sender)
        client = object.__new__(type(self))
        client._account, client._assumed = account, self._assumed
        client._caller = self._caller.for_account(account)
        client._context = context = evolve(
            self._context, caller=client._caller, sender=_sender(account), issuer=_issuer(issuer)
        )
        client.sms, client.certified = SmsResource(context), CertifiedResource(context)
        client.files = FilesResource(context)
        return client

    def campaigns(
        self, store: str | os.PathLike[str] = "campaigns.db", *, lease: float = 300.0, poll: float = 0.5
    ) -> Campaigns:
        """Return the durable campaigns of a store; the same as `Campaigns(client, store)`.

        Args:
            store: the path of a SQLite file, made when it is not there; or "postgresql://..." (extra `postgres`).
            lease: seconds after which a worker that shows no life is taken for dead.
            poll: seconds between two looks at what other processes have changed.

        Raises:
            InvalidRequest: the store's name or a number cannot be.
            ConfigurationError: PostgreSQL was asked for and psycopg is not installed.
        """
        from .campaigns.campaigns import Campaigns  # few programs need them, and they load the databases

        return Campaigns(self, store, lease=lease, poll=poll)

    def outbox(
        self,
        store: str | os.PathLike[str] = "outbox.db",
        *,
        lease: float = 60.0,
        poll: float | None = None,
        rate: float | None = None,
    ) -> Outbox:
        """Return the outbox of a store; the same as `Outbox(client, store)`.

        Args:
            store: the path of a SQLite file, made when it is not there; or "postgresql://..." (extra `postgres`).
            lease: seconds after which a worker that shows no life is taken for dead.
            poll: seconds between two looks at what other processes have put.
            rate: items a second, over everybody who uses the store; None sets no limit.

        Raises:
            InvalidRequest: the store's name or a number cannot be.
            ConfigurationError: PostgreSQL was asked for and psycopg is not installed.
        """
        from .outbox.outbox import Outbox  # as with campaigns

        return Outbox(self, store, lease=lease, poll=poll, rate=rate)

    async def credits(self, max_age: float = 60) -> Decimal:
        """Return the credits left in the account.

        Operation of the API: GetCreditos. Nearly every reply tells the credits, so this asks only when none did
        within `max_age`; the provider counts asking again and again as spam.

        Args:
            max_age: seconds that what is known may be old. The question never goes out twice within five.

        Returns:
            The credits.

        Raises:
            AuthenticationError: the API user or token is wrong.
            UnexpectedReply: an answer nobody can read.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        return await exchange.credits(self._context, max_age)

    async def request(self, operation: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Make any call of the API, with the same authentication, guard, limits and repeats as all others.

        Args:
            operation: its name in the manual, such as "GetReportSMS". One this package does not know is never
                repeated once it may have reached the provider.
            params: parameters by their wire names. `Resp` is set here.

        Returns:
            The decoded reply by wire names, which are looked up in any case; values as they came.

        Raises:
            InvalidRequest: the name or a parameter cannot be; nothing left.
            APIError: the provider said no.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        row = find(self._context.operations, operation)
        answer = await self._caller.reply(row, check_params(params))
        if not answer.reply:
            raise UnexpectedReply(row.name, ("a file came, which raw() gives as it is",))
        reply: dict[str, Any] = spell(answer.reply)
        return reply

    async def raw(
        self, operation: str, params: Mapping[str, Any] | None = None, *, resp: ReplyForm = "JSON"
    ) -> bytes:
        """Make a call as `request` does, and return the body as it came: the reply in a form you choose, or a file.

        Args:
            operation: its name in the manual.
            params: parameters by their wire names.
            resp: the form of the reply: "JSON", "TXT" or "XML".

        Returns:
            The undecoded body.

        Raises:
            InvalidRequest: the name, the form or a parameter cannot be; nothing left.
            APIError: the provider said no.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        if resp not in ("JSON", "TXT", "XML"):
            raise InvalidRequest(f"resp is 'JSON', 'TXT' or 'XML', not {resp!r}.")
        row = find(self._context.operations, operation)
        answer = await self._caller.reply(row, check_params(params), form=resp)
        return answer.raw.body

    async def aclose(self) -> None:
        """Close the connections. A second time does nothing; calls after it are refused.

        Calls that are on their way have the `grace` of `Timeout` to come back. Those that have not then are ended: a
        send as `OutcomeUnknown`, and a WARNING in the log names their operations. Closing the client of `for_account`
        closes nothing else.
        """
        await self._caller.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncMensatek user={self._account.user!r} base_url={self._account.base_url!r}>"


def _sender(account: Account) -> str | None:
    return check_sender(account.sender) if account.sender else None


def _issuer(issuer: Issuer | None) -> Issuer | None:
    if issuer is not None and not isinstance(issuer, Issuer):
        raise ConfigurationError(f"issuer is an Issuer, not {type(issuer).__name__}.")
    return issuer
