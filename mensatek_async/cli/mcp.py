"""`mensatek mcp`: a server of the Model Context Protocol for an assistant such as Claude Desktop."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from types import FrameType

import anyio
from attrs import evolve, field, frozen
from cyclopts import Parameter

from ..errors import InvalidPhone
from ..phones import normalise
from ..sources.files import AnyFileSource
from ..sources.rows import BrokenRow
from ..sources.text_files import shown
from .account import connect, own_file
from .campaign.view import check_store
from .language import _
from .options import AccountOptions, Credits, Flag, Many
from .output import Exit, Output, Stop, on_ending, text_of


@Parameter(name="*")
@frozen(kw_only=True)
class McpOptions:
    """Options of `mensatek mcp` alone.

    Attributes:
        live: Use your account, not a sandbox; to send, --allow and --max-credits are needed as well.
        allow: Phones that may be texted, with commas between them; with --max-credits it means your account.
        allow_file: File of phones that may be texted; one a line will do.
        max_credits: The most that may be spent, over all runs that use the store; with --allow.
        price: Credits a text costs you, for the estimate; the most that an answer has named counts if it is more.
        store: SQLite file or postgresql:// address that keeps what was sent; default: mcp.db in the user's state
            directory, with a sandbox a temporary one.
    """

    live: Flag = False
    allow: Many = field(default=(), repr=False)
    allow_file: str | None = None
    max_credits: Credits | None = None
    price: Credits = Decimal(1)
    store: str | None = None
    account: AccountOptions = AccountOptions()


def mcp(*, options: McpOptions = McpOptions()) -> Exit:
    """Serve an assistant (Model Context Protocol), on a sandbox unless told otherwise.

    It speaks over standard input and output, and ends when the assistant does.
    """
    try:
        from ..mcp.server import serve
        from ..mcp.spending import Rules
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("mcp", "mcp_types", "pydantic"):
            raise
        raise Stop("The MCP server is not installed. Install it: pip install 'mensatek-async[mcp]'") from None
    live = _is_live(options)
    allow, most = _allowed(options), options.max_credits
    if live and most is None:
        most = Decimal(0)
    with ExitStack() as stack:
        account = options.account if live else evolve(options.account, sandbox=True)
        connection = stack.enter_context(connect(account, may_ask=False))
        store = options.store or (own_file("mcp.db") if live else "")
        if not store:
            store = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "mcp.db")
        check_store(store)
        place = _("your account") if live else _("a sandbox: nothing leaves this machine")
        Output().note("Serving an assistant over standard input and output, on {}; Ctrl-C ends it.", place)
        rules = Rules(live, allow if live or allow else None, most, options.price)
        stack.enter_context(_ended_by_signals())
        try:
            anyio.run(serve, connection.async_client(), store, rules)
        except* BrokenPipeError:
            pass  # the assistant has gone
    return Exit.DONE


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end standard input, as if the assistant had gone: what is on its way lands.

    Nothing can interrupt a thread that waits for input, so another one waits for it and hands it on.
    """
    if sys.stdin is None:
        raise Stop("Standard input is closed; an assistant starts this command and talks to it there.")
    source, (end, start) = os.dup(0), os.pipe()
    pipe = os.fdopen(start, "wb", buffering=0)
    os.dup2(end, 0)
    os.close(end)

    def hand_on() -> None:
        with suppress(OSError, ValueError), pipe:  # closed by a signal
            while block := os.read(source, 65536):
                pipe.write(block)

    def stop(number: int, frame: FrameType | None) -> None:
        if pipe.closed:
            raise KeyboardInterrupt
        pipe.close()

    on_ending(stop)
    threading.Thread(target=hand_on, daemon=True).start()
    yield


def _is_live(options: McpOptions) -> bool:
    """Whether it is the user's account: they said so, or said whom it may text and for how much."""
    named = bool(options.allow or options.allow_file)
    if options.account.sandbox:
        if options.live:
            raise Stop("--live and --sandbox exclude each other.")
        return False
    if named != (options.max_credits is not None):
        raise Stop(
            "--allow (or --allow-file) and --max-credits go together: whom it may text, and for how much."
        )
    return options.live or named


def _allowed(options: McpOptions) -> frozenset[str]:
    """Return the phones that may be texted."""
    found: set[str] = set()
    for one in (part.strip() for given in options.allow for part in re.split("[,;]", given)):
        try:
            found |= {normalise(one)} if one else set()
        except InvalidPhone as error:
            raise Stop(f"--allow: {text_of(error)}") from None
    if options.allow_file is not None:
        for row in AnyFileSource(options.allow_file).rows(()):
            try:
                if isinstance(row, BrokenRow):
                    raise InvalidPhone(f"{row.reason}.")
                found.add(normalise(row.phone))
            except InvalidPhone as error:
                path = shown(options.allow_file)
                raise Stop("--allow-file {}, row {}: {}", path, row.row, text_of(error)) from None
    return frozenset(found)
