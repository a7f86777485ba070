"""Run in an environment that has the built wheel and one extra: what the extra is for works, what others are for says
which one is missing. Nothing of the checkout is imported: `python extras.py EXTRA`, with "" for none.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import mensatek_async

Trial = Callable[[], str]  # what it says where something is missing; "" where it works


def command(*arguments: str) -> str:
    """The command as it was installed; a sandbox, an assistant and the like have nobody to talk to."""
    program = Path(sysconfig.get_path("scripts")) / "mensatek"
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def sandbox() -> str:
    """A text, to a double of the provider and back."""
    try:
        from mensatek_async.sandbox import Sandbox
    except ImportError as missing:
        return str(missing)
    from mensatek_async import Mensatek

    with Sandbox() as running, Mensatek(running.user, running.token, base_url=running.base_url) as client:
        assert client.sms.send("600000000", "Hola").accepted == 1
    return ""


def excel() -> str:
    """A file with one recipient."""
    from mensatek_async import ExcelSource, MensatekError

    path = Path("people.xlsx")
    if importlib.util.find_spec("openpyxl") is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("xl/workbook.xml", "")
    else:
        import openpyxl

        book = openpyxl.Workbook()
        book.active.append(["phone"])
        book.active.append(["600000000"])
        book.save(path)
    try:
        assert [row.phone for row in ExcelSource(path).rows(())] == ["600000000"]
    except MensatekError as error:
        return f"{error} {error.advice}"
    return ""


def phones() -> str:
    """A number of another country, written as it is there."""
    from mensatek_async import MensatekError
    from mensatek_async.phones import normalise

    try:
        assert normalise("01512 3456789", "DE") == "4915123456789"
    except MensatekError as error:
        return f"{error} {error.advice}"
    return ""


def postgres() -> str:
    """A store in PostgreSQL, which is not asked for anything yet."""
    from mensatek_async import MensatekError, OptOuts

    try:
        OptOuts("postgresql://user@localhost/database")
    except MensatekError as error:
        return f"{error} {error.advice}"
    return ""


def otel() -> str:
    """An observer."""
    from mensatek_async import MensatekError
    from mensatek_async.otel import OpenTelemetryObserver

    try:
        OpenTelemetryObserver()
    except MensatekError as error:
        return f"{error} {error.advice}"
    return ""


def trio() -> str:
    """A client in a program that runs on trio, which brings it itself."""
    import anyio

    from mensatek_async import AsyncMensatek

    async def program() -> None:
        async with AsyncMensatek("user", "token"):
            pass

    anyio.run(program, backend="trio" if importlib.util.find_spec("trio") else "asyncio")
    return ""


def es() -> str:
    """A tax id whose check character is wrong; without the extra only its form is looked at, as documented."""
    from mensatek_async import InvalidRequest, Issuer

    try:
        Issuer("EMPRESA", "900000000", "12345678A")
        refused = False
    except InvalidRequest:
        refused = True
    assert refused == bool(importlib.util.find_spec("stdnum"))
    return ""


TRIALS: dict[str, Trial] = {
    "cli": lambda: command("segments", "Hola"),
    "sandbox": sandbox,
    "excel": excel,
    "phones": phones,
    "es": es,
    "trio": trio,
    "postgres": postgres,
    "otel": otel,
    "mcp": lambda: command("mcp"),
    "webhooks": lambda: "",
    "keyring": lambda: "",  # a keyring to ask is the desktop's
}
# Which other extras bring it along. Without the last three everything works, but for what the user brings.
EVERY = {*TRIALS, ""}
WORKS_WITH = {
    "cli": {"mcp"},
    "sandbox": {"mcp"},
    "otel": {"mcp"},
    "webhooks": EVERY,
    "keyring": EVERY,
    "trio": EVERY,
    "es": EVERY,
}
# Where the trial needs one more, which is named first.
FIRST = {"mcp": {"cli"}}


def main(extra: str) -> None:
    """Try everything."""
    assert not extra or extra in TRIALS, f"{extra}: no trial says what it is for"
    for name in mensatek_async.__all__:
        getattr(mensatek_async, name)
    for name, trial in TRIALS.items():
        told = trial()
        if extra == name or extra in WORKS_WITH.get(name, ()):
            assert not told, f"with {extra or 'no extra'}, {name} does not work: {told}"
        else:
            named = {f"mensatek-async[{one}]" for one in (name, *FIRST.get(name, ()))}
            assert any(one in told for one in named), f"without {name}, no error names it: {told!r}"


if __name__ == "__main__":
    main(sys.argv[1])
