"""What a client's resources share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import frozen

from ..errors import ConfigurationError
from ..models.issuer import Issuer
from ..settings import Account, Limits, Timeout
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


class Client(Protocol):
    """An asynchronous client, as what is built upon it needs it."""

    _context: Context
    _account: Account


def context_of(client: Client, instead: str) -> Context:
    """Return the context of an asynchronous client.

    Args:
        client: the client.
        instead: what to use with a synchronous one.

    Raises:
        ConfigurationError: it is no asynchronous client.
    """
    if not hasattr(client, "_context"):
        raise ConfigurationError(
            f"client is an AsyncMensatek, not {type(client).__name__}.",
            advice=f"With a Mensatek it is {instead}.",
        )
    return client._context
