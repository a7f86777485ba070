"""Where a SQLite store may lie: not on a network, and where it can be written."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import StoreError

_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|afs|ncpfs|9p|ceph|glusterfs|lustre|gpfs|beegfs|ocfs2|davfs|drvfs|"
    r"fuse\.(sshfs|s3fs|rclone|gcsfuse|glusterfs|davfs|cephfs).*"
)
MOUNTS = Path("/proc/self/mountinfo")


def check_place(path: Path) -> None:
    """Refuse what SQLite cannot keep safely.

    Raises:
        StoreError: a network's file system, or a folder that is not there or cannot be written.
    """
    folder = path.parent
    if not folder.is_dir():
        raise StoreError(
            f"There is no folder {str(folder)!r} for the campaign store.", advice="Create it first."
        )
    if path.is_dir():
        raise StoreError(f"The campaign store {str(path)!r} is a folder.", advice="Name a file in it.")
    kind = file_system(folder)
    if _NETWORK.fullmatch(kind):
        raise StoreError(
            f"The campaign store {str(path)!r} lies on a network's file system ({kind}), whose locks SQLite cannot "
            "trust: two machines could text the same people.",
            advice="Put it on a local disk, or use PostgreSQL for several machines.",
        )
    for one in (path, folder):
        if one.exists() and not os.access(one, os.W_OK):
            raise StoreError(
                f"The campaign store {str(path)!r} cannot be written: {str(one)!r} is read-only.",
                advice="Every request is written down before it leaves, so nothing can be sent from here.",
            )


def file_system(folder: Path) -> str:
    """The kind of file system a folder lies on; "" where the system does not say."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    place = os.path.realpath(folder)
    found, kind = -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), left.split(" ")[4])
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= found:  # a later mount lies over an earlier one
            found, kind = len(point), right.split(" ")[0]
    return kind
