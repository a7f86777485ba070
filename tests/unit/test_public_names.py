"""What `import mensatek_async` gives, what it costs, and what its values never show."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import mensatek_async
from tests import public_api

# Public by name in their module, but the package's own business: not for users.
INTERNAL = {"Account", "Secret", "Balance", "ResultCode", "Notifier", "Metric"}
# Where users' classes live.
PUBLIC_ROOMS = ("errors", "settings", "models", "codes", "observe")


def _modules(room: str) -> list[ModuleType]:
    top = importlib.import_module(f"mensatek_async.{room}")
    inner = pkgutil.iter_modules(top.__path__, f"{top.__name__}.") if hasattr(top, "__path__") else ()
    return [top, *(importlib.import_module(found.name) for found in inner)]


def _classes(room: str) -> set[str]:
    return {
        name
        for module in _modules(room)
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__.startswith("mensatek_async")
        and not name.startswith("_")
        # An underscored module's classes are public only where their room gives them out.
        and (
            module.__name__ == f"mensatek_async.{room}"
            or not module.__name__.rpartition(".")[2].startswith("_")
        )
    }


def test_every_name_can_be_imported_and_is_listed() -> None:
    """`__all__` promises nothing that is not there, and nothing twice; `dir()`, for editors, shows it all."""
    names = mensatek_async.__all__
    assert len(names) == len(set(names))
    assert not [name for name in names if getattr(mensatek_async, name, None) is None]
    assert set(names) <= set(dir(mensatek_async))
    with pytest.raises(AttributeError, match="AsyncMensatec"):  # a misspelt name fails as in any module
        mensatek_async.AsyncMensatec  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("room", PUBLIC_ROOMS)
def test_every_public_class_is_given_out(room: str) -> None:
    """Each class and error a user meets is imported from `mensatek_async` itself."""
    assert not _classes(room) - set(mensatek_async.__all__) - INTERNAL


@pytest.mark.parametrize("name", sorted(mensatek_async.__all__))
def test_every_public_class_says_what_it_is(name: str) -> None:
    """Each public class and function has a docstring of its own, and each of their public methods one."""
    value = getattr(mensatek_async, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__
        assert all(value.__doc__ != base.__doc__ for base in getattr(value, "__mro__", ())[1:])
    for member, method in vars(value).items() if inspect.isclass(value) else ():
        if not member.startswith("_") and (inspect.isfunction(method) or isinstance(method, property)):
            assert inspect.getdoc(method), member


def test_the_public_api_is_the_one_written_down() -> None:
    """Each signature, field, alias and default; where one is meant to change, `python -m tests.public_api` writes them
    anew, and the changelog says whom it breaks."""
    assert public_api.current() == json.loads(public_api.SNAPSHOT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["", "MensatekError"])
def test_importing_loads_nothing_heavy(name: str) -> None:
    """A program that may send a text some day does not pay for it when it starts; an error can be caught without."""
    code = (
        f"import sys; before = set(sys.modules); import mensatek_async; getattr(mensatek_async, {name!r}, 0);"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"httpx", "httpcore", "cattrs", "anyio", "asyncio", "ssl"} | (
        {"attr", "attrs"} if not name else set()
    )

    assert not set(done.stdout.split()) & heavy


def test_personal_fields_are_not_in_a_repr() -> None:
    """A recipient in a log line does not bring a patient's data along."""
    recipient = mensatek_async.Recipient("34600000000", {"nombre": "Ana Secreta"})

    assert "Ana" not in repr(recipient)
