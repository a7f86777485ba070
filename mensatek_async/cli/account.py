"""Whose account a command uses: the user's own, or a sandbox started for this run."""

from __future__ import annotations

import getpass
import os
import re
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from ..errors import ConfigurationError, InvalidDate
from ..settings import Account, Guard, Limits, load_account, state_folder, variable
from ..sources.text_files import shown
from ..warning import MensatekWarning
from .language import _, later, reason_of, spoken
from .options import AccountOptions
from .output import Exit, Stop, can_ask, cannot_listen

if TYPE_CHECKING:
    from ..client import AsyncMensatek
    from ..observe.observer import Observer
    from ..sandbox import Sandbox
    from ..sync.generated._client import Mensatek

T = TypeVar("T")

_SECRETS = later("token", "password", "user", "username")
_LONGEST_TOKEN = 4096
_PLENTY = 10_000_000  # credits of a sandbox for one run
_WHEN = re.compile(
    r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:\s*[Tt]\s*|,?\s+)(\d{1,2}:\d{2})(:\d{2}(?:\.\d{1,6})?)?\s*"
    r"([Zz]|[+-]\d{2}:?\d{2})?"
)  # 2027-01-08T10:00 and 08/01/2027 10:00
_DURATION = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?")
_HINT = later(
    "Set MENSATEK_API_USER and MENSATEK_API_TOKEN, or use --user and --token-file; --sandbox needs neither."
)


@frozen(kw_only=True)
class Connection:
    """An account, of a sandbox of this run perhaps, and what opens a client of it."""

    account: Account
    sandbox: bool = False

    def client(self, limits: Limits | None = None, observer: Observer | None = None) -> Mensatek:
        """Create a client of this account, to be closed by `with`."""
        from ..sync.generated._client import Mensatek

        return Mensatek(**self._settings(), limits=limits or Limits(), observer=observer)

    def async_client(self) -> AsyncMensatek:
        """Create an asynchronous client of this account, to be closed by `async with`."""
        from ..client import AsyncMensatek

        return AsyncMensatek(**self._settings())

    def _settings(self) -> dict[str, Any]:
        return {
            "user": self.account.user,
            "token": self.account.token.reveal(),
            "base_url": self.account.base_url,
            "sender": self.account.sender,
            "guard": Guard(store="" if self.sandbox else _guard_store()),
        }

    def sender_or(self, asked: str | None) -> str | None:
        """Who sends: whoever the command names, "" being the account's own, else the account's default."""
        return self.account.sender if asked is None else asked

    def do(self, work: Callable[[Mensatek], T]) -> T:
        """Do something with a client of this account."""
        try:
            with self.client() as client:
                return work(client)
        except KeyboardInterrupt:
            why = later("interrupted; what was asked for may or may not have been done.")
            raise Stop(*why, code=Exit.INTERRUPTED) from None


def own_file(name: str) -> str:
    """Return where a file of this name is in the user's state directory, which is made."""
    folder = state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder / name)


def _guard_store() -> str:
    """Return where runs of the command share what they were told; a folder that cannot be made is said later."""
    if given := variable("MENSATEK_GUARD_STORE"):
        return given
    with suppress(ConfigurationError):
        with suppress(OSError):
            return own_file("guard.db")
        return str(state_folder() / "guard.db")
    return ""


def needs_answer(account: AccountOptions, *, yes: bool, free: bool = True) -> bool:
    """Whether the user must be asked before a send costs money; `free` says that standard input is for that."""
    if yes or account.sandbox:
        return False
    if not free or not can_ask():
        raise Stop(
            "This would send for real and there is no terminal to ask on; add --yes to send without asking."
        )
    return True


@contextmanager
def connect(
    options: AccountOptions, *, may_ask: bool = True, callbacks: str | None = None
) -> Iterator[Connection]:
    """Find the credentials, or start the sandbox, which posts callbacks there; `may_ask` as for `needs_answer`."""
    if not options.sandbox:
        yield _own(options, may_ask=may_ask)
        return
    if options.user or options.token_file or options.base_url:
        raise Stop("--sandbox brings its own account; leave out --user, --token-file and --base-url.")
    with start_sandbox(keep_texts=False, credits=_PLENTY, magic=False) as sandbox:
        account = load_account(sandbox.user, sandbox.token, sandbox.base_url, None)
        if callbacks is not None:
            from ..sandbox import Callbacks

            sandbox.call_back(Callbacks(callbacks))
        yield Connection(account=account, sandbox=True)


def call(options: AccountOptions, work: Callable[[Mensatek], T]) -> T:
    """Do something with a client of the account that the user named, as `Connection.do` does."""
    with connect(options) as connection:
        return connection.do(work)


@contextmanager
def start_sandbox(**settings: Any) -> Iterator[Sandbox]:
    """A sandbox of these settings that runs while the block lasts."""
    try:
        from ..sandbox import Sandbox
    except ImportError:
        raise Stop(
            "The sandbox is not installed. Install it: pip install 'mensatek-async[sandbox]'"
        ) from None
    problem = later("The sandbox's state cannot be kept there: {}.")
    try:
        sandbox = Sandbox(**settings)
        problem = later("The sandbox cannot listen there: {}.")
        sandbox.start()
    except OSError as error:
        raise Stop(*problem, reason_of(error)) from None
    except OverflowError as error:
        raise cannot_listen(settings["host"], settings["port"], error) from None
    try:
        yield sandbox
    finally:
        sandbox.stop()


def _own(options: AccountOptions, *, may_ask: bool) -> Connection:
    token = variable("MENSATEK_API_TOKEN")
    if options.token_file is not None:
        token = read_secret(options.token_file, "token")
    load_account("?", "?", options.base_url, None)  # what is wrong with an address has an advice of its own
    try:
        known = load_account(options.user, token or "?", options.base_url, None)
        if not token:
            token = _from_keyring(known.user) or (_ask_token() if may_ask and can_ask() else "")
        return Connection(account=load_account(options.user, token, options.base_url, None))
    except ConfigurationError as error:
        raise Stop(f"{spoken().error(error)[0]}\n{_(*_HINT)}") from None


def _from_keyring(user: str) -> str:
    """The token that the system's keyring has for a user, where there is one."""
    try:
        import keyring

        return keyring.get_password("mensatek", user) or ""
    except Exception:  # whatever its backends raise; then the token is asked for
        return ""


def _ask_token() -> str:
    try:
        return getpass.getpass(_("API token: ")).strip()
    except (EOFError, OSError):
        return ""


def read_secret(path: str, name: str) -> str:
    """Read a file that holds a secret and nothing else."""
    name = _(name)
    try:
        with Path(path).open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
                others = _("Others can read the {} file {}: run chmod 600 on it.", name, shown(path))
                warnings.warn(others, MensatekWarning, stacklevel=2)
            token = file.read(_LONGEST_TOKEN).strip()
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else _("it is no text")
        raise Stop("The {} file {} cannot be read: {}.", name, shown(path), reason) from None
    if len(token.split()) != 1:
        raise Stop("The {} file {} must hold the {} and nothing else.", name, shown(path), name)
    return token


def is_now(text: str | None) -> bool:
    """Whether a moment that the user wrote is this one."""
    return (text or "").strip().lower() in ("now", "ahora")


def parse_when(text: str | None, option: str = "--at") -> datetime | None:
    """A date and time, year or day first; without an offset it is Spanish time. Or now."""
    if text is None:
        return None
    if is_now(text):
        return datetime.now(UTC)
    from .._wire.scalars import madrid

    when = None
    if match := _WHEN.fullmatch(text.strip()):
        first, month, last, clock, seconds, zone = match.groups()
        year, day = (first, last) if len(first) == 4 else (last, first)
        iso = f"{year}-{int(month):02}-{int(day):02}T{clock.zfill(5)}{seconds or ''}{(zone or '').upper()}"
        with suppress(ValueError):
            when = datetime.fromisoformat(iso)
    if when is None:
        wanted = later("{} takes a date and a time, such as 2027-01-08T10:00 or '08/01/2027 10:00', not {}.")
        raise Stop(*wanted, option, shown(text))
    if when.tzinfo is not None:
        return when
    try:
        local = when.replace(tzinfo=madrid())
        again = datetime.fromtimestamp(local.timestamp(), madrid())
    except (OverflowError, OSError, ValueError):
        raise InvalidDate("That date is out of range.") from None
    if again.replace(tzinfo=None) != when:
        raise Stop("{} {} does not exist in Spain: the clocks skip that hour.", option, shown(text))
    return local


def parse_duration(text: str | None, option: str = "--validity") -> timedelta | None:
    """A duration such as 3d, 12h or 1d6h30m."""
    if text is None:
        return None
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise Stop("{} takes days, hours and minutes, such as 1d6h30m, not {}.", option, shown(text))
    days, hours, minutes = (int(number or 0) for number in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
