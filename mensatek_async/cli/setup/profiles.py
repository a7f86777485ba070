"""Profiles: `mensatek.toml` in the user's configuration directory gives what the environment does not.

Cyclopts' own configuration files know no profiles, and refuse in each command what is an option of another.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from ...sources.text_files import shown
from ..language import _, reason_of
from ..output import Stop

_NAMES = {
    "user": "MENSATEK_API_USER",
    "sender": "MENSATEK_SENDER",
    "base_url": "MENSATEK_BASE_URL",
    "store": "MENSATEK_STORE",
    "issuer.name": "MENSATEK_ISSUER_NAME",
    "issuer.phone": "MENSATEK_ISSUER_PHONE",
    "issuer.tax_id": "MENSATEK_ISSUER_TAX_ID",
}
_SECRET = re.compile(r"token|password|secret", re.IGNORECASE)


@contextmanager
def profile(config: str | None, name: str | None, *, sandbox: bool) -> Iterator[None]:
    """Let a profile stand in for the environment's variables that are not set, while the block lasts.

    Args:
        config: the file, or None for MENSATEK_CONFIG, else the user's own.
        name: the profile, or None for MENSATEK_PROFILE, else the file's default.
        sandbox: whether a sandbox is used, which has a store of its own."""
    before = dict(os.environ)
    given = _chosen(config or os.environ.get("MENSATEK_CONFIG"), name or os.environ.get("MENSATEK_PROFILE"))
    os.environ.update({key: value for key, value in given.items() if not os.environ.get(key)})
    if sandbox:
        os.environ.pop(_NAMES["store"], None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def folder() -> Path:
    """Return the user's configuration directory, as the system has it."""
    if given := os.environ.get("XDG_CONFIG_HOME"):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return Path("~/Library/Application Support").expanduser()
    return Path.home() / ".config"


def _chosen(config: str | None, name: str | None) -> dict[str, str]:
    path = Path(config) if config else folder() / "mensatek" / "mensatek.toml"
    if not config and not path.is_file():
        if name:
            raise Stop(
                "There is no profile {}: the file {} is not there.", shown(name), shown(str(path), 300)
            )
        return {}
    file = _File(path)
    name = name or file.default
    if name is None:
        return {}
    if name not in file.profiles:
        known = ", ".join(file.profiles) or _("none")
        raise file.wrong(_("there is no profile {}. The profiles are: {}.", shown(name), known), "default")
    return {_NAMES[key]: value for key, value in file.profiles[name].items()}


class _File:
    """A file of profiles, checked as a whole: a mistake in one that is not used today is one tomorrow.

    Attributes:
        default: the profile that is used when none is named.
        profiles: the values of each, by `_NAMES`.
    """

    def __init__(self, path: Path) -> None:
        import tomllib

        self._path, self._lines = path, list[str]()
        try:
            self._lines = path.read_text(encoding="utf-8-sig").splitlines()
            content = tomllib.loads("\n".join(self._lines))
        except OSError as error:
            raise self.wrong(_("it cannot be read: {}.", reason_of(error))) from None
        except UnicodeDecodeError:
            raise self.wrong(_("it is no text in UTF-8.")) from None
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"line (\d+)", str(error))
            line = int(place[1]) if place else len(self._lines)
            raise Stop("{}, line {}: it is no valid TOML.", shown(str(path), 300), line) from None
        self._refuse_secrets(content)
        self.default: str | None = self._text(content.pop("default", None), "default")
        tables = self._table(content.pop("profiles", {}), "profiles")
        for key in content:
            raise self.wrong(_("unknown key {}; it takes {}.", shown(key), "default, profiles"), key)
        self.profiles = {name: dict(self._values(one, f"profiles.{name}")) for name, one in tables.items()}

    def wrong(self, why: str, key: str = "") -> Stop:
        """The error that names the file, and the line of a key where it is found."""
        return Stop(f"{shown(str(self._path), 300)}{self._line_of(key.split('.')) if key else ''}: {why}")

    def _line_of(self, keys: list[str]) -> str:
        """The first line with which the file has a key, as TOML reads it."""
        import tomllib

        for number in range(1, len(self._lines) + 1):
            with suppress(ValueError, KeyError, TypeError):  # the end of a value may be to come
                reduce(getitem, keys, tomllib.loads("\n".join(self._lines[:number])))
                return _(", line {}", number)
        return ""

    def _refuse_secrets(self, content: Mapping[str, Any], *tables: str) -> None:
        for key, value in content.items():
            if isinstance(value, Mapping):
                self._refuse_secrets(value, *tables, key)
            elif _SECRET.search(key):
                why = _(
                    "a secret such as {} does not belong in this file. The token comes from MENSATEK_API_TOKEN, "
                    "from --token-file or from the keyring.",
                    shown(key),
                )
                raise self.wrong(why, ".".join((*tables, key)))

    def _values(self, one: Any, at: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        for key, value in self._table(one, at).items():
            name = f"{prefix}{key}"
            if name == "issuer":
                yield from self._values(value, f"{at}.issuer", "issuer.")
            elif name in _NAMES:
                yield name, self._text(value, f"{at}.{key}") or ""
            else:
                names = (one.removeprefix(prefix) for one in _NAMES if one.startswith(prefix))
                known = ", ".join(dict.fromkeys(one.partition(".")[0] for one in names))
                raise self.wrong(_("unknown key {}; it takes {}.", shown(key), known), f"{at}.{key}")

    def _table(self, value: Any, at: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(_("{} is a table.", at), at)
        return value

    def _text(self, value: Any, at: str) -> str | None:
        if value is not None and not isinstance(value, str):
            raise self.wrong(_("{} is a text in quotation marks.", at), at)
        return value
