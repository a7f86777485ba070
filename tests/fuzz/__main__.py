"""Feed what comes from outside with bytes nobody wrote: `python -m tests.fuzz callbacks|replies|csv [SECONDS]`.

Atheris looks for bytes that take another way through the code, and goes on from those of the run before, in build/fuzz.
Whatever is raised but the errors that users are told of ends the run; the bytes are kept there too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

ROOT = Path(__file__).parents[2]

with atheris.instrument_imports(include=["mensatek_async"]):
    from mensatek_async import CsvSource, InvalidRequest, InvalidWebhook, Recipient
    from mensatek_async._core.failures import Failure
    from mensatek_async._core.operations import OPERATIONS, Answers
    from mensatek_async._core.reading import RawReply, read_answer
    from mensatek_async._wire.problems import DecodeError
    from mensatek_async._wire.structure import structure
    from mensatek_async.errors import APIError
    from mensatek_async.sources.rows import BrokenRow
    from mensatek_async.webhooks import parse


KINDS = (
    "application/json",
    "application/x-www-form-urlencoded; charset=utf-8",
    "multipart/form-data; boundary=x",
    "text/xml",
    "text/plain; charset=iso-8859-1",
    "",
)
STATUSES = (200, 200, 200, 301, 400, 401, 403, 404, 429, 500, 503)
ROWS = tuple(OPERATIONS.values())


def callbacks(data: bytes) -> None:
    """A callback becomes an event, and the same one each time, or is refused."""
    kind, body = KINDS[data[0] % len(KINDS)], data[1:]
    try:
        event = parse(body, kind)
    except InvalidWebhook:
        return
    assert parse(body, kind) == event
    assert repr(event)


def replies(data: bytes) -> None:
    """An answer becomes what its operation gives, or one of the failures that a call knows."""
    operation, status = ROWS[data[0] % len(ROWS)], STATUSES[data[1] % len(STATUSES)]
    try:
        answer = read_answer(operation, RawReply(status, KINDS[data[2] % len(KINDS)], data[3:]), repr)
        if not isinstance(operation.reply, Answers):
            assert repr(structure(answer.reply, operation.reply))
    except (APIError, Failure, DecodeError):
        return


def csv(data: bytes) -> None:
    """Every row of a file is a recipient or says why it is none, and a second reading finds the same."""
    FILE.write_bytes(data)
    needed = ("nombre",) if data[-1] % 2 else None
    try:
        rows = list(CsvSource(FILE).rows(needed))
    except InvalidRequest:
        return
    assert all(isinstance(one, Recipient | BrokenRow) for one in rows)
    assert [repr(one) for one in CsvSource(FILE).rows(needed)] == [repr(one) for one in rows]


def seeds(folder: Path) -> None:
    """Write what real ones look like: the replies of the manuals, callbacks, and a spreadsheet."""
    found = [path.read_bytes() for path in (ROOT / "tests/samples").glob("*/*.*")]
    for number, body in enumerate(found):
        (folder / f"reply-{number}").write_bytes(
            bytes([number % len(ROWS), 0, body[:1] == b"<" and 3]) + body
        )
    sample = {
        "Servicio": "SMSMASIVO",
        "Resultado": 11,
        "Movil": "34600123456",
        "idMensaje": 1057,
        "Segundos": 3,
    }
    others: list[dict[str, Any]] = [
        sample | {"Fecha": "2020-12-03 11:14:24", "Variables": "[]"},
        {
            "Servicio": "EVENTOSSMSCERTIFICADO",
            "TipoEvento": "1",
            "idEnvio": "1",
            "Fecha": "2020-12-03 11:14:24",
        },
        {
            "Servicio": "SMSRECIBIDO",
            "timestamp": "1664795529",
            "Movil": "34600000000",
            "Mensaje": "Sí",
            "idM": "7",
        },
    ]
    for number, values in enumerate(others):
        (folder / f"callback-{number}").write_bytes(b"\0" + json.dumps(values).encode())
        form = "&".join(f"{name}={value}" for name, value in values.items())
        (folder / f"form-{number}").write_bytes(b"\1" + form.encode())
    (folder / "csv").write_bytes(
        "movil;nombre;hora\n600000000;Añada;10:00\n\"600 000 001\";'x';\n".encode("cp1252")
    )


def main(name: str, seconds: str = "200") -> None:
    """Run one target until the time is over, or something is found."""
    corpus = ROOT / "build/fuzz" / name
    corpus.mkdir(parents=True, exist_ok=True)
    seeds(corpus)
    target = {"callbacks": callbacks, "replies": replies, "csv": csv}[name]

    def one(data: bytes) -> None:
        if len(data) > 3:
            target(data)

    options = (
        f"-max_total_time={seconds}",
        f"-artifact_prefix={corpus}-",
        "-print_final_stats=1",
        "-verbosity=0",
    )
    atheris.Setup(["fuzz", str(corpus), *options], one)
    atheris.Fuzz()


FILE = Path(tempfile.mkdtemp()) / "rows.csv"

if __name__ == "__main__":
    main(*sys.argv[1:])
