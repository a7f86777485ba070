"""What differs between an asynchronous class and its synchronous twin, as tables."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from attrs import Factory, define, frozen

PACKAGE = Path(__file__).parents[2]
NAME = "mensatek_async"
GENERATED = PACKAGE / "sync" / "generated"


@frozen
class Source:
    """One asynchronous class: where it is, its twin's name and file, and what the twin is built on."""

    path: str
    name: str
    twin: str
    target: str
    base: str


def _resources() -> tuple[Source, ...]:
    """The resources that the client has, in its own order."""
    tree = ast.parse((PACKAGE / "client.py").read_text(encoding="utf-8"))
    return tuple(
        Source(f"resources/{module}.py", alias.name, f"Sync{alias.name}", f"_{module}.py", "Twin")
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("resources.")
        for module in [node.module.removeprefix("resources.")]
        for alias in node.names
        if alias.name.endswith("Resource")
    )


SOURCES = (
    Source("bulk/outcomes.py", "BulkStream", "SyncBulkStream", "_outcomes.py", "Stream"),
    *_resources(),
    Source("client.py", "AsyncMensatek", "Mensatek", "_client.py", "ClientTwin"),
    Source("campaigns/progress_stream.py", "ProgressStream", "SyncProgressStream", "_progress.py", "Stream"),
    Source("campaigns/campaign.py", "Campaign", "SyncCampaign", "_campaign.py", "Twin"),
    Source("campaigns/campaigns.py", "Campaigns", "SyncCampaigns", "_campaigns.py", "CampaignsTwin"),
    Source("outbox/stream.py", "OutboxStream", "SyncOutboxStream", "_outbox_stream.py", "Stream"),
    Source("outbox/outbox.py", "Outbox", "SyncOutbox", "_outbox.py", "StoreTwin"),
    Source("archive/archive.py", "CertificateArchive", "SyncCertificateArchive", "_archive.py", "PartTwin"),
    Source("opt_outs/opt_outs.py", "OptOuts", "SyncOptOuts", "_opt_outs.py", "ClientlessTwin"),
    Source("contracts/contracts.py", "Contracts", "SyncContracts", "_contracts.py", "ClientlessTwin"),
)
# Bases that say themselves what their original is.
WHOLE_BASES = {"CampaignsTwin", "ClientTwin"}

# Annotations that are another type in synchronous code, exactly as they stand in the source.
ANNOTATIONS = {
    "Recipients": "Iterable[str | Recipient | BrokenRow]",
    "ProgressCallback | None": "Callable[[BulkProgress], object] | None",
    "RowsCallback | None": "Callable[[Sequence[tuple[int, str, str]]], object] | None",
    "AbstractAsyncContextManager[BulkStream]": "AbstractContextManager[SyncBulkStream]",
    "AbstractAsyncContextManager[ProgressStream]": "AbstractContextManager[SyncProgressStream]",
    "AsyncMensatek": "Mensatek",
    "AbstractAsyncContextManager[OutboxStream]": "AbstractContextManager[SyncOutboxStream]",
    "Campaign": "SyncCampaign",
    "Campaigns": "SyncCampaigns",
    "Outbox": "SyncOutbox",
    "OptOuts | None": "SyncOptOuts | None",
    "Client": "ClientTwin",
}
# What is returned of an asynchronous class, and how it becomes its twin; `{}` is the call.
RETURNED = {"AsyncMensatek": "self._account(lambda: {})", "Campaign": "self._one({}, SyncCampaign)"}
# What a method that does not wait makes for its client, and the twin that is made instead.
MADE = {"Campaigns": "SyncCampaigns", "Outbox": "SyncOutbox"}
# What is done with a parameter of such a type on its way; `{}` is the parameter.
ADAPTED = {
    "Recipients": "in_caller({})",
    "ProgressCallback | None": "call_here({})",
    "RowsCallback | None": "call_here({})",
    "OptOuts | None": "original_of({})",
    "Outbox": "original_of({})",
    "str | Recipient | Iterable[str | Recipient]": "self._read({})",
}
METHODS = {
    "aclose": "close",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}
# Names in code that stands in docstrings.
NAMES = {
    "AsyncMensatek": "Mensatek",
    "Campaigns": "SyncCampaigns",
    "CertificateArchive": "SyncCertificateArchive",
    "OptOuts": "SyncOptOuts",
    "Outbox": "SyncOutbox",
    "aclose": "close",
}
# Identifiers that may keep their asynchronous look: the original behind the twin, and what runs in its loop.
KEPT = {"AsyncMensatek", "AsyncTransport"}
# Beside what the source imports; ruff takes out what is not used.
IMPORTS = """
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, overload
from ...models.bulk import BulkProgress
from ...models.recipient import Recipient
from ...sources.rows import BrokenRow
from .._durable import CampaignsTwin, PartTwin, StoreTwin
from .._managed import Stream
from .._rows import call_here, in_caller
from .._twins import ClientlessTwin, ClientTwin, Twin, original_of
"""


class CannotGenerate(Exception):
    """The source holds something that has no synchronous form."""


@define
class Rules:
    """Which of the rules were of use."""

    used: set[str] = Factory(set)

    def unused(self) -> list[str]:
        """Rules that nothing in the source needs any more."""
        return sorted({*ANNOTATIONS, *ADAPTED, *MADE, *METHODS, *NAMES, *RETURNED} - self.used)


def looks_async(name: str) -> bool:
    marks = r"async|await|aclose|__a(enter|exit|iter|next)__"
    return re.search(marks, name.replace(NAME, ""), re.IGNORECASE) is not None


def plain_docstring(text: str, rules: Rules) -> str:
    """A docstring as it stands in the synchronous twin, broken into the same lines.

    Raises:
        CannotGenerate: asynchronous code stands in it outside of backquotes.
    """
    plain = re.sub(r"`[^`]+`", lambda code: _plain_code(code[0], rules), text)
    if left := re.search(r"\bawait\b|\basync (for|with|def)\b|AsyncMensatek|aclose", plain):
        raise CannotGenerate(f"{left[0]!r} is left over in a docstring: {plain!r}")
    return plain


def _plain_code(code: str, rules: Rules) -> str:
    code = re.sub(r"\b(async|await)\s+", "", code)
    for name, instead in NAMES.items():
        code, times = re.subn(rf"\b{name}\b", instead, code)
        rules.used |= {name} if times else set()
    return code
