"""What a client's resources share."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ..models.issuer import Issuer
from ..settings import Limits, Timeout
from .call import Caller
from .operations import Operation


@frozen(kw_only=True)
class Context:
    """One client's caller and the settings its resources need."""

    caller: Caller
    operations: Mapping[str, Operation]
    limits: Limits
    timeout: Timeout
    region: str
    sender: str | None
    issuer: Issuer | None = None
    report: bool | None = None
    assume_grouping: bool = True
    read_interval: float = 5.0
