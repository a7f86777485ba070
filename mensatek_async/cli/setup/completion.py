"""`mensatek --install-completion`: what cyclopts writes for the shell."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.completion.detect import ShellDetectionError

from ..app import app
from ..language import _
from ..output import Output, Stop

Shell = Literal["bash", "zsh", "fish"]


def install(
    *, shell: Annotated[Shell | None, Parameter(help="The shell; default: the one this is typed in.")] = None
) -> None:
    """Install completion for bash, zsh or fish: in a new shell, Tab completes commands and options."""
    try:
        path = app.install_completion(shell=shell)
    except ShellDetectionError:
        raise Stop(_("The shell cannot be told: say which with --shell bash, zsh or fish.")) from None
    Output().say(_("Installed: {}. Open a new shell to use it.", path))
