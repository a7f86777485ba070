"""The commands that run on this machine alone: the sandbox, and the listener for callbacks."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from .options import SandboxOptions

_DEFAULTS = SandboxOptions()


def sandbox(*, options: SandboxOptions = _DEFAULTS) -> int:
    """Run a double of the provider on this machine, with a page to look in, until Ctrl-C."""
    from .sandbox_command import run_sandbox

    return run_sandbox(options)


webhooks = App(name="webhooks", help_format="plaintext")


@webhooks.command
def listen(
    *,
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = 8080,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    username: Annotated[str | None, Parameter(help="HTTP Basic user that callers must give.")] = None,
    password_file: Annotated[str | None, Parameter(help="File that holds its password.")] = None,
    token_file: Annotated[
        str | None, Parameter(help="File that holds what the URL's parameter token must be.")
    ] = None,
    allow_unauthenticated: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Take callbacks from anybody; on this machine the default."
        ),
    ] = False,
    json: Annotated[
        bool, Parameter(negative="", show_default=False, help="Print one JSON object a line for each event.")
    ] = False,
) -> int:
    """Print callbacks as they come, until Ctrl-C: for development."""
    from .webhooks import ListenOptions
    from .webhooks import listen as run_listen

    return run_listen(
        ListenOptions(
            port=port,
            host=host,
            username=username,
            password_file=password_file,
            token_file=token_file,
            allow_unauthenticated=allow_unauthenticated,
            json=json,
        )
    )
