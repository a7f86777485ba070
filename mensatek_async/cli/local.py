"""The commands that run on this machine alone: the sandbox, and the listener for callbacks."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import asdict
from cyclopts import App

from .._wire.scalars import madrid
from ..errors import ConfigurationError
from ..models.events import DeliveryReport, DocumentEvent, Event, IncomingMessage
from ..settings import is_loopback
from ..webhooks.local_server import LocalServer
from ..webhooks.wsgi import WebhookApp
from .account import read_secret, start_sandbox
from .language import _, label, later, reason, spoken
from .options import Flag, SandboxOptions
from .output import Exit, Output, Stop, as_ctrl_c, cannot_listen, credits_text, on_ending, plural

if TYPE_CHECKING:
    from ..sandbox import Sandbox


_KEPT_CALLS = 2_000
_SAME = (
    *("port", "host", "state", "credits", "price", "certified_price", "time_scale", "delivery_seconds"),
    *("latency", "error_rate", "error_kind", "reply_style"),
)  # options that are called as the sandbox's settings


def sandbox(*, options: SandboxOptions = SandboxOptions()) -> Exit:
    """Run a double of the provider on this machine, with a page to look in, until Ctrl-C."""
    output = Output()
    on_ending(as_ctrl_c)
    given = None if options.password_file is None else read_secret(options.password_file, "password")
    try:
        password, is_new = _password(given, options.host)
        same = {name: getattr(options, name) for name in _SAME}
        with start_sandbox(
            **same,
            password=password,
            allowed_hosts=options.allowed_host,
            magic=not options.no_magic,
            keep_calls=_KEPT_CALLS,
        ) as running:
            _set_up(running, options)
            _greet(running, output, password if is_new else None)
            running.wait()
    except KeyboardInterrupt:
        output.note("The sandbox has ended.")
    except ValueError as error:
        raise Stop(f"{reason(str(error))}.") from None
    return Exit.DONE


def _password(given: str | None, host: str) -> tuple[str | None, bool]:
    try:
        from ..sandbox.page.access import choose_password
    except ImportError:
        return given, False  # what is missing is said when the sandbox is started
    return choose_password(given, host)


def _set_up(sandbox: Sandbox, options: SandboxOptions) -> None:
    from ..sandbox import Callbacks, Fault

    if options.contracts_wait:
        sandbox.contracts_by_themselves = False
    if options.drop_every:
        fault = Fault.drop_after_accept()
        sandbox.fault(fault, operation="EnviarSMS", times=None, every=options.drop_every)
    if options.callbacks is not None:
        sandbox.call_back(Callbacks(options.callbacks))


def _greet(sandbox: Sandbox, output: Output, password: str | None) -> None:
    output.say("The sandbox listens at {} with {} credits.", sandbox.base_url, credits_text(sandbox.credits))
    output.say("Its page is {} ; use it from another terminal, Ctrl-C ends it.", sandbox.page_url)
    output.say(f"  export MENSATEK_BASE_URL={sandbox.base_url}")
    output.say(f"  export MENSATEK_API_USER={sandbox.user}")
    output.say(f"  export MENSATEK_API_TOKEN={sandbox.token}")
    if password is not None:
        output.say("Other machines reach it too. The page's password, with any user name: {}", password)


webhooks = App(name="webhooks", help_format="plaintext")

_COLUMNS = later("Came at", "Event", "Phone", "What", "Message", "Reference")
_MOST_ROWS = 1000
Cells = tuple[str, ...]


def _cells(event: Event) -> Cells:
    """An event for people, in the order of the columns."""
    match event:
        case DeliveryReport():
            kind, what, phone = _("report"), f"{event.status.code} {label(event.status)}", event.phone
        case DocumentEvent():
            kind, what, phone = _("document"), f"{event.file}: {event.kind}", event.phone
        case IncomingMessage():
            kind, what, phone = _("message"), event.text, event.sender
        case _:
            code = "" if event.code is None else event.code
            kind, what, phone = _("other"), f"{event.service} {code}".strip(), ""
    now = datetime.now(madrid()).strftime("%H:%M:%S")
    cells = (now, kind, phone, what, str(event.message_id or ""), event.reference)
    return tuple("".join(c if c.isprintable() else " " for c in cell) for cell in cells)


def _as_json(event: Event) -> dict[str, Any]:
    values = {"event": type(event).__name__, **asdict(event, recurse=False)}
    if isinstance(event, DeliveryReport):
        status = event.status
        values |= {"status": status.code, "label": status.label_en, "phase": status.phase.value}
    return values


@webhooks.command
def listen(
    *,
    port: int = 8080,
    host: str = "127.0.0.1",
    username: str | None = None,
    password_file: str | None = None,
    token_file: str | None = None,
    allow_unauthenticated: Flag = False,
    store: str | None = None,
    json: Flag = False,
) -> Exit:
    """Print callbacks as they come, until Ctrl-C: for development; with --store, write down what they say.

    Args:
        port: Port to listen on; 0 takes a free one.
        host: Address to listen on.
        username: HTTP Basic user that callers must give.
        password_file: File that holds its password.
        token_file: File that holds what the URL's parameter token must be.
        allow_unauthenticated: Take callbacks from anybody; on this machine the default.
        store: Record there who answers BAJA or the like, and reports on its campaigns and its outbox.
        json: Print one JSON object a line for each event.
    """
    output = Output(json=json)
    came = 0

    def handle(event: Event) -> None:
        nonlocal came
        opted_out = record(event)  # first: what cannot be written down is to be posted again
        came += 1
        show(event)
        if opted_out and isinstance(event, IncomingMessage):
            output.note("opted out: {}", event.sender)

    if username is not None and password_file is None:
        raise Stop("--username goes with --password-file.")
    password = None if password_file is None else read_secret(password_file, "password")
    token = None if token_file is None else read_secret(token_file, "token")
    try:
        app = WebhookApp(
            handle,
            username=username,
            password=password,
            token=token,
            allow_unauthenticated=allow_unauthenticated or is_loopback(host),
            dedupe=False,  # who develops wants to see what comes twice
        )
        server = LocalServer(host, port)
    except ConfigurationError as error:
        raise Stop(
            "{}\nGive --username and --password-file, --token-file, or --allow-unauthenticated.",
            spoken().error(error)[0],
        ) from None
    except (OSError, OverflowError) as error:
        raise cannot_listen(host, port, error) from None
    on_ending(as_ctrl_c)
    with server, _recording(store) as record, _shown(output) as show:
        server.set_app(_noting_refusals(app, output))
        output.note("Listening at http://{}:{}/; Ctrl-C ends it.", host, server.server_port)
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            pass
    output.note("{} came.", plural(came, "event"))
    return Exit.DONE


@contextmanager
def _recording(store: str | None) -> Iterator[Callable[[Event], bool]]:
    """Give what writes an event down in a store: replies that opt out, reports on its campaigns, outbox and contracts.

    It returns whether somebody has opted out.
    """
    if store is None:
        yield lambda event: False
        return
    from ..sync.generated._client import Mensatek
    from ..sync.generated._contracts import SyncContracts
    from .opt_outs import opt_outs_of

    with (
        opt_outs_of(store) as opt_outs,
        Mensatek("nobody", "nothing", base_url="http://127.0.0.1") as client,
        closing(client.campaigns(store)) as campaigns,
        closing(client.outbox(store)) as outbox,
        closing(SyncContracts(store)) as contracts,
    ):

        def record(event: Event) -> bool:
            campaigns.record(event)
            outbox.record(event)
            contracts.record(event)
            return opt_outs.record(event)

        yield record


@contextmanager
def _shown(output: Output) -> Iterator[Callable[[Event], None]]:
    """A way to show events: JSON lines, a table that grows, or plain lines where nobody watches."""
    if output.json:
        yield lambda event: output.answer(_as_json(event))
    elif not sys.stdout.isatty():
        yield lambda event: output.say("  ".join(cell for cell in _cells(event) if cell))
    else:
        from rich.console import Console
        from rich.live import Live
        from rich.table import Table
        from rich.text import Text

        console, rows = Console(highlight=False, markup=False), deque[Cells](maxlen=_MOST_ROWS)

        def draw(event: Event) -> None:
            rows.append(_cells(event))
            table = Table(*map(_, _COLUMNS))
            for cells in list(rows)[-max(console.height - 6, 1) :]:
                table.add_row(*map(Text, cells))
            live.update(table, refresh=True)

        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            yield draw


def _noting_refusals(app: WebhookApp, output: Output) -> Callable[..., Iterable[bytes]]:
    """An application that says on standard error what the other one did not take, and why."""

    def handle(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            statuses.append(status)
            return start_response(status, headers)

        body = list(app(environ, start))
        if not statuses[0].startswith("200"):
            output.note("not taken: {}; {}", statuses[0], reason(b"".join(body).decode()))
        return body

    return handle
