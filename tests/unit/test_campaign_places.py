"""Where a SQLite store may lie: what would lose or double texts is refused before it can."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mensatek_async import StoreError
from mensatek_async.store import location as places
from mensatek_async.store.location import check_place, file_system

LINE = "36 35 98:0 / {point} rw,noatime shared:1 - {kind} /dev/x rw\n"


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system would say of its mounts."""
    path = tmp_path / "mountinfo"
    monkeypatch.setattr(places, "MOUNTS", path)
    return path


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.s3fs", "drvfs", "gpfs"]
)
def test_networks_are_refused(mounts: Path, tmp_path: Path, kind: str) -> None:
    """By name, with what to do instead."""
    mounts.write_text(LINE.format(point="/", kind="ext4") + LINE.format(point=tmp_path, kind=kind))

    with pytest.raises(StoreError, match=f"network.*{kind}") as raised:
        check_place(tmp_path / "c.db")
    assert "PostgreSQL" in raised.value.advice


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "fuse.lxcfs"])
def test_local_disks_are_taken(mounts: Path, tmp_path: Path, kind: str) -> None:
    """And whatever looks like one."""
    mounts.write_text(LINE.format(point="/", kind=kind))

    check_place(tmp_path / "c.db")
    assert not (tmp_path / "c.db").exists()


def test_the_nearest_and_newest_mount_counts(mounts: Path, tmp_path: Path) -> None:
    """A disk inside a network, a mount over another, and a folder whose name only begins the same."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "inner-too").mkdir()
    mounts.write_text(
        LINE.format(point="/", kind="nfs4")
        + LINE.format(point=inner, kind="cifs")
        + LINE.format(point=inner, kind="ext4")
    )

    assert file_system(inner) == "ext4"
    assert file_system(tmp_path / "inner-too") == "nfs4"


def test_mounts_with_spaces(mounts: Path, tmp_path: Path) -> None:
    """The system writes them in octal."""
    folder = tmp_path / "mis datos"
    folder.mkdir()
    mounts.write_text(
        LINE.format(point="/", kind="ext4") + LINE.format(point=str(folder).replace(" ", "\\040"), kind="nfs")
    )

    assert file_system(folder) == "nfs"


def test_a_system_that_does_not_say(mounts: Path, tmp_path: Path) -> None:
    """Windows and macOS: nobody is kept from working."""
    assert file_system(tmp_path) == ""
    check_place(tmp_path / "c.db")


def test_links_are_followed(mounts: Path, tmp_path: Path) -> None:
    """A link to a network is a network."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    mounts.write_text(LINE.format(point="/", kind="ext4") + LINE.format(point=real, kind="nfs"))

    with pytest.raises(StoreError, match="network"):
        check_place(link / "c.db")


def test_a_folder_that_is_not_there_and_a_store_that_is_one(tmp_path: Path) -> None:
    """Said before SQLite says "unable to open database file"."""
    with pytest.raises(StoreError, match="no folder"):
        check_place(tmp_path / "nowhere" / "c.db")
    with pytest.raises(StoreError, match="is a folder"):
        check_place(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes anywhere")
def test_read_only_places(tmp_path: Path) -> None:
    """Nothing can be sent that cannot be written down."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="read-only"):
            check_place(tmp_path / "c.db")
    finally:
        tmp_path.chmod(0o700)
