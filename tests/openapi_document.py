"""The OpenAPI document, for the tests that hold it against the client and the sandbox."""

from __future__ import annotations

import json
from typing import Any

from tests.markdown import ROOT

PACKAGED = ROOT / "mensatek_async" / "sandbox" / "openapi.json"
DOCUMENT: dict[str, Any] = json.loads(PACKAGED.read_text(encoding="utf-8"))
OPERATIONS: dict[str, Any] = {path.strip("/"): item["post"] for path, item in DOCUMENT["paths"].items()}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its own reference, if it is one, followed; what stands beside the reference stays."""
    while "$ref" in schema:
        target: Any = DOCUMENT
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        schema = {**target, **{name: value for name, value in schema.items() if name != "$ref"}}
    return schema


def request_schemas(operation: str) -> list[dict[str, Any]]:
    """The schemas of an operation's bodies, alternatives apart."""
    bodies = OPERATIONS[operation]["requestBody"]["content"].values()
    return [resolved(one) for body in bodies for one in body["schema"].get("anyOf", [body["schema"]])]


def parameters(operation: str) -> set[str]:
    """Every parameter an operation knows, but for the part that holds an uploaded file."""
    return {
        name
        for schema in request_schemas(operation)
        for name, value in schema["properties"].items()
        if value.get("format") != "binary"
    }


def reply_schema(operation: str) -> dict[str, Any]:
    """The schema of an operation's reply as one JSON object."""
    shapes = OPERATIONS[operation]["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    return resolved(shapes[1])


def numbered(alternatives: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The rows of a table of codes, by code."""
    return {int(row["enum"][0]): row for row in alternatives if "enum" in row}
