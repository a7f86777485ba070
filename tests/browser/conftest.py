"""Fixtures of the browser tests; they need playwright and Chromium, which `nox -s tests_browser` brings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if "MENSATEK_TESTS_BROWSER" not in os.environ:
    collect_ignore_glob = ["test_*.py"]

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.stage import SandboxProcess, Visitor, Webhook


def pytest_itemcollected(item: pytest.Item) -> None:
    """Playwright's synchronous interface keeps a loop of its own in the thread; nothing waits for that loop."""
    item.add_marker(pytest.mark.filterwarnings("ignore:Mensatek was called in asynchronous code"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    from playwright.sync_api import expect, sync_playwright

    from tests.browser.stage import CHROMIUM, FLAGS

    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """Where the sandbox posts its callbacks."""
    from tests.browser.stage import Webhook

    with Webhook() as found:
        yield found


@pytest.fixture
def sandbox(webhook: Webhook) -> Iterator[SandboxProcess]:
    """A sandbox process with the webhook."""
    from tests.browser.stage import SandboxProcess

    process = SandboxProcess("--callbacks", webhook.url, "--credits", "20000")
    yield process
    process.stop()


@pytest.fixture
def visitor(browser: Browser, sandbox: SandboxProcess, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Opens pages of the sandbox; afterwards keeps a picture of each and fails if any had a trouble."""
    from tests.browser.stage import SCREENSHOTS, Visitor

    guest = Visitor(browser, sandbox.url)
    yield guest
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(page for context in guest.contexts for page in context.pages):
        page.screenshot(path=SCREENSHOTS / f"{request.node.name}-{number}.png")
    for context in guest.contexts:
        context.close()
    assert guest.troubles() == []
