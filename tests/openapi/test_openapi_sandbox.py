"""Schemathesis drives the sandbox by the OpenAPI document, with data that is right and data that is wrong."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mensatek_async.sandbox import Sandbox
from tests.openapi_document import DOCUMENT, OPERATIONS, PACKAGED, numbered, reply_schema

requests = pytest.importorskip("requests", reason="runs in the session tests_openapi")
schemathesis = pytest.importorskip("schemathesis", reason="runs in the session tests_openapi")
jsonschema = pytest.importorskip("jsonschema", reason="runs in the session tests_openapi")

# One test of EnviarSMS makes hundreds of calls.
pytestmark = pytest.mark.timeout(600)
MINUTES = st.datetimes(datetime(2030, 1, 1), datetime(2035, 1, 1)).map(lambda d: d.strftime("%Y-%m-%d %H:%M"))
FORMATS = {
    "msisdn": st.integers(34600000000, 34699999999).map(str),
    "spanish-minute": MINUTES,
    "message-id": st.just("1"),  # replaced by one that the sandbox has
    "file-name": st.from_regex(r"[a-z]{1,8}\.(pdf|docx|exe)", fullmatch=True),
    "base64-content": st.binary(min_size=1).map(lambda data: base64.b64encode(data).decode()),
}
for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)
CONFIG = schemathesis.Config.from_dict(
    {
        # The same cases every time: one for each rule of a schema, and so many drawn ones besides.
        "generation": {
            "mode": "all",
            "deterministic": True,
            "database": "none",
            "max-examples": 10,
            "with-security-parameters": False,
        },
        "phases": {"coverage": {"unexpected-methods": []}},
    }
)
SCHEMA = schemathesis.openapi.from_path(PACKAGED, config=CONFIG)
# The others expect wrong calls to be told by the HTTP status; this API tells them by Res.
CHECKS = [
    schemathesis.checks.not_a_server_error,
    schemathesis.specs.openapi.checks.status_code_conformance,
    schemathesis.specs.openapi.checks.content_type_conformance,
    schemathesis.specs.openapi.checks.response_schema_conformance,
]
RES = re.compile(r'\bRes"?[:>]\s*"?(-?[0-9]+)')


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox that holds callers to the manuals and blocks nobody."""
    with Sandbox(strict=True, block_after=10**9, delivery_seconds=0, max_files=10**6) as sandbox:
        yield sandbox


def new_message(sandbox: Sandbox, operation: str) -> int:
    """A message that the operation can do its work on."""
    certified = "CERTIFICADO" if operation.endswith("CERTIFICADO") else ""
    params = {"Remitente": "X", "Destinatarios": [{"Movil": "34600000001"}], "Mensaje": "m", "Resp": "JSON"}
    if certified:
        params |= {"Contacto": "EMPRESA", "Telcontacto": "900000000", "Cifcontacto": "B00000000"}
    if operation.startswith(("Cancelar", "Reprogramar")):
        params["Fecha"] = "2040-01-01 10:00"
    answer = httpx.post(
        f"{sandbox.base_url}/EnviarSMS{certified}", json=params, auth=(sandbox.user, sandbox.token)
    )
    return int(answer.json()["idMensaje"])


def as_form(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a form: all of them texts, arrays and the like as JSON; files as bytes."""
    values = {key: getattr(value, "data", value) for key, value in body.items()}
    return {
        key: value if isinstance(value, str | bytes) else json.dumps(value) for key, value in values.items()
    }


def send(case: Any, sandbox: Sandbox) -> Any:
    """Make the call; a form's arrays travel as JSON and its files with a name, as the manuals say."""
    auth = (sandbox.user, sandbox.token)
    if not isinstance(case.body, dict) or case.media_type == "application/json":
        return case.call(base_url=sandbox.base_url, auth=auth)
    url, fields = sandbox.base_url + case.operation.path, as_form(case.body)
    if case.media_type == "application/x-www-form-urlencoded":
        return schemathesis.Response.from_any(requests.post(url, data=fields, auth=auth, timeout=30))
    parts = {key: ("f.pdf" if isinstance(value, bytes) else None, value) for key, value in fields.items()}
    return schemathesis.Response.from_any(requests.post(url, files=parts, auth=auth, timeout=30))


def made_to_work(body: dict[str, Any], operation: str, sandbox: Sandbox) -> dict[str, Any]:
    """A right body, with what no schema can say: the message exists, and a period ends after it begins."""
    dates = sorted(body[key] for key in ("Fechainicio", "Fechafin") if key in body)
    if len(dates) == 2:
        body = {**body, "Fechainicio": dates[0], "Fechafin": dates[1]}
    return {**body, "Idmensaje": new_message(sandbox, operation)} if "Idmensaje" in body else body


def is_blank(value: Any) -> bool:
    """Whether a value is none; the file of a form is a text for schemathesis, and empty."""
    return value is None or (type(value) is str and not value)


def is_wrong(case: Any) -> bool:
    """Whether a case that was made wrong is so on the wire, and in a way that the sandbox minds.

    A blank counts as not given, but a blank sender as the account's own, and a sender of any plain value as its text.
    No body at all, and a part of a form without a name, count as nothing. An unknown Resp, written in any case, is
    answered in the old form; variables are shown whatever they are.
    """
    given = {} if isinstance(case.body, schemathesis.core.NotSet) else case.body
    if not isinstance(given, dict):
        return True
    nothing = ("resp",) if case.media_type == "application/json" else ("resp", "")
    body = {key: value for key, value in given.items() if key.lower() not in nothing and not is_blank(value)}
    if given.get("Remitente") == "" or isinstance(given.get("Remitente"), bool | int | float):
        body["Remitente"] = "X"
    rows = body.get("Destinatarios")
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        # A phone that is none is counted, not refused.
        shown = [dict.fromkeys(row, "") for row in rows]
        body = {**body, "Destinatarios": shown}
    if case.media_type != "application/json":
        sent = {key: "" if isinstance(value, bytes) else value for key, value in as_form(body).items()}
        body = {**sent, "Destinatarios": body["Destinatarios"]} if rows else sent
    content = OPERATIONS[case.operation.path.strip("/")]["requestBody"]["content"]
    schema = {
        **content[case.media_type or "application/json"]["schema"],
        "components": DOCUMENT["components"],
    }
    return not jsonschema.Draft202012Validator(schema).is_valid(body)


@SCHEMA.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_the_sandbox_answers_as_documented(case: Any, sandbox: Sandbox) -> None:
    """What is right is taken, what is wrong is refused, and every reply has the documented form and code."""
    operation = case.operation.path.strip("/")
    is_right = case.meta.generation.mode.is_positive
    if is_right and isinstance(case.body, dict):
        case.body = made_to_work(case.body, operation, sandbox)

    answer = send(case, sandbox)

    case.validate_response(answer, checks=CHECKS)
    told = None if answer.content[:2] in (b"%P", b"PK") else RES.search(answer.text)
    code = int(told[1]) if told else 1  # a document is what success looks like
    assert code > 0 or code in numbered(reply_schema(operation)["properties"]["Res"]["anyOf"])
    if is_right:
        assert code not in (-1, -3), answer.text
    elif is_wrong(case):
        assert code <= 0, (
            f"{case.media_type} {case.body!r}, {case.meta.phase.data}, was answered {answer.text}"
        )


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_refused_credentials_are_documented(operation: str, status: int) -> None:
    """Both ways in which they have been seen to be refused."""
    with Sandbox(refusal_status=status) as sandbox:
        answer = httpx.post(f"{sandbox.base_url}/{operation}", json={"Resp": "JSON"}, auth=("demo", "wrong"))

    reply = answer.json()
    assert answer.status_code == status
    assert str(status) in OPERATIONS[operation]["responses"]
    assert -1 in numbered(reply_schema(operation)["properties"]["Res"]["anyOf"])
    assert reply["Res"] == -1


def test_the_document_is_valid() -> None:
    """By a validator of OpenAPI 3.1."""
    validator = pytest.importorskip("openapi_spec_validator")

    validator.validate(json.loads(Path(PACKAGED).read_text(encoding="utf-8")))
