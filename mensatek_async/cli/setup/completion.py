"""`mensatek --install-completion`: what cyclopts writes for the shell."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.completion.detect import ShellDetectionError

from ..app import app
from ..output import Output, Stop

Shell = Literal["bash", "zsh", "fish"]
# Where cyclopts completes nothing the shell shall complete names of files; fish does so by itself.
_FILES = (
    (r"^complete -F", "complete -o default -F"),
    (r"^( +'(?:[0-9*]:|.*\]:)(?:[^:'\\]|\\.)+)(?=' \\$)", r"\1:_files"),
)


def install(
    *, shell: Annotated[Shell | None, Parameter(help="The shell; default: the one this is typed in.")] = None
) -> None:
    """Install completion for bash, zsh or fish: in a new shell, Tab completes commands and options."""
    try:
        path = app.install_completion(shell=shell)
    except ShellDetectionError:
        raise Stop("The shell cannot be told: say which with --shell bash, zsh or fish.") from None
    script = path.read_text(encoding="utf-8")
    for nothing, files in _FILES:
        script = re.sub(nothing, files, script, flags=re.MULTILINE)
    path.write_text(script, encoding="utf-8")
    Output().say("Installed: {}. Open a new shell to use it.", path)
