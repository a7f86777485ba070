"""The table of assumptions about the live provider, and what all of them together come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict

from . import account_checks, text_checks
from .check import Check
from .diagnosis import Diagnosis, Finding
from .evidence import Evidence

CHECKS: tuple[Check, ...] = (*account_checks.CHECKS, *text_checks.CHECKS)
"""Every assumption that an account can show to be wrong, in the order they are looked at."""

_USUAL: Mapping[str, Any] = {"request_format": "json", "report": None, "assume_grouping": True, "paths": {}}


def diagnosis_of(evidence: Evidence) -> Diagnosis:
    """Return what the evidence comes to."""
    findings, unchecked, settings = [], [], dict[str, Any]()
    for check in CHECKS:
        verdict = check.judge(evidence)
        if verdict is None:
            unchecked.append(check.name)
            continue
        advice = "" if verdict.ok else check.otherwise
        findings.append(Finding(check=check.name, ok=verdict.ok, detail=verdict.detail, advice=advice))
        for name, value in verdict.settings.items():
            settings[name] = {**settings.get(name, {}), **value} if isinstance(value, Mapping) else value
    if settings:  # beside which those stay that the client has already
        assumed = asdict(evidence.assumed)
        settings = {name: value for name, value in assumed.items() if value != _USUAL[name]} | settings
    return Diagnosis(
        findings=findings,
        unchecked=unchecked,
        settings=settings,
        texts=evidence.lines(),
        complete=evidence.ended is None,
    )
