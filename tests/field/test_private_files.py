"""Files with phones or certificates, stores, and the addresses of stores (issue "field", 24, 33 and 36)."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mensatek_async import AsyncMensatek, Campaigns, InvalidFile, InvalidRequest, StoreError
from mensatek_async._core.private_file import PrivateFile
from mensatek_async.campaigns.export import COLUMNS, export
from mensatek_async.campaigns.journal import lifecycle as journal
from mensatek_async.campaigns.journal.records import CampaignRow, Settings, by_name
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.cli.app import run as main
from mensatek_async.store.sqlite import SqliteDatabase
from tests.scripted import chain

resource = pytest.importorskip("resource")  # where there are POSIX permissions and pipes

PDF = b"%PDF-1.7\n" + b"x" * 3000 + b"\n%%EOF\n"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """A store with the campaign "a", of 2,000 rows."""
    found = SqliteDatabase(tmp_path / "c.db", CAMPAIGNS)
    found.write(lambda tx: journal.create(tx, "a", "user", "{}", Settings(), "digest"))
    rows = [(1, number, "the phone is empty") for number in range(2000)]
    found.write(lambda tx: tx.many("INSERT INTO mensatek_invalid VALUES (?, ?, ?)", rows))
    yield found
    found.close()


def row_of(db: SqliteDatabase) -> CampaignRow:
    """The campaign."""
    found = db.read(lambda tx: by_name(tx, "a"))
    assert found is not None
    return found


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that is full at this size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def beside(place: Path) -> list[str]:
    """What lies in its folder, but for the store."""
    return sorted(one.name for one in place.parent.iterdir() if not one.name.startswith("c.db"))


# --- 24: an export overwrites nothing but exports, and is whole or not there ------------------------------------


@pytest.mark.parametrize(
    "content", ["movil;nombre\n600000001;Ana\n", "row,phone\n", '{"row": 1}\n', "\0\1", "row,phone,status"]
)
@pytest.mark.parametrize("name", ["clientes.csv", "clientes.jsonl", "clientes"])
def test_what_is_no_export_is_overwritten_by_force_alone(
    db: SqliteDatabase, tmp_path: Path, name: str, content: str
) -> None:
    """In the library and the command; exit code 2 says that nothing was written. An empty file may be filled."""
    db.close()
    place = tmp_path / name
    place.write_text(content)
    order = ["campaign", "export", "a", str(place), "--store", str(tmp_path / "c.db")]

    with pytest.raises(InvalidRequest, match="no export"):
        export(db, row_of(db), place)
    assert main(order) == 2
    assert place.read_text() == content

    assert main([*order, "--force"]) == 0
    assert main(order) == 0  # an export of its own by now
    place.write_text("")  # as `mktemp` makes one
    assert export(db, row_of(db), place) == 2000


@pytest.mark.parametrize("before", [None, ",".join(COLUMNS) + "\nan earlier one"])
def test_a_full_disk_leaves_no_half_export(db: SqliteDatabase, tmp_path: Path, before: str | None) -> None:
    """The command ends with an error; what was there stays, and no part of the new one is left."""
    place = tmp_path / "out.csv"
    if before is not None:
        place.write_text(before)
    db.close()
    with files_of_at_most(50_000):
        assert main(["campaign", "export", "a", str(place), "--store", str(tmp_path / "c.db")]) == 2
    assert beside(place) == (["out.csv"] if before else [])
    assert before is None or place.read_text() == before
    assert main(["campaign", "export", "a", "/dev/full", "--store", str(tmp_path / "c.db")]) == 2


# --- 36: nobody else's names, nobody else's eyes -----------------------------------------------------------------


def write(place: Path) -> None:
    """What exports, reports and downloads share."""
    with PrivateFile(place) as file:
        file.write(b"secret")


def test_a_private_file_follows_no_link_and_is_its_owners(tmp_path: Path) -> None:
    """Links under its name, or under the name that earlier versions wrote to, lead nowhere."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    place = tmp_path / "out.csv"
    for name in ("out.csv", "out.csv.part", ".out.csv.part"):
        (tmp_path / name).symlink_to(victim)
    os.umask(before := os.umask(0))

    write(place)

    assert before is not None
    assert (victim.read_text(), place.read_bytes(), place.is_symlink()) == ("untouched", b"secret", False)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_two_at_once_both_end(db: SqliteDatabase, tmp_path: Path) -> None:
    """Each writes a file of its own; the last one stays."""
    place, counts = tmp_path / "out.csv", list[int]()
    row = row_of(db)
    threads = [threading.Thread(target=lambda: counts.append(export(db, row, place))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert counts == [2000] * 4
    assert beside(place) == ["out.csv"]


def test_parts_of_the_dead_are_cleared_and_those_of_the_living_stay(tmp_path: Path) -> None:
    """Whoever was killed holds their file no more."""
    code = (
        "import os, sys, pathlib, mensatek_async._core.private_file as p\n"
        f"f = p.PrivateFile(pathlib.Path({str(tmp_path / 'other.pdf')!r})); f.file.write(b'x'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list(tmp_path.glob(".other.pdf.*.part"))) == 1

    with PrivateFile(tmp_path / "living.pdf") as living:
        living.write(b"x")
        (tmp_path / ".mine.part").touch()
        write(tmp_path / "new.pdf")
        assert len(list(tmp_path.glob(".living.pdf.*.part"))) == 1

    assert beside(tmp_path / "x") == [".mine.part", "living.pdf", "new.pdf"]


def certificates() -> AsyncMensatek:
    """A client whose provider has one."""
    answer = httpx.Response(200, content=PDF, headers={"content-type": "application/pdf"})
    transport = httpx.MockTransport(lambda request: answer)
    return AsyncMensatek("user", "token", base_url="http://127.0.0.1", transport=transport)


async def download(place: Path) -> None:
    """Download a certificate."""
    async with certificates() as client:
        await client.certified.download(place, message_id=12)


def exporting(db: SqliteDatabase) -> Callable[[Path], object]:
    """Export the campaign."""
    return lambda place: export(db, row_of(db), place)


@pytest.mark.parametrize("what", ["download", "export"])
async def test_a_pipe_is_written_into(db: SqliteDatabase, tmp_path: Path, what: str) -> None:
    """And is still one after it."""
    place, taken = tmp_path / "pipe", list[bytes]()
    os.mkfifo(place)
    reader = threading.Thread(target=lambda: taken.append(place.read_bytes()))
    reader.start()
    if what == "download":
        await download(place)
    else:
        exporting(db)(place)
    reader.join()
    assert taken[0] == PDF if what == "download" else taken[0].count(b"\n") == 2001
    assert stat.S_ISFIFO(place.stat().st_mode)


async def test_devices_and_pipes_are_never_replaced(
    db: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A null device takes everything; what nobody reads from, and what is no place for bytes, is refused."""
    monkeypatch.setattr("mensatek_async._core.private_file._PATIENCE", 0.1)
    pipe, sink = tmp_path / "pipe", tmp_path / "sink"
    os.mkfifo(pipe)
    sink.symlink_to("/dev/null")
    await download(sink)
    exporting(db)(Path("/dev/null"))
    with pytest.raises(InvalidFile, match="nobody reads"):
        await download(pipe)
    with pytest.raises(InvalidRequest, match="nobody reads"):
        exporting(db)(pipe)
    assert (stat.S_ISFIFO(pipe.stat().st_mode), sink.is_symlink()) == (True, True)
    assert beside(pipe) == ["pipe", "sink"]


def test_the_commands_own_output(db: SqliteDatabase, tmp_path: Path) -> None:
    """`export NAME /dev/stdout` goes to where the output goes, file or pipe."""
    db.close()
    code = "from mensatek_async.cli import main; raise SystemExit(main())"
    order = [sys.executable, "-c", code, "campaign", "export", "a", "/dev/stdout", "--json"]
    done = subprocess.run([*order, "--store", str(tmp_path / "c.db")], stdout=subprocess.PIPE, check=True)
    assert done.stdout.count(b"\n") == 2002
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([*order, "--store", str(tmp_path / "c.db")], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == done.stdout
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o666, 0o604])
def test_a_store_that_others_can_read_is_tightened(tmp_path: Path, mode: int) -> None:
    """Before anything is written into it, with the files beside it; looking at it changes nothing."""
    files = [tmp_path / f"c.db{end}" for end in ("", ".lock")]
    first = SqliteDatabase(files[0], CAMPAIGNS)
    first.write(lambda tx: None)
    first.close()
    for file in files:
        file.chmod(mode)
    again = SqliteDatabase(files[0], CAMPAIGNS)
    again.read(lambda tx: None)
    assert stat.S_IMODE(files[0].stat().st_mode) == mode
    again.write(lambda tx: None)
    again.close()
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]


def test_a_store_of_somebody_else_that_others_can_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be tightened, so nothing is written into it."""

    def not_yours(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "c.db").touch(0o644)
    (tmp_path / "c.db").chmod(0o644)
    monkeypatch.setattr(Path, "chmod", not_yours)
    with pytest.raises(StoreError, match="read by others"):
        SqliteDatabase(tmp_path / "c.db", CAMPAIGNS).write(lambda tx: None)


# --- 33: the address of a store ----------------------------------------------------------------------------------

SECRETS = [
    "%zz",
    "a@b",
    "a b",
    "a/b",
    "[a",
    "a]b",
    "a?b",
    "a#b",
    "a:b",
    "%",
    "100%25",
    "a@b/c?d=e",
    "ñ€",
    "'\"\\",
]


def served(database: str, login: str) -> str:
    """The same database with another login."""
    return database.replace("postgres@", f"{login}@")


@pytest.mark.parametrize("secret", SECRETS)
async def test_any_password_of_a_database_works_and_is_not_told(database: str, secret: str) -> None:
    """The server here asks for none, so it connects; where it cannot, no error shows it anywhere."""
    async with AsyncMensatek("user", "token", base_url="http://127.0.0.1") as client:
        async with Campaigns(client, served(database, f"postgres:{secret}x7y")) as campaigns:
            assert await campaigns.list() == []
            assert "x7y" not in repr(campaigns)
        right = served(database, f"postgres:{secret}x7y")
        nobody, nowhere = served(database, f"nobody:{secret}x7y"), re.sub(r":\d+/", ":1/", right)
        for wrong in (nobody, nowhere, f"{right}_none", f"{right}?sslmode=wrong"):
            with pytest.raises(StoreError) as raised:
                await Campaigns(client, wrong).work()
            told = chain(raised.value)
            assert not re.search(r"x7y|FATAL|connection to server|libpq|sslmode", told), told


async def test_what_is_no_address_is_refused_without_repeating_it() -> None:
    """Before anything is opened, and no folder of that name is looked for."""
    postgres = ("[bad/d", "h:port/d", "h/d?sslmod=require", "\0@h/d", "\ud83d@h/d")
    others = (
        "postgresql:/u:x7y@h/d",
        "postgresql+psycopg://u:x7y@h/d",
        "mysql://u:x7y@h/d",
        "host=h password=x7y",
    )
    async with AsyncMensatek("user", "token", base_url="http://127.0.0.1") as client:
        for address in (*(f"postgresql://u:x7y@{rest}" for rest in postgres), *others):
            with pytest.raises(InvalidRequest) as raised:
                Campaigns(client, address)
            assert "x7y" not in str(raised.value)
            assert "postgresql://" in str(raised.value)
