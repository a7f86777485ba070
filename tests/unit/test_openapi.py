"""The client's and the sandbox's tables against the OpenAPI document, which was written from the manuals alone."""

from __future__ import annotations

import pytest

from mensatek_async._core.operations import OPERATIONS as ROWS
from mensatek_async._wire.names import CALLBACKS, RECIPIENT, REPLIES, REQUEST, SERVICE, SERVICES
from mensatek_async.codes import result_codes
from mensatek_async.codes._statuses import _rows as status_rows
from mensatek_async.models.events import DeliveryReport, DocumentEvent, IncomingMessage
from mensatek_async.models.results import RecipientReport, StoredFile
from mensatek_async.sandbox.api.operations import OPERATIONS as DOUBLES
from tests.openapi_document import (
    DOCUMENT,
    OPERATIONS,
    numbered,
    parameters,
    reply_schema,
    resolved,
)

SCHEMAS = DOCUMENT["components"]["schemas"]
EVENTS = {
    one: one.__name__[0].lower() + one.__name__[1:]
    for one in (DeliveryReport, DocumentEvent, IncomingMessage)
}
every_operation = pytest.mark.parametrize("operation", OPERATIONS)


def folded(names: object) -> set[str]:
    """Names as the wire compares them."""
    return {str(name).casefold() for name in names}  # type: ignore[attr-defined]


def test_the_client_has_the_documents_operations() -> None:
    """The same operations under the same paths, of the same kind, known from the same place."""
    told = {name: (name, post["x-kind"], post["x-standing"]) for name, post in OPERATIONS.items()}

    assert {row.name: (row.path, row.kind.value, row.path_source) for row in ROWS.values()} == told


@every_operation
def test_the_client_knows_the_documents_codes(operation: str) -> None:
    """The same result codes of the same standing, and each negative one is an error."""
    rows = {row.code: row for name in ("*", operation) for row in result_codes() if row.operation == name}
    told = numbered(reply_schema(operation)["properties"]["Res"]["anyOf"])
    standing = {code: row["x-standing"] for code, row in told.items()}

    assert {code: row.source for code, row in rows.items()} == standing
    assert all((rows[code].error is None) == (code >= 0) for code in rows)


def test_the_client_and_the_sandbox_know_the_documents_parameters() -> None:
    """The sandbox takes an operation's parameters and no other; the client can name each, and nothing else, nor what
    the document does not say of a recipient."""
    for operation in OPERATIONS:
        assert DOUBLES[operation].parameters == folded(parameters(operation))
    assert set(REQUEST.values()) == {name for operation in OPERATIONS for name in parameters(operation)}
    told = SCHEMAS["Recipient"]["properties"].items()
    assert set(RECIPIENT.values()) == {name for name, one in told if one.get("x-standing") != "5.8"}


def test_the_client_reads_the_documents_replies() -> None:
    """Each attribute of a reply's model is fed by a name that the document has for this operation; rows, name by
    name."""
    for operation in OPERATIONS:
        model = ROWS[operation].reply
        if isinstance(model, type):
            told = folded(reply_schema(operation)["properties"])
            assert not {attribute for attribute, wire in REPLIES[model].items() if not folded(wire) & told}
    for row in (RecipientReport, StoredFile):
        assert {wire[0] for wire in REPLIES[row].values()} == set(SCHEMAS[row.__name__]["properties"])


@pytest.mark.parametrize("model", EVENTS)
def test_the_client_reads_the_documents_callbacks(model: type) -> None:
    """Each field of a callback has an attribute, and each attribute its field."""
    post = DOCUMENT["webhooks"][EVENTS[model]]["post"]
    (schema,) = {body["schema"]["$ref"] for body in post["requestBody"]["content"].values()}
    told = set(resolved({"$ref": schema})["properties"])

    assert {wire[0] for wire in CALLBACKS[model].values()} == told - {"idEnvio"}


def test_the_client_knows_the_documents_services() -> None:
    """What tells the callbacks apart."""
    told = {}
    for model in EVENTS:
        schema = SCHEMAS[model.__name__]["properties"][SERVICE]
        told |= dict.fromkeys([schema["const"]] if "const" in schema else schema["examples"], model)

    assert told == SERVICES


def test_the_client_knows_the_documents_statuses() -> None:
    """Every delivery status of the document, with the manual's own words."""

    def plain(label: str) -> str:
        return label.casefold().replace(".reint", ". reint").rstrip(".")

    rows = status_rows()
    told = numbered(SCHEMAS["DeliveryStatus"]["anyOf"])

    for code, row in told.items():
        assert plain(row["title"]) == plain(rows[code].label)
    assert {code for code, row in rows.items() if row.source.startswith("manual")} == set(told)
