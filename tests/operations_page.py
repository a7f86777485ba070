"""Writes the entries of docs/operations.md from the rows of the operations: `python -m tests.operations_page`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from attrs import frozen

from mensatek_async import AsyncMensatek
from mensatek_async._core.operations import OPERATIONS, Answers, Operation
from mensatek_async._wire.names import REQUEST
from mensatek_async.codes import ResultCode, result_codes
from mensatek_async.resources.certified import CertifiedResource
from mensatek_async.resources.files import FilesResource
from mensatek_async.resources.sms import SmsResource
from tests import openapi_document
from tests.markdown import ROOT

PAGE = ROOT / "docs" / "operations.md"
_RESOURCES = {
    "client": AsyncMensatek,
    "client.sms": SmsResource,
    "client.certified": CertifiedResource,
    "client.files": FilesResource,
}
_SOURCES = {
    "manual": "in the manual",
    "5.8": "older manual",
    "field": "seen in live use",
    "inferred": "inferred",
}
_MARK = re.compile(r"Operation of the API: (\w+)")


@frozen
class Method:
    """A public method that makes calls of an operation."""

    name: str
    summary: str
    gives: str


def methods() -> Iterator[tuple[str, Method]]:
    """Every public method with its operation, as its docstring says."""
    for place, resource in _RESOURCES.items():
        for name, function in vars(resource).items():
            text = inspect.getdoc(function) or ""
            if mark := _MARK.search(text):
                paragraphs = text.split("\n\n")
                said = next(one for one in paragraphs if _MARK.search(one)).partition(". ")[2]
                summary = " ".join(f"{paragraphs[0]} {said}".split())
                yield (
                    mark[1],
                    Method(f"{place}.{name}", summary, str(inspect.signature(function).return_annotation)),
                )


def page() -> str:
    """The document as it has to be, below its head."""
    by_operation: dict[str, list[Method]] = {name: [] for name in OPERATIONS}
    for name, method in methods():
        by_operation[name].append(method)
    head = PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    return "\n".join([head, *(_entry(row, by_operation[name]) for name, row in OPERATIONS.items())])


def _entry(row: Operation, found: list[Method]) -> str:
    names = sorted(openapi_document.parameters(row.name) - {REQUEST["response"]})
    answer = f"; the answer is {row.reply.value}" if isinstance(row.reply, Answers) else ""
    return "\n".join(
        [
            f"## {row.name}\n",
            f"{found[0].summary}\n",
            f"- Path: `{row.path}` ({_SOURCES[row.path_source]})",
            f"- Kind: {row.kind.value}",
            f"- Methods: {', '.join(f'`{one.name}`' for one in found)}",
            f"- Gives: `{found[0].gives}`{answer}",
            f"- Parameters: {', '.join(f'`{name}`' for name in names) or 'none'}\n",
            "| Res | becomes | meaning | known from |",
            "| --- | --- | --- | --- |",
            *map(_line, sorted(_codes(row.name), key=lambda one: -one.code)),
            "",
        ]
    )


def _codes(name: str) -> list[ResultCode]:
    return [code for code in result_codes() if code.operation == name and code.code <= 0]


def _line(code: ResultCode) -> str:
    error = f"`{code.error.__name__}`" if code.error else "no error"
    return f"| {code.code} | {error} | {code.meaning} | {_SOURCES[code.source]} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
