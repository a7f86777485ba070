"""A loopback stand-in for the providers, as fast as the standard library goes, in a process of its own.

It reads whole bodies and answers at once, or after a latency that it is told; for a send it counts the recipients in
the body. It keeps no account and checks nothing: for that there is `mensatek_async.sandbox`. No event loop: one thread
over `selectors` costs a third less than asyncio, which leaves more of the machine to the clients.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

MENSATEK = (
    b'[{"Res":%d,"Destinatarios":%d,"Msgid":10573758,"idMensaje":10573758,"Cred":100000000.0,'
    b'"Mensajes":%d,"NoEnviados":0,"CreditosUsados":%d}]'
)
# The answers of the peers' providers to one accepted text, as their manuals show them.
TWILIO = (
    b'{"account_sid":"AC00000000000000000000000000000000","api_version":"2010-04-01","body":"Su cita",'
    b'"date_created":"Sun, 22 Nov 2026 10:00:00 +0000","date_sent":null,'
    b'"date_updated":"Sun, 22 Nov 2026 10:00:00 +0000","direction":"outbound-api","error_code":null,'
    b'"error_message":null,"from":"+34600999999","messaging_service_sid":null,"num_media":"0","num_segments":"1",'
    b'"price":null,"price_unit":"USD","sid":"SM00000000000000000000000000000000","status":"queued",'
    b'"subresource_uris":{"media":"/2010-04-01/Accounts/AC/Messages/SM/Media.json"},"to":"+34600000000",'
    b'"uri":"/2010-04-01/Accounts/AC/Messages/SM.json"}'
)
TELNYX = (
    b'{"data":{"record_type":"message","direction":"outbound","id":"40385f64-5717-4562-b3fc-2c963f66afa6","type":"SMS",'
    b'"messaging_profile_id":"4000eba1-a0c0-4563-9925-b25e842a7cb6","from":{"phone_number":"+34600999999",'
    b'"carrier":"","line_type":""},"to":[{"phone_number":"+34600000000","status":"queued","carrier":"",'
    b'"line_type":""}],"text":"Su cita","media":[],"encoding":"GSM-7","parts":1,"tags":[],"cost":null,'
    b'"received_at":"2026-11-22T10:00:00.000+00:00","sent_at":null,"completed_at":null,'
    b'"valid_until":"2026-11-22T11:00:00.000+00:00","errors":[]}}'
)
VONAGE = (
    b'{"message-count":"1","messages":[{"to":"34600000000","message-id":"0A0000000123ABCD1","status":"0",'
    b'"remaining-balance":"15.53590000","message-price":"0.03330000","network":"21407"}]}'
)
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


def framed(body: bytes, status: bytes = b"200 OK") -> bytes:
    return HEAD % (status, len(body), body)


@cache
def accepted(recipients: int) -> bytes:
    return framed(MENSATEK % (recipients or 1, recipients, recipients, recipients))


COUNTS = b"counts"
OTHERS = (
    (b"POST /2010-04-01/", framed(TWILIO, b"201 Created")),
    (b"POST /v2/", framed(TELNYX)),
    (b"POST /sms/", framed(VONAGE)),
    (b"POST /counts", COUNTS),
)


def answer(request: bytes, end: int) -> bytes:
    """The answer to a whole request whose header ends there."""
    for start, reply in OTHERS:
        if request.startswith(start):
            return reply
    return accepted(request.count(b'"Movil"', end))


class Connection:
    """One kept-alive connection, one request at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.waiting = b""

    def receive(self) -> bytes | None:
        """The answer, once the request is whole; an empty one when the client has gone."""
        try:
            data = self.sock.recv(1 << 18)
        except OSError:
            return b""
        if not data:
            return b""
        if self.waiting:
            data = self.waiting + data
        end = data.find(b"\r\n\r\n")
        if end >= 0:
            head = data[:end].lower()
            start = head.index(b"content-length:") + len(b"content-length:")
            if len(data) >= end + 4 + int(head[start:].partition(b"\r\n")[0]):
                self.waiting = b""
                return answer(data, end)
        self.waiting = data
        return None

    def send(self, reply: bytes) -> None:
        try:
            self.sock.sendall(reply)
        except OSError:  # it is read as gone at the next turn
            pass


class Allowance:
    """How many requests each second takes; the others are refused with a 429, as a provider's own limit does."""

    def __init__(self, per_second: float, retry_after: float) -> None:
        self.per_second = per_second
        self.after = b"Retry-After: %g\r\n" % retry_after if retry_after else b""
        self.accepted = self.refused = 0
        self.second, self.used = 0, 0

    def judge(self, reply: bytes) -> bytes:
        now = int(time.monotonic())
        self.second, self.used = now, (self.used + 1 if now == self.second else 1)
        if self.used <= self.per_second:
            self.accepted += 1
            return reply
        self.refused += 1
        return b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n%b\r\n" % self.after

    def counts(self) -> bytes:
        """What `POST /counts` answers."""
        return framed(b'{"accepted":%d,"refused":%d}' % (self.accepted, self.refused))


class Server:
    """Accepts, answers, and keeps answers back for the latency."""

    def __init__(self, latency: float, per_second: float = 0.0, retry_after: float = 0.0) -> None:
        self.latency = latency
        self.allowance = Allowance(per_second, retry_after) if per_second else None
        self.delayed: deque[tuple[float, Connection, bytes]] = deque()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)

    def serve(self) -> None:
        while True:
            left = max(self.delayed[0][0] - time.monotonic(), 0) if self.delayed else None
            for key, _ in self.selector.select(left):
                connection: Connection | None = key.data
                if connection is None:
                    sock, _ = self.listener.accept()
                    self.selector.register(sock, selectors.EVENT_READ, Connection(sock))
                    continue
                reply = connection.receive()
                if reply and self.allowance is not None:
                    reply = self.allowance.counts() if reply == COUNTS else self.allowance.judge(reply)
                if reply:
                    self.reply(connection, reply)
                elif reply is not None:
                    self.selector.unregister(connection.sock)
                    connection.sock.close()
            while self.delayed and self.delayed[0][0] <= time.monotonic():
                _, connection, reply = self.delayed.popleft()
                connection.send(reply)

    def reply(self, connection: Connection, reply: bytes) -> None:
        if self.latency:
            self.delayed.append((time.monotonic() + self.latency, connection, reply))
        else:
            connection.send(reply)


def end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


@contextmanager
def running(latency: float = 0.0, per_second: float = 0.0, retry_after: float = 0.0) -> Iterator[str]:
    """The server in its own process, answering after that many seconds; gives the base URL of a Mensatek client.

    Given `per_second`, it refuses more than that, with that `Retry-After` if any.
    """
    command = [sys.executable, __file__, str(latency), str(per_second), str(retry_after)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v7"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    server = Server(*map(float, sys.argv[1:]))
    print(server.listener.getsockname()[1], flush=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve()
