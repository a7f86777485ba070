"""The pytest plugin: fixtures around a sandbox, and the guard that keeps tests away from the real API."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .guard import RealAPIGuard, RealAPIReached, explained, forget_accounts

if TYPE_CHECKING:
    from _pytest.outcomes import Failed

    from ..sandbox import Sandbox
    from .messages import SentMessages
    from .tools import CallbackSender, Deliver, Events, PostCallback, Reply
else:
    Failed = pytest.fail.Exception

_GUARD = pytest.StashKey[RealAPIGuard]()
_MARKERS = (
    "mensatek_real_api: lets a test reach the real Mensatek API, which sends real texts and costs real credits",
    "mensatek_sandbox(**options): gives a test the fixture mensatek_sandbox, with options such as credits=5",
)


class _Reached(Failed, RealAPIReached):
    """Ends a test as `pytest.fail` does: runners of coroutines know that, and go on with the next test."""


def _guard(config: pytest.Config) -> RealAPIGuard:
    if _GUARD not in config.stash:
        config.stash[_GUARD] = RealAPIGuard(_Reached)
    return config.stash[_GUARD]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Guard from the first conftest on."""
    _guard(early_config).install()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Guard, whichever way the plugin was loaded, and make the markers known."""
    _guard(config).install()
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave everything as it was."""
    _guard(config).uninstall()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Fail a module that reaches for the real API while it is imported."""
    report = yield
    attempts = _guard(collector.config).taken()
    if attempts:
        report.outcome, report.longrepr = "failed", f"While collecting: {explained(attempts)}"
    return report


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test that names options of its sandbox the sandbox, though it does not ask for it by name."""
    names = getattr(item, "fixturenames", None)
    marked = item.get_closest_marker("mensatek_sandbox") is not None
    if marked and names is not None and "mensatek_sandbox" not in names:
        names.append("mensatek_sandbox")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a phase of a test that reached for the real API, whatever became of the exception."""
    guard = _guard(item.config)
    guard.watch()
    guard.allows = item.get_closest_marker("mensatek_real_api") is not None
    try:
        return (yield)
    finally:
        guard.allows = False
        attempts = guard.taken()
        if attempts:
            # Whatever else the test failed of came of this.
            raise pytest.fail.Exception(explained(attempts), pytrace=False) from None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let the test begin afresh."""
    forget_accounts()
    return (yield from pytest_runtest_call(item))


pytest_runtest_teardown = pytest_runtest_call


@pytest.fixture
def mensatek_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A fresh sandbox, which clients made without arguments reach: it is in the environment of the test.

    Its options come from `@pytest.mark.mensatek_sandbox(...)`: those of a test win over those of its class and module.
    """
    try:
        from ..sandbox import Sandbox
    except ImportError as missing:
        pytest.fail(str(missing), pytrace=False)
    options: dict[str, Any] = {}
    for mark in request.node.iter_markers("mensatek_sandbox"):
        options = {**mark.kwargs, **options}
    with Sandbox(**options) as sandbox:
        monkeypatch.setenv("MENSATEK_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("MENSATEK_API_USER", sandbox.user)
        monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
        monkeypatch.delenv("MENSATEK_GUARD_STORE", raising=False)
        yield sandbox


@pytest.fixture
def sent_messages(mensatek_sandbox: Sandbox) -> SentMessages:
    """Every text that was sent to the sandbox, always up to date."""
    from .messages import SentMessages

    return SentMessages(lambda: mensatek_sandbox.texts)


@pytest.fixture
def mensatek_webhook() -> object:
    """Where `deliver`, `reply` and `post_callback` hand callbacks to; override it in your conftest.

    Return an ASGI or WSGI application, a handler of events, a URL, or a `mensatek_async.testing.Webhook` with path and
    credentials.
    """
    return None


@pytest.fixture
def _mensatek_post(mensatek_webhook: object) -> Iterator[CallbackSender]:
    from .tools import CallbackSender

    post = CallbackSender(mensatek_webhook)
    yield post
    if post.forgotten:
        pytest.fail(
            f"{post.forgotten} callbacks were not handed over: in an asynchronous test, await deliver(...), reply(...) "
            "and post_callback(...)",
            pytrace=False,
        )


@pytest.fixture
def _mensatek_events(mensatek_sandbox: Sandbox) -> Events:
    from .tools import Events

    return Events(mensatek_sandbox)


@pytest.fixture
def deliver(_mensatek_events: Events, _mensatek_post: CallbackSender) -> Deliver:
    """Has the carrier report on a text: `deliver("600000000", 50)`; see `mensatek_async.testing.Deliver`."""
    from .tools import Deliver

    return Deliver(_mensatek_events, _mensatek_post)


@pytest.fixture
def reply(_mensatek_events: Events, _mensatek_post: CallbackSender) -> Reply:
    """Has a recipient write back: `reply("600000000", "SI")`; see `mensatek_async.testing.Reply`."""
    from .tools import Reply

    return Reply(_mensatek_events, _mensatek_post)


@pytest.fixture
def post_callback(_mensatek_post: CallbackSender) -> PostCallback:
    """Hands any payload to the webhook; see `mensatek_async.testing.PostCallback`."""
    from .tools import PostCallback

    return PostCallback(_mensatek_post)
