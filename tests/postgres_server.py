"""A PostgreSQL server of one's own, on a free port of loopback, for tests and benchmarks."""

from __future__ import annotations

import getpass
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# A crash of the server loses nothing with these; only a crash of the whole machine would, which no test can cause.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on", "shared_buffers": "32MB"}
_PLAIN = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "jit": "off",
    "autovacuum_naptime": "5s",
}
_STOPS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class PostgresMissing(Exception):
    """There is no PostgreSQL here, or nobody who may run it."""


def _programs() -> Path:
    """The folder of `initdb` and `postgres`: Debian keeps them off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: -float(one.parent.name))
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresMissing("PostgreSQL is not installed (Debian: apt-get install postgresql)")


def _owner() -> str:
    """Who runs the server: it refuses to run as root."""
    import pwd

    if os.geteuid() != 0:
        return getpass.getuser()
    known = {one.pw_name for one in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return name
    raise PostgresMissing("root cannot run PostgreSQL, and there is no user `postgres` or `nobody`")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class PostgresServer:
    """A server of its own, with its own data, which ends with `stop`.

    Args:
        settings: server settings besides those that keep it small; `QUICK` unless durability is the subject.
    """

    def __init__(self, **settings: str) -> None:
        if sys.platform == "win32":
            raise PostgresMissing("the tests' PostgreSQL is started as on Linux and macOS only")
        self._programs = _programs()
        self._owner = _owner()
        self._settings = {**_PLAIN, **(settings or QUICK)}
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="mensatek-postgres-"))
        try:
            if os.geteuid() == 0:
                shutil.chown(self.folder, self._owner)
            self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _as_owner(self) -> dict[str, Any]:
        import pwd

        group = pwd.getpwnam(self._owner).pw_gid
        return {"user": self._owner, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **self._as_owner(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout.decode(errors='replace')[-2000:]}")

    def start(self) -> None:
        """Start, or start again with the same data on the same port; returns when it takes connections."""
        assert self._process is None, "it is running"
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port)]
        command += [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        if launcher := shutil.which("setpriv"):
            # Should these tests be killed, the server goes with them.
            command = [launcher, "--pdeathsig", "INT", *command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._as_owner(),
            )
        self._await_readiness(60)

    def _await_readiness(self, seconds: float) -> None:
        import psycopg

        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    told = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL did not start: {told}") from error
                time.sleep(0.02)

    def stop(self, how: str = "fast") -> None:
        """Stop: "fast" ends sessions in order, "immediate" as a crash of the server does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(_STOPS[how])
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self, how: str = "fast", *, away: float = 0.0) -> None:
        """Stop and start again, `away` seconds later."""
        self.stop(how)
        time.sleep(away)
        self.start()

    def close(self) -> None:
        """Stop, and remove the data."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """Make an empty database; returns its address."""
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def execute(self, query: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator; returns the rows it gives, if any."""
        return execute(query, url or self.url())


def execute(query: str, url: str) -> list[tuple[Any, ...]]:
    """Run one statement; returns the rows it gives, if any."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []
