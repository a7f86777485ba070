"""An assumption about the live provider: a new one is one function under `check`, and so a row of `docs/live.md`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from attrs import field, frozen

from ..errors import MensatekError
from .evidence import Evidence


@frozen
class Verdict:
    """What the evidence says of one assumption.

    Attributes:
        ok: whether the client works with it as it is set.
        detail: what was seen.
        settings: what to set instead.
    """

    ok: bool
    detail: str
    settings: Mapping[str, Any] = field(factory=dict)


Judge: TypeAlias = Callable[[Evidence], Verdict | None]
"""What the evidence says; None while nothing was seen that tells."""


@frozen(kw_only=True)
class Check:
    """One assumption about the live provider.

    Attributes:
        name: what it is called.
        assumes: what is assumed.
        known: where that is known from: "manual", "field" (programs that use the live API), "inferred", or "nowhere".
        rests: what rests on it.
        how: how it is found out.
        needs: the argument of `diagnose` that it takes: "phone", "listen", "callback"; "" for none.
        cost: what that costs.
        otherwise: what to set, or to do, where it fails.
        judge: what the evidence says.
    """

    name: str
    assumes: str
    known: str = "manual"
    rests: str
    how: str
    needs: str = ""
    cost: str
    otherwise: str
    judge: Judge = field(repr=False)


def check(table: list[Check], name: str, **told: str) -> Callable[[Judge], Judge]:
    """Add the function below it to a table of checks, with what is told of it."""

    def add(judge: Judge) -> Judge:
        table.append(Check(name=name, judge=judge, **told))
        return judge

    return add


def refused(outcome: object) -> Verdict | None:
    """Return the verdict on a call that the provider did not do; None for one that was not made."""
    return Verdict(False, said(outcome)) if isinstance(outcome, MensatekError) else None


def said(error: object) -> str:
    """Return what an error says, to stand within a sentence."""
    return str(error.args[0]).rstrip(".") if isinstance(error, MensatekError) and error.args else "no answer"


def plain(credits: Decimal) -> str:
    """Return credits without idle zeros."""
    written = f"{credits:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
