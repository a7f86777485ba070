"""The sandbox's small parts: bodies, clock, stages, gatekeeper, faults, import without its packages."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import mensatek_async.sandbox
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.sandbox.api.bodies import BadCall, Params, read_body
from mensatek_async.sandbox.api.faults import Faults, Rule
from mensatek_async.sandbox.api.gatekeeper import Gatekeeper
from mensatek_async.sandbox.clock import read_minute, write_second

NOON = datetime(2027, 1, 8, 12, 0, tzinfo=UTC)


def part(name: str, content: str) -> str:
    """A part of a multipart body with the boundary `xx`."""
    return f"--xx\r\nContent-Disposition: form-data{name}\r\n\r\n{content}\r\n"


MULTIPART = (
    part('; name="a"', "1")
    + part('; name="Filas"', '[{"Movil": "2"}]')
    + part("", "no name, no place")
    + part('; name="f"; filename="a.pdf"', "%PDF\r\n--x")
    + "--xx--\r\n"
)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", '{"a": "1", "Filas": [{"Movil": "2"}]}'),
        ("application/json; charset=utf-8", '{"a": "1", "Filas": "[{\\"Movil\\": \\"2\\"}]"}'),
        ("application/x-www-form-urlencoded", "a=1&Filas=%5B%7B%22Movil%22%3A+%222%22%7D%5D"),
        ('multipart/form-data; boundary="xx"', MULTIPART),
    ],
)
def test_all_body_forms_say_the_same(content_type: str, body: str) -> None:
    """JSON, form and multipart give the same parameters, arrays decoded; a file keeps its bytes and its name."""
    params = read_body(content_type, body.encode())
    assert params.decoded() == {"a": "1", "Filas": [{"Movil": "2"}]}
    assert params.array("FILAS") == [{"Movil": "2"}]
    assert (params.text("A"), params.raw("b")) == ("1", None)
    assert params.uploads == ((("a.pdf", b"%PDF\r\n--x"),) if body == MULTIPART else ())


def test_unreadable_bodies() -> None:
    """A body that is not what it says is a bad call; one of another type says nothing. Brackets may begin a text."""
    multipart = "multipart/form-data; boundary=xx"
    for content_type, body in (
        *(("application/json", body) for body in (b"{", b"[]", b"\xff")),
        ("multipart/form-data", b""),
        *((multipart, body) for body in (b"--xx\r\n\r\nhalf", MULTIPART[:-10].encode())),
        ("text/plain", b"Resp=JSON"),
    ):
        params = read_body(content_type, body)
        assert (params.problem is None, params.decoded()) == (content_type == "text/plain", {})
    assert Params({"Mensaje": "[aviso"}).decoded() == {"Mensaje": "[aviso"}


def test_arrays_and_numbers() -> None:
    """Absent, empty, broken or no array at all; only whole numbers within bounds pass: 3, "3", JSON's 3.0 and
    nothing."""
    no_arrays: list[object] = [None, "", [], "[", "[]", '{"Movil": "1"}', {"Movil": "1"}, 7]
    for value in no_arrays:
        with pytest.raises(BadCall):
            Params({"Filas": value}).array("Filas")
    no_numbers: list[object] = ["x", "-1", "21", "1.5", 2.5, True, "²", [1], "1" * 5000]
    for value in no_numbers:
        with pytest.raises(BadCall):
            Params({"Vpd": value}).number("Vpd", 0, 20)
    read = [Params({"Vpd": value}).number("Vpd", 0, 20, default=1) for value in (3, "3", 3.0, "", None)]
    assert read == [3, 3, 3, 1, 1]


def test_spanish_time_on_the_wire() -> None:
    """Winter and summer time are told apart; another form is none."""
    for text, moment in (
        ("2027-01-08 13:00", NOON),
        ("2027-07-08 14:00", datetime(2027, 7, 8, 12, 0, tzinfo=UTC)),
    ):
        assert read_minute(text) == moment
        assert write_second(moment) == f"{text}:00"
    for bad in ("2027-02-30 10:00", "2027-1-8 10:00", "08/01/2027 10:00", "2027-01-08 10:00:00", ""):
        assert read_minute(bad) is None


def test_wrong_calls_far_apart_do_not_block() -> None:
    """Only wrong calls within a minute count together."""
    keeper = Gatekeeper(3, 60, 5)
    for minutes in range(6):
        keeper.note_wrong(NOON + timedelta(minutes=minutes * 0.6))
    assert not keeper.is_blocked(NOON + timedelta(minutes=4))
    keeper.note_wrong(NOON + timedelta(minutes=3.1))
    assert keeper.is_blocked(NOON + timedelta(minutes=4))
    assert not keeper.is_blocked(NOON + timedelta(minutes=4.2))


@pytest.mark.parametrize(
    ("times", "every", "after", "hits"),
    [
        (1, 1, 0, [1]),
        (None, 3, 0, [3, 6, 9]),
        (2, 2, 3, [5, 7]),
        (None, 1, 8, [9, 10]),
    ],
)
def test_faults_hit_the_calls_they_should(times: int | None, every: int, after: int, hits: list[int]) -> None:
    """`times`, `every` and `after` together choose the calls."""
    faults = Faults()
    faults.rules.append(Rule(Fault.drop_before(), "EnviarSMS", times, every, after, None))
    struck = []
    for call in range(1, 11):
        assert faults.pick("GetCreditos", dict) == []
        if faults.pick("EnviarSMS", dict):
            struck.append(call)
    assert struck == hits


def test_wrong_settings_are_refused() -> None:
    """A style, a status or an operation that does not exist is an error at once; nothing can happen zero times. Neither
    token nor text shows in a repr."""
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"reply_style": "yaml"}, "Invalid reply style"),
        ({"refusal_status": 403}, "200 or 401"),
        ({"starts_at": datetime(2027, 1, 8)}, "aware"),
    ]
    for settings, problem in wrong:
        with pytest.raises(ValueError, match=problem):
            Sandbox(**settings)
    sandbox = Sandbox(token="secreto")
    with pytest.raises(ValueError, match="Invalid operation"):
        sandbox.fault(Fault.drop_before(), operation="EnviarFax")
    for counts in ({"times": 0}, {"every": 0}, {"after": -1}):
        with pytest.raises(ValueError, match="start at"):
            sandbox.fault(Fault.drop_before(), **counts)
    assert "secreto" not in repr(sandbox)
    assert "stopped" in repr(sandbox)


def test_sandbox_shares_nothing_with_the_client() -> None:
    """It imports its own files, the standard library, its server, PDFs and cattrs, and nothing it is to judge."""
    allowed = sys.stdlib_module_names | {"anyio", "starlette", "uvicorn", "multipart", "fpdf", "cattrs"}
    home = Path(mensatek_async.sandbox.__file__).parent
    for file in home.rglob("*.py"):
        deepest = len(file.relative_to(home).parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                foreign = node.level == 0 and str(node.module).split(".")[0] not in allowed
                assert not foreign, file
                assert node.level <= deepest, file
            elif isinstance(node, ast.Import):
                assert {name.name.split(".")[0] for name in node.names} <= allowed, file


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("uvicorn", "ImportError The sandbox needs more packages: pip install 'mensatek-async[sandbox]'"),
        ("starlette.applications", "ImportError The sandbox needs"),
        ("zipfile", "ModuleNotFoundError import of zipfile"),
    ],
)
def test_missing_packages_are_named(name: str, start: str) -> None:
    """Without starlette or uvicorn the import says what to install; another missing module stays what it is."""
    code = (
        f"import sys; sys.modules[{name!r}] = None\n"
        "try:\n    import mensatek_async.sandbox\n"
        "except ImportError as error:\n    print(type(error).__name__, error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith(start)
