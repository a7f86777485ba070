"""Who may post: HTTP Basic, a token in the URL, source networks, all compared without telling which was wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import os
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import parse_qsl

from ..errors import ConfigurationError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_LONGEST = 4096
_MOST_PARAMETERS = 32
_TOKEN = "token"  # noqa: S105  the parameter's name, not a token


class Authentication:
    """Decides whether a request comes from the provider.

    The provider signs nothing. It can send HTTP Basic credentials (set them in its panel), and the URL given to
    it can hold a secret: `https://example.com/mensatek?token=...`. What is configured must all be right.

    Args:
        username: HTTP Basic user; goes with `password`.
        password: HTTP Basic password.
        token: what the URL's parameter `token` must be.
        networks: addresses or networks that may post, such as "192.0.2.0/24"; empty for any. It is the address
            of the connection: behind a proxy, have your server put the caller's in its place.
        allow_unauthenticated: True to do without both credentials and token, for development.

    Raises:
        ConfigurationError: neither credentials nor a token, half of the credentials, a blank one, or a network
            that is none.
    """

    def __init__(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        networks: Iterable[str] = (),
        allow_unauthenticated: bool = False,
    ) -> None:
        for kind, value in (("username", username), ("password", password), ("token", token)):
            if value is not None and (not isinstance(value, str) or not value.strip()):
                raise ConfigurationError(f"The webhook's {kind} is blank.")
        if (username is None) != (password is None):
            raise ConfigurationError("The webhook needs both username and password, or neither.")
        if username is not None and ":" in username:
            raise ConfigurationError(
                "The webhook's username must not hold a colon: HTTP Basic cannot send it."
            )
        if username is None and token is None and not allow_unauthenticated:
            raise ConfigurationError(
                "The webhook would take callbacks from anybody.",
                advice="Give it username and password, or a token; or allow_unauthenticated=True.",
            )
        self._salt = os.urandom(16)
        self._basic = None if username is None else self._digest(f"{username}:{password}".encode())
        self._token = None if token is None else self._digest(token.encode())
        self._networks = tuple(
            _network(one) for one in ([networks] if isinstance(networks, str) else networks)
        )

    def __repr__(self) -> str:
        parts = [("basic", self._basic), ("token", self._token), ("networks", self._networks)]
        return f"<Authentication by {', '.join(name for name, value in parts if value) or 'nothing'}>"

    def admits(self, *, authorization: str | None = None, query: str = "", peer: str | None = None) -> bool:
        """Return whether a request may post.

        Args:
            authorization: its `Authorization` header.
            query: its URL's query string, as it came.
            peer: the address of the connection's other end.

        Returns:
            True when everything configured is right. It takes as long whichever part is wrong.
        """
        fine = True
        if self._basic is not None:
            fine &= self._is_any(_credentials(authorization), self._basic)
        if self._token is not None:
            fine &= self._is_any(_tokens(query), self._token)
        if self._networks:
            fine &= self._is_near(peer)
        return fine

    def _digest(self, secret: bytes) -> bytes:
        # Digests are of one length, so that comparing them tells nothing of the secret's.
        return hashlib.blake2b(secret, key=self._salt, digest_size=32).digest()

    def _is_any(self, given: list[bytes], expected: bytes) -> bool:
        # All of them, and one where there is none: it takes as long whatever is given.
        equal = [hmac.compare_digest(self._digest(one), expected) for one in given or [b""]]
        return any(equal)

    def _is_near(self, peer: str | None) -> bool:
        try:
            address = ipaddress.ip_address((peer or "").partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _network(written: str) -> Network:
    try:
        return ipaddress.ip_network(str(written).strip(), strict=False)
    except ValueError:
        raise ConfigurationError(
            f"{str(written)[:50]!r} is no address and no network.", advice='Write it as "192.0.2.0/24".'
        ) from None


def _credentials(authorization: str | None) -> list[bytes]:
    """Return the credentials of a Basic header, in the encodings that callers use for letters outside ASCII."""
    scheme, _, encoded = (authorization or "")[:_LONGEST].strip().partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return []
    return [given, given.decode("latin-1").encode()]


def _tokens(query: str) -> list[bytes]:
    """Return the token of a query; none when it comes more than once, as from somebody who tries."""
    try:
        pairs = parse_qsl(query[:_LONGEST], keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return []
    given = [value.encode("utf-8", "replace") for name, value in pairs if name == _TOKEN]
    return given if len(given) == 1 else []
