"""The options of `mensatek sandbox`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter


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
    credits: Annotated[Decimal, Parameter(help="What there is to spend.")] = Decimal(100_000)
    price: Annotated[Decimal, Parameter(help="Credits a text costs.")] = Decimal(1)
    certified_price: Annotated[
        Decimal | None, Parameter(help="Credits a certified text costs; default: as --price.")
    ] = None
    time_scale: Annotated[
        float, Parameter(help="Seconds that pass in the sandbox in a real one, such as 3600.")
    ] = 1.0
    delivery_seconds: Annotated[
        float, Parameter(help="Seconds from one delivery status to the next, by the sandbox's clock.")
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
    latency: Annotated[float, Parameter(help="Seconds every call takes.")] = 0.0
    error_rate: Annotated[float, Parameter(help="Share of calls that fail, 0 to 1.")] = 0.0
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
