"""Where a store lies: a file that is on no network and for its owner alone, or the address of a PostgreSQL database."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from attrs import field, frozen

from ..errors import InvalidRequest, StoreError
from ..text.segments import is_writable

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|ncpfs|9p|ceph|glusterfs|lustre|gpfs|beegfs|ocfs2|davfs|drvfs|"
    r"fuse\.(sshfs|s3fs|rclone|gcsfuse|glusterfs|davfs|cephfs).*"
)
MOUNTS = Path("/proc/self/mountinfo")

_HOSTS = r"(?:[\w.%-]*|\[[0-9a-fA-F:.]+\])(?::\d*)?"
_ADDRESS = re.compile(rf"({_HOSTS}(?:,{_HOSTS})*)(?:/([^\s/?#@]*))?(?:\?(.*))?", re.DOTALL)


@frozen
class PostgresAddress:
    """The address of a PostgreSQL database, taken apart once.

    Attributes:
        parameters: what the driver connects with, the password among it.
        shown: how messages call it: its hosts and database, without user, password and parameters.
    """

    parameters: Mapping[str, str] = field(repr=False)
    shown: str


def postgres_address(url: str) -> PostgresAddress:
    """Read an address whose password may hold anything, `@`, `/`, `%` and spaces among it.

    Raises:
        InvalidRequest: it cannot be read; nothing of it is repeated, since a password may stand anywhere.
    """
    rest = url.partition("://")[2]
    for end in [-1, *(at for at, letter in enumerate(rest) if letter == "@")]:
        if address := _read(rest[: max(end, 0)], rest[end + 1 :]):
            return address
    raise InvalidRequest(
        "store is no PostgreSQL address that can be read.",
        advice='It is "postgresql://user@host:5432/database". Leave the password to PGPASSWORD or ~/.pgpass.',
    )


def _read(login: str, place: str) -> PostgresAddress | None:
    """Return the address, where its login ends at this @; None where it cannot."""
    parts = _ADDRESS.fullmatch(place)
    if parts is None:
        return None
    pairs = [one.partition("=") for one in parts[3].split("&")] if parts[3] else []
    if not _parameters().issuperset(name for name, _, _ in pairs):
        return None
    user, _, password = login.partition(":")
    hosts = [re.fullmatch(r"(\[.*\]|[^:]*)(?::(\d*))?", one) for one in parts[1].split(",")]
    names = [one[1].strip("[]") for one in hosts if one]
    ports = [one[2] or "" for one in hosts if one]
    given = {
        "user": user,
        "password": password,
        "dbname": parts[2] or "",
        "host": ",".join(names),
        "port": ",".join(ports) if any(ports) else "",
    }
    given.update((name, value) for name, _, value in pairs)
    parameters = {name: _decoded(value) for name, value in given.items() if value}
    if not all(is_writable(value) for value in parameters.values()):
        return None
    return PostgresAddress(parameters, f"postgresql://{','.join(names)}/{parts[2] or ''}")


@cache
def _parameters() -> frozenset[str]:
    """Return what libpq takes behind the question mark; whatever else stands there belongs to a password."""
    from psycopg.pq import Conninfo

    return frozenset(one.keyword.decode() for one in Conninfo.get_defaults())


def _decoded(text: str) -> str:
    """Decode percent signs; those that stand for nothing stay."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text


def tighten(files: Iterable[Path], shown: str) -> None:
    """Let nobody but their owner read files that hold phones and texts.

    Raises:
        StoreError: others can read one that is somebody else's.
    """
    for file in files:
        try:
            mode = file.stat().st_mode
            if os.name == "posix" and mode & 0o077:
                file.chmod(mode & 0o700)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StoreError(
                f"The store {shown} can be read by others, and it is not yours to change that.",
                advice=f"It holds phones and texts: let its owner run chmod 600 {file.name}.",
            ) from error


def check_place(path: Path) -> None:
    """Refuse what SQLite cannot keep safely.

    Raises:
        StoreError: a network's file system, or a folder that is not there or cannot be written.
    """
    folder = path.parent
    if not folder.is_dir():
        raise StoreError(f"There is no folder {str(folder)!r} for the store.", advice="Create it first.")
    if path.is_dir():
        raise StoreError(f"The store {str(path)!r} is a folder.", advice="Name a file in it.")
    kind = file_system(folder)
    if _NETWORK.fullmatch(kind):
        raise StoreError(
            f"The store {str(path)!r} lies on a network's file system ({kind}), whose locks SQLite cannot "
            "trust: two machines could text the same people.",
            advice="Put it on a local disk, or use PostgreSQL for several machines.",
        )
    for one in (path, folder):
        if one.exists() and not os.access(one, os.W_OK):
            raise StoreError(
                f"The store {str(path)!r} cannot be written: {str(one)!r} is read-only.",
                advice="Every request is written down before it leaves, so nothing can be sent from here.",
            )


def file_system(folder: Path) -> str:
    """Return the kind of file system a folder lies on; "" where the system does not say."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    place = os.path.realpath(folder)
    longest, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), left.split(" ")[4])
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:  # a later mount lies over an earlier one
            longest, kind = len(point), right.split(" ")[0]
    return kind
