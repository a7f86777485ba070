"""`mensatek sandbox`: a double of the provider until Ctrl-C."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from .account import read_secret, start_sandbox
from .options import SandboxOptions
from .output import Output, credits_text
from .stop import Exit, Stop, as_ctrl_c

if TYPE_CHECKING:
    from ..sandbox import Sandbox

_KEPT_CALLS = 2_000


_DEFAULTS = SandboxOptions()


def sandbox(*, options: SandboxOptions = _DEFAULTS) -> Exit:
    """Run a double of the provider on this machine, with a page to look in, until Ctrl-C."""
    output = Output()
    signal.signal(signal.SIGTERM, as_ctrl_c)
    given = None if options.password_file is None else read_secret(options.password_file, "password")
    try:
        password, is_new = _password(given, options.host)
        with start_sandbox(
            port=options.port,
            host=options.host,
            password=password,
            allowed_hosts=options.allowed_host,
            state=options.state,
            credits=options.credits,
            price=options.price,
            certified_price=options.certified_price,
            time_scale=options.time_scale,
            delivery_seconds=options.delivery_seconds,
            magic=not options.no_magic,
            latency=options.latency,
            error_rate=options.error_rate,
            error_kind=options.error_kind,
            reply_style=options.reply_style,
            keep_calls=_KEPT_CALLS,
        ) as running:
            _set_up(running, options)
            _greet(running, output, password if is_new else None)
            running.wait()
    except KeyboardInterrupt:
        output.note("The sandbox has ended.")
    except ValueError as error:
        raise Stop(f"{error}.") from None
    return Exit.DONE


def _password(given: str | None, host: str) -> tuple[str | None, bool]:
    try:
        from ..sandbox.password import choose_password
    except ImportError:
        return given, False  # what is missing is told when the sandbox is started
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
    output.say(f"The sandbox listens at {sandbox.base_url} with {credits_text(sandbox.credits)} credits.")
    output.say(f"Its page is {sandbox.page_url} ; use it from another terminal, Ctrl-C ends it.")
    output.say(f"  export MENSATEK_BASE_URL={sandbox.base_url}")
    output.say(f"  export MENSATEK_API_USER={sandbox.user}")
    output.say(f"  export MENSATEK_API_TOKEN={sandbox.token}")
    if password is not None:
        output.say(f"Other machines reach it too. The page's password, with any user name: {password}")
