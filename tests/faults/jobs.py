"""What a worker process is told to do: written by the tests, read by `worker.py`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Trip:
    """Trouble at a named point of the campaign code.

    Attributes:
        point: which one, such as "opener.posting"; "*" for any.
        nth: at which reach of it in this process, from 1.
        action: "kill" (-9), "stop" (SIGSTOP), "sleep" or "raise".
        seconds: how long to sleep.
    """

    point: str
    nth: int = 1
    action: str = "kill"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a worker.

    Attributes:
        how: "start" (and run to the end), "watch" (the same, reading the progress), "get", "work", "drive", "sync"
            (the synchronous client), "ingest" (start, wait until all rows are read, leave), or "look" (only read);
            of an outbox "put" (an item for each row of the source, whose phone is its key), "drain", "send" (both),
            "cancel" or "retry" (the item of this name), "record" (the callback that the options are), or "storm"
            (`outbox_worker.py`); of an archive "archive" (collect the message of this name), "archive-event" (the
            callback that the options are), "archive-period" (from and to the moments that they are) or "catch-up".
        store: path or address of the journal; folder of the archive.
        account: user, token and base URL of the sandbox.
        name: of the campaign.
        text: what it says.
        source: a CSV file with the column `movil`.
        options: further arguments of `start`.
        store_options: further arguments of `Campaigns`.
        client: arguments of the client by setting: `timeout`, `retry`, `limits`.
        concurrency: requests at once.
        budget: seconds of a slice, for "work" and "drive".
        backend: "asyncio" or "trio".
        clock: seconds its wall clock is ahead.
        trips: trouble at named points.
        out: a file for the outcome.
        reached: a file that gets a line for every point reached.
        export: a file for the rows at the end.
        memory: tell the peak of the memory that Python took, in bytes.
    """

    how: str = "start"
    store: str = ""
    account: tuple[str, str, str] = ("", "", "")
    name: str = "campaign"
    text: str = "Hola"
    source: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    store_options: dict[str, Any] = field(default_factory=dict)
    client: dict[str, dict[str, Any]] = field(default_factory=dict)
    concurrency: int | None = None
    budget: float = 5.0
    backend: str = "asyncio"
    clock: float = 0.0
    trips: tuple[Trip, ...] = ()
    out: str = ""
    reached: str = ""
    export: str = ""
    memory: bool = False

    def dump(self) -> str:
        """The job on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, line: str) -> Job:
        """A job from its line."""
        told = json.loads(line)
        told["trips"] = tuple(Trip(**trip) for trip in told["trips"])
        told["account"] = tuple(told["account"])
        return cls(**told)
