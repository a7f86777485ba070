"""The commands by name. Each is imported when it is called, so that help and the short ones come at once."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

from cyclopts import App, CycloptsError

from .._version import __version__
from ..errors import MensatekError
from ..language import choose
from ..sources.text_files import shown
from ..warning import MensatekWarning
from .language import _, reason, reason_of, speak, spoken
from .output import Exit, Output, Stop, code_of, in_words_of_the_command, quiet_streams

_HELP = """Send texts through the Mensatek API.

Credentials: MENSATEK_API_USER and MENSATEK_API_TOKEN. The token is never an argument: others could see it.

Exit codes: 0 all sent, 1 some not sent, 2 wrong use, 3 refused account, 130 interrupted.
"""

_CAMPAIGN = """Campaigns that are written down: killed at any moment, they go on where they stopped.

Exit codes: 0 all sent so far, 1 some not sent or paused, 2 wrong use, 3 refused account, 130 interrupted.
"""

app = App(
    name="mensatek",
    help=_HELP,
    version=__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # so that whoever is interrupted is told what was sent
)

_OUTBOX = """Texts by key, each sent once whatever happens: what programs put is sent here.

Exit codes: 0 all sent, 1 some not sent or unknown, 2 wrong use, 3 refused account, 130 interrupted.
"""

_FOR_ALL = ("--lang", "--profile", "--config")
_ASIDE = {"--help", "-h", "--version", "--install-completion"}  # whoever asks for these needs no profile

# By home and name: its help, of which `mensatek --help` shows the first line.
_COMMANDS = {
    "campaign.commands:campaign": _CAMPAIGN,
    "outbox:outbox": _OUTBOX,
    "opt_outs:opt_outs": "People who must not be texted, such as those who answered BAJA.",
    "documents:certified": "Certified texts and their certificates.",
    "documents:contract": "Contracts signed by text.",
    "messages:credits": "Show the credits left.",
    "messages:send": "Send one text to one phone or several.",
    "messages:report": "Show where each recipient of a message stands.",
    "messages:cancel": "Cancel a scheduled message that has not left.",
    "messages:reschedule": "Give a scheduled message that has not left a new date.",
    "files:files": "Files in the library, which messages can carry.",
    "bulk:bulk": "Send a text to every row of a file: CSV, Excel (.xlsx) or JSON Lines.",
    "messages:segments": "Show how a text travels and how many texts it is charged as.",
    "doctor.command:doctor": "Find out what your account needs other settings for; sends nothing without --phone.",
    "local:sandbox": "Run a double of the provider on this machine, with a page to look in, until Ctrl-C.",
    "local:webhooks": "Callbacks of the provider.",
    "mcp:mcp": "Serve an assistant (Model Context Protocol), on a sandbox unless told otherwise.",
}
for _home, _help in _COMMANDS.items():
    app.command(f"{__package__}.{_home}", name=_home.partition(":")[2].replace("_", "-"), help=_help)
app.command(
    f"{__package__}.setup.completion:install",
    name="--install-completion",
    help="Install completion for bash, zsh or fish: in a new shell, Tab completes commands and options.",
)


@app.meta.default
def _everywhere(
    *, lang: Literal["en", "es"] | None = None, profile: str | None = None, config: str | None = None
) -> None:
    """Options of every command, for help and completion: `_for_all` takes them out of the arguments.

    Args:
        lang: Language; default: LC_ALL, LC_MESSAGES or LANG.
        profile: Profile; default: MENSATEK_PROFILE, else the file's default.
        config: File of profiles; default: MENSATEK_CONFIG, else mensatek.toml of the user.
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    # Our log lines are for programs; here the summary tells, and what no handler takes would go to the terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    with quiet_streams() as printed:
        output = Output()
        with warnings.catch_warnings():
            warnings.simplefilter("always", MensatekWarning)
            warnings.showwarning = _notes(output, warnings.showwarning)
            code = _run(arguments, output)
    if printed.failure:
        with quiet_streams():
            Output().error("standard output cannot be written: {}.", printed.failure)
        return code or Exit.SOME_NOT_SENT
    return code


def _notes(output: Output, show: Callable[..., None]) -> Callable[..., None]:
    """What tells a warning of ours as a note, once; any other is shown as ever."""
    noted: set[str] = set()

    def note(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if not issubclass(category, MensatekWarning):
            show(message, category, *where, **more)
        elif str(message) not in noted:
            noted.add(str(message))
            output.note(reason(str(message)))

    return note


def _run(arguments: Sequence[str], output: Output) -> int:
    try:
        rest, given = _for_all(arguments)
        with _profile(rest, given):
            answer = app(rest, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        output.error("{}\nSee: mensatek --help", reason(" ".join(str(error).split())))
        return Exit.WRONG_USE
    except Stop as stop:
        output.error(str(stop))
        return stop.code
    except MensatekError as error:
        output.error("\n".join(filter(None, in_words_of_the_command(error))))
        return code_of(error)
    except KeyboardInterrupt:
        output.error("interrupted; nothing was sent.")
        return Exit.INTERRUPTED
    except OSError as error:
        output.error("{} cannot be used: {}.", error.filename or _("a file"), reason_of(error))
        return Exit.WRONG_USE
    return answer if isinstance(answer, int) else Exit.DONE


def _for_all(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Take out the options of every command, and speak the language that is asked for."""
    rest, given = list(arguments), dict[str, str]()
    end = rest.index("--") if "--" in rest else len(rest)
    for place in reversed(range(end)):
        name, equals, value = rest[place].partition("=")
        if name in _FOR_ALL:
            taken = rest[place : place + (1 if equals else 2)]
            given.setdefault(name, value if equals else "".join(taken[1:]))
            del rest[place : place + len(taken)]
    code = given.get("--lang", choose())
    speak(code if code in ("en", "es") else choose())
    app.help_formatter = None
    if spoken().code == "es":
        from .language.help import SpanishFormatter

        app.help_formatter = SpanishFormatter()
    if code not in ("en", "es"):
        raise Stop("--lang takes en or es, not {}.", shown(code))
    for name, value in given.items():
        if not value:
            raise Stop("{} takes a value.", name)
    return rest, given


def _profile(rest: Sequence[str], given: Mapping[str, str]) -> AbstractContextManager[None]:
    if not rest or not _ASIDE.isdisjoint(rest):
        return nullcontext()
    from .setup.profiles import profile

    return profile(given.get("--config"), given.get("--profile"), sandbox="--sandbox" in rest)
