"""The pytest plugin in runs of its own: how it is loaded, what the guard stops, and what a run with it looks like."""

from __future__ import annotations

import importlib.util
import socket
import ssl
import subprocess
import sys
from typing import Any

import pytest

from mensatek_async.testing.guard import RealAPIGuard, RealAPIReached

pytest_plugins = ["pytester"]

HELD_OFF = "The real Mensatek API was reached for, and held off: "
FIXTURES = """
import pytest
from mensatek_async import AsyncMensatek, Mensatek
from mensatek_async.testing import SentMessages


def test_plain(sent_messages: SentMessages):
    with Mensatek(sender="X") as client:
        client.sms.send("600000001", "Hola")
    assert sent_messages.texts == ["Hola"]


@pytest.mark.anyio
async def test_coroutine(sent_messages):
    async with AsyncMensatek(sender="X") as client:
        await client.sms.send("600000001", "Hola")
    assert sent_messages.texts == ["Hola"]
"""
REACHING = """
import asyncio, contextlib, socket, ssl, urllib.request
import pytest
from mensatek_async import AsyncMensatek, Mensatek

HOST = "api.mensatek.com"


def test_lookup():
    socket.getaddrinfo(HOST, 443)


def use_socket():
    with socket.socket() as stream:
        stream.connect((HOST, 443))


def use_client():
    with Mensatek("user", "token") as client:
        client.credits()


WAYS = [
    lambda: socket.gethostbyname("WWW.Mensatek.com."),
    lambda: socket.create_connection((HOST, 443)),
    lambda: ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST),
    lambda: urllib.request.urlopen("https://api.mensatek.com/v7/GetCreditos", b""),
    lambda: asyncio.run(asyncio.open_connection(HOST, 443, ssl=True)),
    use_socket,
    use_client,
]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_swallowed(way):
    with contextlib.suppress(BaseException):
        WAYS[way]()


@pytest.mark.anyio
async def test_client():
    async with AsyncMensatek("user", "token") as client:
        await client.credits()


@pytest.mark.xfail(reason="found by the guard", strict=True)
def test_failing_anyway():
    with contextlib.suppress(BaseException):
        socket.getaddrinfo(HOST, 443)
    assert not "this"
"""
ALLOWED = """
import socket
import pytest

NUMBERS = socket.AI_NUMERICHOST  # what is no number fails without anybody being asked


@pytest.fixture
def looked_up():
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("api.mensatek.com", 443, flags=NUMBERS)


@pytest.mark.mensatek_real_api
def test_marked(looked_up):
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("api.mensatek.com", 443, flags=NUMBERS)


def test_others():
    for host in ("mensatek.com.example.invalid", "notmensatek.com", b"localhost", None):
        try:
            socket.getaddrinfo(host, 443, flags=NUMBERS)
        except socket.gaierror:
            pass
"""


LOOKUP = """
import contextlib, socket
with contextlib.suppress(BaseException):
    socket.getaddrinfo("api.mensatek.com", 443)
"""
PHASES = """
import contextlib, socket
import pytest

def look_up():
    with contextlib.suppress(BaseException):
        socket.getaddrinfo("api.mensatek.com", 443)

@pytest.fixture
def before():
    look_up()

@pytest.fixture
def after():
    yield
    look_up()

def test_before(before): ...
def test_after(after): ...
def test_none(): ...
"""


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """Run what was made, all warnings being errors, without the other plugins that may be installed here."""
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "error", *args)


def test_the_fixtures_work_without_being_imported(pytester: pytest.Pytester) -> None:
    """An installed package is all it takes, for plain tests, asyncio and trio; its markers are known. The one that lets
    a test through holds for its fixtures too; names that only look alike are nobody's business."""
    pytester.makepyfile(test_fixtures=FIXTURES, test_allowed=ALLOWED)

    run(pytester, "--strict-markers").assert_outcomes(passed=5)


def test_whatever_reaches_for_the_real_api_fails(pytester: pytest.Pytester) -> None:
    """By every way to get there, on both backends, also when the exception is handled; while a test is set up, cleared
    up, or collected too."""
    pytester.makepyfile(
        test_reaching=REACHING, test_phases=PHASES, test_import=f"{LOOKUP}\ndef test_one(): ...\n"
    )

    result = run(pytester, "-rA", "--continue-on-collection-errors")

    result.assert_outcomes(failed=10, xfailed=1, passed=2, errors=3)
    result.stdout.fnmatch_lines([f"While collecting: {HELD_OFF}*"])
    told = [line for line in result.outlines if line.startswith(HELD_OFF)]
    assert len(told) == 12
    assert all("mensatek_sandbox" in line and "mensatek_real_api" in line for line in told)
    # Where it came from, wherever the program's own code is in the thread that did it.
    assert sum("test_reaching.py:" in line for line in told) >= 6
    assert not [line for line in result.outlines if "never retrieved" in line]


MISSING = {
    "await": (
        """
        import pytest
        from mensatek_async import testing

        @pytest.mark.anyio
        async def test_one(post_callback):
            post_callback(testing.delivery_report(), to=print)
        """,
        {"passed": 2, "errors": 2},
        "*1 callbacks were not handed over*await deliver*",
    ),
    "packages": (
        "def test_other(): ...\ndef test_sandbox(mensatek_sandbox): ...",
        {"passed": 1, "errors": 1},
        "*pip install 'mensatek-async?sandbox?'*",
    ),
    "webhook": (
        """
        from mensatek_async import testing

        def test_one(post_callback):
            post_callback(testing.delivery_report())
        """,
        {"failed": 1},
        "*LookupError: *to=*mensatek_webhook*",
    ),
}


@pytest.mark.parametrize("missing", MISSING)
def test_what_is_missing_is_said(pytester: pytest.Pytester, missing: str) -> None:
    """An await, without which nothing is delivered; the sandbox's packages, for its fixture alone; a webhook."""
    program, outcomes, line = MISSING[missing]
    if missing == "packages":
        pytester.makeconftest("import sys\nsys.modules['starlette'] = sys.modules['uvicorn'] = None")
    pytester.makepyfile(program)

    result = run(pytester)

    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines([line])


def test_workers_of_xdist_have_all_of_it(pytester: pytest.Pytester) -> None:
    """Fixtures and guard are in every process."""
    if importlib.util.find_spec("xdist") is None:
        pytest.skip("runs in the session tests_plugin")
    pytester.makepyfile(test_fixtures=FIXTURES, test_reaching=REACHING)

    run(pytester, "-n", "2").assert_outcomes(passed=3, failed=10, xfailed=1)


def test_users_of_pytest_asyncio_have_all_of_it(pytester: pytest.Pytester) -> None:
    """With its own marks and loops, in strict mode."""
    if importlib.util.find_spec("pytest_asyncio") is None:
        pytest.skip("runs in the session tests_plugin")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(
        FIXTURES.replace("mark.anyio", "mark.asyncio")
        + """

from mensatek_async import testing

@pytest.mark.asyncio
async def test_callback(post_callback):
    events = []
    async def handle(event):
        events.append(event)
    await post_callback(testing.delivery_report(), to=handle)
    assert len(events) == 1


@pytest.mark.asyncio
async def test_reaching():
    async with AsyncMensatek("user", "token") as client:
        await client.credits()
"""
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error")

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines([f"{HELD_OFF}*"])


PROGRAMS = {
    "httpx": "httpx.get('https://api.mensatek.com')",
    "requests": "requests.get('https://api.mensatek.com')",
    "aiohttp": "asyncio.run(reach())",
    "uvloop": "uvloop.run(asyncio.open_connection('api.mensatek.com', 443, ssl=True))",
}


@pytest.mark.parametrize("library", PROGRAMS)
def test_libraries_that_talk_http_are_held_off(pytester: pytest.Pytester, library: str) -> None:
    """Each by the way it takes; aiohttp where aiodns is installed, and uvloop, past the lookups of Python."""
    if importlib.util.find_spec(library) is None:
        pytest.skip("runs in the session tests_plugin")
    pytester.makepyfile(
        f"""
        import asyncio, contextlib
        import {library}

        async def reach():
            async with {library}.ClientSession() as session:
                await session.get('https://api.mensatek.com')

        def test_one():
            with contextlib.suppress(BaseException):
                {PROGRAMS[library]}
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{HELD_OFF}*"])


def test_an_uninstalled_guard_leaves_nothing_behind() -> None:
    """Sockets and TLS are as they were, and nothing is checked any more."""

    def replaced() -> list[Any]:
        return [getattr(socket.socket, name) for name in ("connect", "connect_ex")] + [
            getattr(ssl.SSLContext, name) for name in ("wrap_bio", "wrap_socket")
        ]

    before, guard = replaced(), RealAPIGuard()
    try:
        for _ in range(2):
            guard.install()
        with pytest.raises(RealAPIReached):
            guard.check(b"API.mensatek.com.")
        assert not any(now is then for now, then in zip(replaced(), before, strict=True))
    finally:
        guard.uninstall()

    assert replaced() == before
    assert guard.taken()[0].startswith("API.mensatek.com.")
    assert guard.taken() == []


LIGHT = """
import sys
import pytest
before = set(sys.modules)
import mensatek_async.testing.plugin
heavy = {"httpx", "attr", "cattrs", "anyio", "starlette", "uvicorn", "ssl", "asyncio"} & (set(sys.modules) - before)
assert not heavy, heavy
"""
WITHOUT_PYTEST = """
import sys
sys.modules["pytest"] = sys.modules["_pytest"] = None
sys.modules["starlette"] = sys.modules["uvicorn"] = None
from mensatek_async import testing
from mensatek_async.webhooks import parse
assert parse(*testing.delivery_report(status=50)).status.is_failed
assert all(getattr(testing, name) for name in testing.__all__)
assert set(testing.__all__) <= set(dir(testing))
assert not hasattr(testing, "nothing")
"""


@pytest.mark.parametrize("program", [LIGHT, WITHOUT_PYTEST], ids=["light", "without pytest"])
def test_the_package_costs_others_nothing(program: str) -> None:
    """Loading the plugin imports nothing heavy; all names are there without pytest and without the sandbox."""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
