"""Callbacks: every change of a text's status, every event of a document and every reply, posted to a URL."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .delivery import AWAITING, CANCELLED, CONTRACT_OPENED, write_second
from .posting import Post, Poster, Target
from .records import Batch

if TYPE_CHECKING:
    from .account import Account
    from .contracts import Act

_TICK_SECONDS = 0.02
_WITH_VARIABLES = frozenset({160, 180, 181, 190, 195, 5000})
_VARIABLES: Mapping[str, str] = {"IP": "127.0.0.1"}
_STRANGE_STATUSES = range(7000, 7100)  # in no manual
_REPLY_NUMBER = "34600999999"


@dataclass(slots=True)
class _Journey:
    """The recipients of one request on their way through the statuses."""

    batch: Batch
    phones: list[str]
    step: int = 0
    finished: bool = False


class Callbacks:
    """Posts what happens in a sandbox to a webhook, as the provider does; hand it to `Sandbox.call_back`.

    Args:
        url: where to post.
        username: HTTP Basic user, if the webhook asks for one.
        password: HTTP Basic password.
        token: a secret that goes into the URL as `token`.
        form: "json", "form" or "multipart".
        charset: of forms, "utf-8" or "cp1252".
        retries: how often a callback is posted again that was not answered with a status of 200 to 299.
        retry_seconds: real seconds before the first repeat; doubles each time.
        duplicates: the share of callbacks posted twice although the first was taken, 0 to 1.
        shuffle: callbacks are collected in groups of so many and posted in any order; 0 keeps their order.
        unknown_statuses: the share of texts that get a status of no manual besides, 0 to 1.
        numeric_phones: write `Movil` as a number, as some callbacks do.
        connections: how many callbacks are posted at once; more than one lets them overtake each other.
        timeout: real seconds to wait for an answer.
        seed: makes the random parts repeatable.

    Raises:
        ValueError: a URL, form or number that makes no sense.
    """

    def __init__(
        self,
        url: str,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        form: str = "json",
        charset: str = "utf-8",
        retries: int = 3,
        retry_seconds: float = 0.2,
        duplicates: float = 0.0,
        shuffle: int = 0,
        unknown_statuses: float = 0.0,
        numeric_phones: bool = False,
        connections: int = 1,
        timeout: float = 10.0,
        seed: int = 0,
    ) -> None:
        if not (0 <= duplicates <= 1 and 0 <= unknown_statuses <= 1 and shuffle >= 0 and connections >= 1):
            raise ValueError("Shares are 0 to 1, shuffle is 0 or more, connections 1 or more")
        target = Target(
            url=url,
            username=username,
            password=password,
            token=token,
            form=form,
            charset=charset,
            retries=retries,
            retry_seconds=retry_seconds,
            timeout=timeout,
        )
        self.posts: list[Post] = []
        self._poster = Poster(target, connections)
        self._duplicates = duplicates
        self._shuffle = shuffle
        self._unknown_statuses = unknown_statuses
        self._numeric_phones = numeric_phones
        self._random = random.Random(seed)  # noqa: S311  decides what to repeat, nothing secret
        self._journeys: list[_Journey] = []
        self._account: Account | None = None
        self._lock: AbstractContextManager[Any] = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event so far by its wire names, without the repetitions made on purpose."""
        with self._lock:
            return [dict(post.fields) for post in self.posts if not post.repeated]

    @property
    def lost(self) -> list[Post]:
        """Callbacks that were given up: posted with all repeats, and never taken."""
        with self._lock:
            return [post for post in self.posts if post.answers and not post.taken]

    def wait(self, timeout: float | None = None) -> bool:
        """Block until everything that has happened by the sandbox's clock is posted, or given up.

        Args:
            timeout: real seconds to wait at most.

        Returns:
            False when the time was up before.
        """
        self._collect()
        return self._poster.wait(timeout)

    def receive(
        self, sender: str, text: str, *, number: str = _REPLY_NUMBER, message_id: int | None = None
    ) -> None:
        """Have somebody write to a number of the account.

        Args:
            sender: who writes.
            text: what.
            number: the number that receives it.
            message_id: the message it replies to.

        Raises:
            RuntimeError: no sandbox has these callbacks yet.
            KeyError: there is no such message.
        """
        account = self._needed_account()
        with self._lock:
            message = account.messages[message_id] if message_id else None
            moment = account.clock.now
            fields = {
                "Servicio": "SMSRECIBIDO",
                "timestamp": int(moment.timestamp()),
                "Fecha": write_second(moment),
                "Movil": number,
                "Remitente": sender,
                "Mensaje": text,
                "idR": _report_id(message_id, sender) if message_id else 0,
                "idM": message_id or 0,
                "EsCert": "true" if message and message.certified else "false",
                "Referencia": message.batches[-1].reference if message else "",
            }
            self._post([fields])

    def attach(self, account: Account, lock: AbstractContextManager[Any]) -> None:
        """Belong to a sandbox: follow what its account accepts."""
        if self._account is not None:
            raise ValueError("These callbacks belong to a sandbox already")
        self._account, self._lock = account, lock
        account.followers.append(self._follow)
        account.witnesses.append(self._witness)

    def start(self) -> None:
        """Begin to post; goes on with what a stop left."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._poster.start()
        self._thread = threading.Thread(target=self._run, name="mensatek-sandbox-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop posting, after what is under way."""
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        self._poster.stop()

    def _needed_account(self) -> Account:
        if self._account is None:
            raise RuntimeError("Hand the callbacks to a sandbox first: sandbox.call_back(callbacks)")
        return self._account

    def _follow(self, batch: Batch, phones: list[str]) -> None:
        self._journeys.append(_Journey(batch, list(phones)))

    def _witness(self, batch: Batch, phone: str, act: Act) -> None:
        """Tell what a contract's recipient did, after all that came before it."""
        self._collect()
        seconds = (act.at - batch.leaves_at).total_seconds()
        self._post(list(self._arrivals(batch, phone, seconds, act.status, act.variables)))

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_SECONDS):
            self._collect()

    def _collect(self) -> None:
        """Post what has happened since the last time."""
        account = self._needed_account()
        with self._lock:
            now = account.clock.now
            fields = [one for journey in self._journeys for one in self._news(account, journey, now)]
            self._journeys = [journey for journey in self._journeys if not journey.finished]
            self._post(fields)

    def _news(self, account: Account, journey: _Journey, now: datetime) -> Iterator[dict[str, Any]]:
        batch = journey.batch
        if batch.cancelled_at is not None:
            journey.finished = True
            for phone in journey.phones:
                yield self._report(batch, phone, CANCELLED, batch.cancelled_at, 0)
            return
        pace = account.delivery_seconds
        while not journey.finished and batch.leaves_at + timedelta(seconds=pace * journey.step) <= now:
            step, journey.finished = journey.step, True
            for phone in journey.phones:
                path = account.path(batch, phone)
                if step < len(path):
                    yield from self._arrivals(batch, phone, *path[step])
                journey.finished &= step + 1 >= len(path)
            journey.step += 1

    def _arrivals(
        self,
        batch: Batch,
        phone: str,
        seconds: float,
        status: int,
        variables: Mapping[str, str] = _VARIABLES,
    ) -> Iterator[dict[str, Any]]:
        """What is told when a text arrives at a status."""
        moment = batch.leaves_at + timedelta(seconds=seconds)
        yield self._report(batch, phone, status, moment, int(seconds), variables)
        if status == AWAITING and self._random.random() < self._unknown_statuses:
            yield self._report(batch, phone, self._random.choice(_STRANGE_STATUSES), moment, int(seconds))
        if status == CONTRACT_OPENED:
            for name in sorted(batch.files) or ["documento.pdf"]:
                yield self._opened(batch, phone, name, moment)

    def _report(
        self,
        batch: Batch,
        phone: str,
        status: int,
        moment: datetime,
        seconds: int,
        variables: Mapping[str, str] = _VARIABLES,
    ) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "Servicio": "SMSCERTIFICADO" if batch.certified else "SMSMASIVO",
            "Resultado": status,
            "Remitente": batch.sender,
            "Movil": int(phone) if self._numeric_phones else phone,
            "Fecha": write_second(moment),
            "Segundos": seconds,
            "idMensaje": batch.message_id,
            "Referencia": batch.reference,
            "idReport": _report_id(batch.message_id, phone),
        }
        if status in _WITH_VARIABLES:
            fields["Variables"] = json.dumps(variables)
        # The certified manual's sample has its numbers as texts, the other one's as numbers.
        return {name: str(value) for name, value in fields.items()} if batch.certified else fields

    def _opened(self, batch: Batch, phone: str, name: str, moment: datetime) -> dict[str, Any]:
        return {
            "Servicio": "EVENTOSSMSCERTIFICADO",
            "Fichero": name,
            "TipoAdjunto": "1",
            "Fecha": write_second(moment),
            "Telefono": phone,
            "TipoEvento": "1",
            "idEnvio": str(batch.message_id),
            "idMensaje": str(batch.message_id),
            "Valor": "",
            "Referencia": batch.reference,
            "IP": "127.0.0.1",
            "Puerto": "56678",
        }

    def _post(self, events: list[dict[str, Any]]) -> None:
        posts: list[Post] = []
        for fields in events:
            posts.append(Post(fields=fields))
            if self._random.random() < self._duplicates:
                posts.append(Post(fields=fields, repeated=True))
        if self._shuffle:
            for start in range(0, len(posts), self._shuffle):
                group = posts[start : start + self._shuffle]
                self._random.shuffle(group)
                posts[start : start + self._shuffle] = group
        self.posts += posts
        self._poster.add(posts)


def _report_id(message_id: int | None, phone: str) -> int:
    """The id of one recipient's text: by the manual it is the text's, so all its statuses share it."""
    digest = hashlib.blake2b(f"{message_id}/{phone}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big")
