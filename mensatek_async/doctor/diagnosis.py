"""What a diagnosis comes to: findings, and the settings that follow from them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen


@frozen(kw_only=True)
class Finding:
    """What was found out about one assumption.

    Attributes:
        check: its name, as in `docs/live.md`.
        ok: whether the client works with it as it is set.
        detail: what was seen.
        advice: what to do where it is not ok; else "".
    """

    check: str
    ok: bool
    detail: str
    advice: str = ""


@frozen(kw_only=True)
class Diagnosis:
    """What `diagnose` found out.

    Attributes:
        findings: one for each assumption that was looked at.
        unchecked: the names of those that were not: they need a phone, or somebody who listens for callbacks, or
            nothing was seen that tells.
        settings: what to give to the client for this account, as `AsyncMensatek(**settings)`; empty when all is as
            assumed, or a setting cannot help.
        texts: what became of each text, at most three: sent, refused, cancelled, unknown.
        complete: whether it came to its end, with nothing that stopped it.
    """

    findings: list[Finding]
    unchecked: list[str] = Factory(list)
    settings: Mapping[str, Any] = Factory(dict)
    texts: list[str] = Factory(list)
    complete: bool = True

    @property
    def ok(self) -> bool:
        """Whether everything that was looked at is as the client has it."""
        return self.complete and all(one.ok for one in self.findings)

    @property
    def python(self) -> str:
        """The settings as Python."""
        return f"AsyncMensatek({', '.join(f'{name}={value!r}' for name, value in self.settings.items())})"

    @property
    def environment(self) -> list[str]:
        """The settings as lines for a shell, which every client and the command follow."""
        return [
            f"export MENSATEK_{name.upper()}={shlex.quote(_written(value))}"
            for name, value in self.settings.items()
        ]


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={path}" for name, path in value.items())
    return str(int(value)) if isinstance(value, bool) else str(value)
