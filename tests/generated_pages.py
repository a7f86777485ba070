"""Writes docs/operations.md, docs/statuses.md and rows of docs/live.md: `python -m tests.generated_pages`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from mensatek_async import AsyncMensatek
from mensatek_async._core.operations import OPERATIONS, Answers, Operation
from mensatek_async._wire.names import REQUEST
from mensatek_async.codes import DeliveryStatus, Phase, ResultCode, known_statuses, result_codes
from mensatek_async.doctor.checks import CHECKS
from mensatek_async.resources.certified import CertifiedResource
from mensatek_async.resources.files import FilesResource
from mensatek_async.resources.sms import SmsResource
from tests import openapi_document
from tests.markdown import ROOT

_RESOURCES = {
    "client": AsyncMensatek,
    "client.sms": SmsResource,
    "client.certified": CertifiedResource,
    "client.files": FilesResource,
}
_SOURCES = {
    "manual": "in the manual",
    "manual samples": "samples of the manual",
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


def pages() -> dict[Path, str]:
    """The documents as they have to be, below their heads."""
    written = {"operations": _operations(), "statuses": _statuses()}
    pages = {(path := ROOT / "docs" / f"{name}.md"): _head(path) + text for name, text in written.items()}
    return {**pages, (live := ROOT / "docs" / "live.md"): _with_checks(live.read_text(encoding="utf-8"))}


def _with_checks(page: str) -> str:
    """The page of the live provider with the doctor's rows as the table of checks has them."""
    rows = ""
    for one in CHECKS:
        how = f"{one.how} (`--{one.needs}`)" if one.needs else one.how
        cells = (
            f"doctor, `{one.name}`",
            one.assumes,
            one.known,
            one.rests,
            f"{how}; {one.cost}",
            one.otherwise,
        )
        rows += f"| {' | '.join(cells)} |\n"
    return re.sub(r"(?:\| doctor, `.*\n)+", lambda _: rows, page, count=1)


def _head(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n## ")[0] + "\n"


def _operations() -> str:
    by_operation: dict[str, list[Method]] = {name: [] for name in OPERATIONS}
    for name, method in methods():
        by_operation[name].append(method)
    return "\n".join(_entry(row, by_operation[name]) for name, row in OPERATIONS.items())


_QUALITIES = ("final", "delivered", "failed", "certified", "signed", "rejected")


def _statuses() -> str:
    """A table for each phase: `Phase` says what it is, `codes/statuses.json` what stands in it."""
    said = dict(re.findall(r'^    ([A-Z]+) = .*\n    """(.+)"""', inspect.getsource(Phase), re.MULTILINE))
    parts = []
    for phase in Phase:
        rows = [one for one in known_statuses() if one.phase is phase]
        parts += [f"## {phase.name}\n", said[phase.name] + "\n"]
        parts += [
            "| status | in Spanish | in English | is | means | known from |",
            "| --- | --- | --- | --- | --- | --- |",
        ] * bool(rows)
        parts += [*map(_status, rows), *[""] * bool(rows)]
    return "\n".join(parts)


def _status(one: DeliveryStatus) -> str:
    qualities = ", ".join(f"`is_{name}`" for name in _QUALITIES if getattr(one, f"is_{name}"))
    source = _SOURCES[one._row.source]
    return f"| {one.code} | {one.label} | {one.label_en} | {qualities} | {one.meaning} | {source} |"


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
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
