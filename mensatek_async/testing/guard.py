"""Keeps tests away from the provider: whatever reaches for its hosts is stopped, and remembered."""

from __future__ import annotations

import socket  # noqa: F401  imported here, so that it is guarded from the first moment on
import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any

_DOMAIN = "mensatek.com"
_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname")
_OTHERS_CODE = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))


class RealAPIReached(BaseException):
    """A test reached for the real API; not an `Exception`, so that no code under test handles it and goes on."""


class RealAPIGuard:
    """Refuses connections to the provider's hosts, by whatever library, while it is installed.

    Name lookups are seen by the interpreter's audit events, but for those of libraries that do their own; these are
    replaced, and so are TLS handshakes, which nobody can do without, not even through a proxy.
    """

    def __init__(self, error: type[RealAPIReached] = RealAPIReached) -> None:
        self._error = error
        self._attempts: list[str] = []
        self._undo: list[Callable[[], None]] = []
        self._replaced: set[tuple[str, str, str]] = set()
        self.allows: bool = False  # whether everything is let through

    def install(self) -> None:
        """Begin to refuse; a second time does nothing."""
        if self in _active:
            return
        if not _active and _audit not in _hooks:
            sys.addaudithook(_audit)  # for good: there is no way to take one out, so it asks who is active
            _hooks.append(_audit)
        _active.append(self)
        self.watch()

    def uninstall(self) -> None:
        """Leave everything as it was."""
        if self in _active:
            _active.remove(self)
        while self._undo:
            self._undo.pop()()
        self._replaced.clear()

    def watch(self) -> None:
        """Guard what the program has imported meanwhile; importing it for that would take longer."""
        for method, (position, keywords) in _METHODS.items():
            module, cls, name = method
            owner = getattr(sys.modules.get(module), cls, None)
            if self in _active and method not in self._replaced and hasattr(owner, name):
                self._replaced.add(method)
                self._replace(owner, name, position, keywords)

    def taken(self) -> list[str]:
        """Give what was tried since it was asked last: hosts, and from where."""
        taken, self._attempts = self._attempts, []
        return taken

    def check(self, host: object) -> None:
        """Refuse a host, or a socket's address with one, that is the provider's."""
        host = host[0] if isinstance(host, tuple) and host else host
        if self.allows or not _is_providers(host):
            return
        shown = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        attempt = shown + _caller()
        self._attempts.append(attempt)
        raise self._error(explained([attempt]))

    def _replace(self, owner: Any, name: str, position: int, keywords: tuple[str, ...]) -> None:
        original, own = getattr(owner, name), name in vars(owner)

        def call(this: Any, *args: Any, **kwargs: Any) -> Any:
            for host in (*args[position : position + 1], *(kwargs.get(keyword) for keyword in keywords)):
                self.check(host)
            return original(this, *args, **kwargs)

        setattr(owner, name, call)
        self._undo.append(lambda: setattr(owner, name, original) if own else delattr(owner, name))


# By module, class and name: where a host stands among the arguments, and what they are called.
_METHODS: dict[tuple[str, str, str], tuple[int, tuple[str, ...]]] = {
    # A socket that is given a name looks it up before any audit event.
    ("socket", "socket", "connect"): (0, ()),
    ("socket", "socket", "connect_ex"): (0, ()),
    ("ssl", "SSLContext", "wrap_bio"): (3, ("server_hostname",)),
    ("ssl", "SSLContext", "wrap_socket"): (4, ("server_hostname",)),
    ("uvloop", "Loop", "create_connection"): (1, ("host", "server_hostname")),
    ("uvloop", "Loop", "getaddrinfo"): (0, ("host",)),
    ("pycares", "Channel", "getaddrinfo"): (0, ("host",)),
    ("pycares", "Channel", "gethostbyname"): (0, ("name",)),
}
_active: list[RealAPIGuard] = []
_hooks: list[object] = []


def forget_accounts() -> None:
    """Let clients made from now on know nothing of what the provider answered before.

    The clients of a process share what they know of an account: refused credentials, blocks, answers to reads. The
    pytest plugin calls this before each test; other tests that use one address and user again call it themselves.
    """
    accounts = sys.modules.get(f"{__name__.partition('.')[0]}._core.limits.account")
    if accounts is not None:  # else there was no client yet
        accounts.forget_all()


def explained(attempts: list[str]) -> str:
    """Say what a test did, and what to do about it."""
    tried = ", ".join(dict.fromkeys(attempts))
    return (
        f"The real Mensatek API was reached for, and held off: {tried}. Use the fixture mensatek_sandbox before the "
        "client is made, or mark the test with @pytest.mark.mensatek_real_api if that is what it is for."
    )


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event in _LOOKUPS and _active:
        for guard in _active:
            guard.check(args[0])


def _is_providers(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str):
        return False
    name = host.rstrip(".").casefold()
    return name == _DOMAIN or name.endswith(f".{_DOMAIN}")


def _caller() -> str:
    """Where the program itself was, if it is in this thread: libraries are left out."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        file = frame.f_code.co_filename
        ours = str(frame.f_globals.get("__name__")).partition(".")[0] == __name__.partition(".")[0]
        if not ours and not file.startswith("<") and not file.startswith(_OTHERS_CODE):
            return f" (from {file}:{frame.f_lineno})"
        frame = frame.f_back
    return ""
