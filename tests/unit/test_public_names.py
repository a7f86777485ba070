"""What `import mensatek_async` gives, what it costs, and what its values never show."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mensatek_async
from mensatek_async import errors

PACKAGE = Path(mensatek_async.__file__).parent
TEXT = "Hola Ana, su cita es secreta"

# Public by name in their module, but the package's own business: not for users.
INTERNAL = {"Account", "Secret", "Balance", "ResultCode"}
# Where users' classes live.
PUBLIC_ROOMS = ("errors", "settings", "models", "codes")


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


def test_every_name_can_be_imported() -> None:
    """`__all__` promises nothing that is not there, and nothing twice."""
    assert len(mensatek_async.__all__) == len(set(mensatek_async.__all__))
    assert not [name for name in mensatek_async.__all__ if getattr(mensatek_async, name, None) is None]


def test_every_name_is_listed() -> None:
    """`dir()`, which editors complete from, shows every public name."""
    assert set(mensatek_async.__all__) <= set(dir(mensatek_async))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it would in any module."""
    with pytest.raises(AttributeError, match="AsyncMensatec"):
        mensatek_async.AsyncMensatec  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("room", PUBLIC_ROOMS)
def test_every_public_class_is_given_out(room: str) -> None:
    """Each class and error a user meets is imported from `mensatek_async` itself."""
    assert not _classes(room) - set(mensatek_async.__all__) - INTERNAL


@pytest.mark.parametrize("name", sorted(mensatek_async.__all__))
def test_every_public_class_says_what_it_is(name: str) -> None:
    """Each public class and function has a docstring of its own."""
    value = getattr(mensatek_async, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert value.__doc__
        assert all(value.__doc__ != base.__doc__ for base in getattr(value, "__mro__", ())[1:])


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_loads_nothing_heavy() -> None:
    """A program that may send a text some day does not pay for it when it starts."""
    code = (
        "import sys; before = set(sys.modules); import mensatek_async;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )

    loaded = set(_run(code).split())

    assert not loaded & {"httpx", "httpcore", "cattrs", "anyio", "attr", "attrs", "asyncio", "ssl"}


def test_names_come_when_they_are_asked_for() -> None:
    """An error can be caught without loading the HTTP client."""
    code = "import sys; from mensatek_async import MensatekError; print({'httpx', 'anyio'} & {*sys.modules})"

    assert _run(code) == "set()"


def _errors() -> list[type[errors.MensatekError]]:
    found: list[type[errors.MensatekError]] = []
    waiting: list[type[errors.MensatekError]] = [errors.MensatekError]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(found[-1].__subclasses__())
    return found


def _made(kind: type[errors.MensatekError]) -> errors.MensatekError:
    if issubclass(kind, errors.OutcomeUnknown):
        return kind(
            "EnviarSMS",
            "no answer came",
            asked={"Mensaje": TEXT, "Destinatarios": [{"Movil": "34600000000"}]},
        )
    if issubclass(kind, errors.UnexpectedReply):
        return kind("GetCreditos", ("expected a number @ Cred",))
    if issubclass(kind, errors.APIError):
        return kind("EnviarSMS", -3, "faltan datos")
    return kind("what happened")


@pytest.mark.parametrize("kind", _errors(), ids=lambda kind: kind.__name__)
def test_errors_survive_a_pickle(kind: type[errors.MensatekError]) -> None:
    """A job runner that hands an error to another process loses nothing of it."""
    error = _made(kind)

    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is kind
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("kind", _errors(), ids=lambda kind: kind.__name__)
def test_errors_never_show_a_text_or_a_phone(kind: type[errors.MensatekError]) -> None:
    """Errors end in logs, where a recipient's number and text have no business."""
    error = _made(kind)

    for shown in (str(error), repr(error)):
        assert TEXT not in shown
        assert "34600000000" not in shown


def test_personal_fields_are_not_in_a_repr() -> None:
    """A recipient in a log line does not bring a patient's data along."""
    recipient = mensatek_async.Recipient("34600000000", {"nombre": "Ana Secreta"})

    assert "Ana" not in repr(recipient)
