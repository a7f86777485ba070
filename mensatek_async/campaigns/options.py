"""What a campaign sends, checked once and written down, so that any process can go on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, Literal

from attrs import frozen

from .._core.context import Context
from .._core.messages.message import Encoding, Message, prepare
from .._core.messages.options import exact_date, still_to_come
from .._core.operations import bounded
from .._wire.names import REQUEST
from .._wire.structure import dumps
from ..durable.content import OPERATIONS, SendOptions, compose_message
from ..errors import CampaignError, InvalidRequest
from ..models.campaign import Resolution
from ..models.recipient import Recipient
from ..text.template import Template
from .journal.hours import SPAIN, Hours, check_hours
from .journal.records import CampaignRow, Settings

_POLICIES = ("keep", "assume_sent", "resend")


@frozen(kw_only=True, repr=False)
class Content:
    """What every request of a campaign has in common, as its store keeps it."""

    product: str
    template: bool  # whether the text is a template's source
    text: str
    params: dict[str, Any]  # by wire names, without recipients and encoding
    encoding: Encoding
    region: str  # that of phones written without a country
    size: int  # recipients in a request
    anchor: dict[str, str] | None  # the opener of its own, by wire names, if it has one
    anchor_unicode: bool = False

    @property
    def reference(self) -> str:
        """The user's reference, "" for none."""
        return str(self.params.get(REQUEST["reference"], ""))

    def operation(self, verb: str) -> str:
        """Return the operation that does this to its message: "Enviar", "Cancelar", "GetReport"."""
        return OPERATIONS[self.product].replace("Enviar", verb)

    def message(self, context: Context) -> Message:
        return Message(
            operation=context.operations[OPERATIONS[self.product]],
            text=prepare(Template(self.text) if self.template else self.text),
            params=self.params,
            encoding=self.encoding,
            region=self.region,
            joined=False,
        )

    def digest(self) -> str:
        """Return a digest: two campaigns with the same one send the same."""
        content = json.loads(dumps(self))
        del content["size"], content["anchor_unicode"]
        return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


class CampaignOptions(SendOptions, total=False):
    """The options of a campaign: these, and those of `SendOptions`.

    Starting a campaign again may change `rate`, `start_at`, `send_between`, `local_time`, `max_credits`,
    `unknown_after`, `unknown_policy` and `respect_opt_outs`; with `chunk_size` changed it goes on as it was.

    Attributes:
        product: "sms", or "certified" for certified and contract texts. Default: "sms".
        rate: recipients a second, over everybody who uses the store. Default: as fast as the provider allows.
        start_at: from when on it is sent, an aware datetime; whoever runs it waits until then, and who opts out
            before is left out. Started again without one, or with the same, it keeps to its date, also where
            `Campaign.reschedule` has moved it. Default: now.
        send_between: from when to when a text may leave, such as `(time(9), time(21))`; it may go past midnight.
        local_time: whose hours these are: "spanish" (the default), or "recipient" by the country of each phone; where a
            country has several time zones, within the hours of all of them.
        max_credits: pauses the campaign before it would cost more.
        chunk_size: recipients in a request; default and most: the client's limit for the product.
        anchor: a phone of yours to send the very first text to, whose message all others join: should its answer get
            lost, nobody else is concerned. It counts as no row.
        unknown_after: seconds or a timedelta after which unknown recipients are settled; None leaves them.
        unknown_policy: how: "keep" (the default), "assume_sent" or "resend"; see `Campaign.resolve`.
        respect_opt_outs: whether to leave out who has opted out in this store (`OptOuts`) by the time their request
            leaves. Default: True. False is for texts that are no advertising, such as a recall.
    """

    product: Literal["sms", "certified"]
    rate: float | None
    start_at: datetime | None
    send_between: tuple[time, time] | None
    local_time: Literal["spanish", "recipient"]
    max_credits: Decimal | float | None
    chunk_size: int | None
    anchor: str | Recipient | None
    unknown_after: float | timedelta | None
    unknown_policy: Resolution
    respect_opt_outs: bool


_DEFAULTS: Mapping[str, Any] = {
    **dict.fromkeys(CampaignOptions.__optional_keys__),
    "product": "sms",
    "encoding": "auto",
    "fix_utf8": False,
    "local_time": "spanish",
    "unknown_policy": "keep",
    "respect_opt_outs": True,
}


def compose_plan(
    context: Context, text: str | Template, options: CampaignOptions
) -> tuple[Content, Settings]:
    """Check all that is said of a campaign but its recipients, and but for whether its dates have passed."""
    given = {**_DEFAULTS, **options}
    if unknown := given.keys() - _DEFAULTS.keys():
        raise TypeError(f"A campaign has no option {min(unknown)!r}.")
    settings = _settings(given)
    return _content(context, text, given), settings


def refuse_late(options: CampaignOptions) -> None:
    """Refuse dates that have passed: a campaign that goes on may be late, a new one may not."""
    for when in (options.get("start_at"), options.get("scheduled_at")):
        if when is not None:
            still_to_come(when)


def _content(context: Context, text: str | Template, given: Mapping[str, Any]) -> Content:
    product, limits, rate = given["product"], context.limits, given["rate"]
    options = {name: given[name] for name in SendOptions.__optional_keys__}
    message = compose_message(context, text, product, options)
    anchor = None if given["anchor"] is None else message.address(given["anchor"])
    most = limits.certified_per_request if product == "certified" else limits.sms_per_request
    size = bounded("chunk_size", given["chunk_size"], most)
    return Content(
        product=product,
        template=isinstance(text, Template),
        text=text.source if isinstance(text, Template) else text,
        params=dict(message.params),
        encoding=message.encoding,
        region=message.region,
        # A chunk leaves at once: larger than a second's worth, it would make the rate a matter of minutes.
        size=size if rate is None else max(min(size, int(rate)), 1),
        anchor=anchor and anchor.wire,
        anchor_unicode=anchor is not None and anchor.unicode,
    )


def _settings(given: Mapping[str, Any]) -> Settings:
    hours, local_time = check_hours(given["send_between"]), given["local_time"]
    rate, after, policy = given["rate"], given["unknown_after"], given["unknown_policy"]
    if rate is not None and not (_is_number(rate) and 0 < rate < 1e9):
        raise InvalidRequest("rate is recipients a second: a number above 0, or None.")
    if local_time not in ("spanish", "recipient"):
        raise InvalidRequest(f'local_time is "spanish" or "recipient", not {local_time!r}.')
    if policy not in _POLICIES:
        raise InvalidRequest('unknown_policy is "keep", "assume_sent" or "resend".')
    if isinstance(after, timedelta):
        after = after.total_seconds()
    if after is not None and not (_is_number(after) and after >= 0):
        raise InvalidRequest("unknown_after is a number of seconds or a timedelta.")
    if not isinstance(given["respect_opt_outs"], bool):
        raise InvalidRequest("respect_opt_outs is True or False.")
    begins = None if given["start_at"] is None else exact_date(given["start_at"]).timestamp()
    check_dates(hours, begins, given["scheduled_at"])
    return Settings(
        rate=rate,
        start=hours.start if hours else None,
        end=hours.end if hours else None,
        local=local_time == "recipient",
        max_credits=positive("max_credits", "credits", given["max_credits"]),
        unknown_after=after,
        unknown_policy=policy,
        respect_opt_outs=given["respect_opt_outs"],
        start_at=begins,
        asked_at=begins,
    )


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def check_dates(hours: Hours | None, start_at: float | None, scheduled_at: datetime | None) -> None:
    """Refuse dates that do not go together."""
    if scheduled_at is None:
        return
    delivered = exact_date(scheduled_at).timestamp()
    if hours and hours.waits((SPAIN,), delivered):
        raise InvalidRequest(
            "scheduled_at is outside send_between.",
            advice="The provider sends at scheduled_at, whatever the hours.",
        )
    if start_at is not None and start_at > delivered:
        raise InvalidRequest(
            "start_at is later than scheduled_at.",
            advice="The provider is given the texts from start_at on, and delivers them at scheduled_at.",
        )


def check_move(
    row: CampaignRow, start_at: datetime | None, scheduled_at: datetime | None, held: datetime | None
) -> float | None:
    """Check the dates that a campaign is moved to, `held` so far by the provider; return when it then begins."""
    given = [exact_date(when) for when in (start_at, scheduled_at) if when is not None]
    if not given:
        raise InvalidRequest("Give start_at, scheduled_at or both.")
    for when in given:
        still_to_come(when)
    if scheduled_at is not None and held is None:
        raise CampaignError(
            f"The campaign {row.name!r} was started without scheduled_at: the provider holds nothing of it for later.",
            advice="Give start_at to send what is left from then on.",
        )
    begins = row.settings.start_at if start_at is None else given[0].timestamp()
    check_dates(row.settings.hours, begins, scheduled_at or held)
    return begins


def positive(name: str, unit: str, given: object) -> Decimal | None:
    """Return a number above 0, None for none; anything else is an InvalidRequest."""
    if given is None:
        return None
    try:
        number = Decimal(str(given)) if not isinstance(given, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise InvalidRequest(f"{name} is a number of {unit} above 0, or None.")
    return number
