"""What a worker process is told to do: written by the tests, read by `worker.py`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Trip:
    """Trouble at a named point of the campaign code."""

    point: str  # which one, such as "post.leaving"; "*" for any
    nth: int = 1  # at which reach of it in this process
    action: str = "kill"  # -9; "stop" (SIGSTOP) or "sleep"
    seconds: float = 0.0  # how long to sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a worker.

    `how` is "start" (and run to the end), "watch" (the same, reading the progress), "get", "work", "drive", "sync"
    (the synchronous client), "ingest" (start, wait until all rows are read, leave), or "look" (only read); of an outbox
    "put" (an item for each row of the source, whose phone is its key), "drain", "send" (both), "cancel" or "retry" (the
    item of this name), "record" (the callback that the options are), or "storm" (`outbox_worker.py`); of an archive
    "archive" (collect the message of this name), "archive-event" (the callback that the options are), "archive-period"
    (from and to the moments that they are) or "catch-up".
    """

    how: str = "start"
    store: str = ""  # path or address of the journal; folder of the archive
    account: tuple[str, str, str] = ("", "", "")  # user, token and base URL of the sandbox
    name: str = "campaign"
    text: str = "Hola"
    source: str = ""  # a CSV file with the column `movil`
    options: dict[str, Any] = field(default_factory=dict)  # further arguments of `start`
    store_options: dict[str, Any] = field(default_factory=dict)  # further arguments of `Campaigns`
    client: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # its settings: `timeout`, `retry`, `limits`
    concurrency: int | None = None
    budget: float = 5.0  # seconds of a slice, for "work" and "drive"
    backend: str = "asyncio"
    clock: float = 0.0  # seconds its wall clock is ahead
    trips: tuple[Trip, ...] = ()
    out: str = ""  # a file for the outcome
    export: str = ""  # a file for the rows at the end
    memory: bool = False  # tell the peak of the memory that Python took, in bytes

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, line: str) -> Job:
        told = json.loads(line)
        told["trips"] = tuple(Trip(**trip) for trip in told["trips"])
        told["account"] = tuple(told["account"])
        return cls(**told)
