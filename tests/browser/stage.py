"""What the browser tests stand on: a sandbox process, a webhook, the command, a visitor who notes every trouble."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from fpdf import FPDF
from playwright.sync_api import Browser, BrowserContext, Page

from mensatek_async import Mensatek
from tests.webhook_servers import Listener

SCREENSHOTS = Path(__file__).parents[2] / "build" / "browser"
CHROMIUM = "/usr/bin/chromium"
PLACES = [
    "messages",
    "messages/34600000001",
    "scheduled",
    "calls",
    "calls/1",
    "calls/callbacks",
    "files",
    "tools",
]
# Chromium calls home otherwise, and cannot sandbox itself as root.
_WITHOUT = ("gpu", "quic", "background-networking", "component-update", "sync")
FLAGS = ["--no-sandbox", "--no-first-run", *(f"--disable-{feature}" for feature in _WITHOUT)]
_COMMAND = [sys.executable, "-c", "import sys; from mensatek_async.cli import main; sys.exit(main())"]
_LISTENS = re.compile(r"(http://127\.0\.0\.1:\d+)/v7")


class SandboxProcess:
    """`mensatek sandbox` as its users run it, in a process of its own.

    Args:
        options: for its command line.
        port: where it listens; 0 takes a free one.
    """

    def __init__(self, *options: str, port: str = "0") -> None:
        self._process = subprocess.Popen(
            [*_COMMAND, "sandbox", "--port", port, *options],
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
        )
        assert self._process.stdout is not None
        self.url = next(found[1] for found in map(_LISTENS.search, self._process.stdout) if found)

    @property
    def port(self) -> str:
        """Where it listens."""
        return self.url.rpartition(":")[2]

    def client(self) -> Mensatek:
        """A client of it."""
        return Mensatek("demo", "demo-token", base_url=f"{self.url}/v7", sender="CLINICA")

    def command(self, *arguments: str) -> str:
        """Run `mensatek` against it, and give what it printed."""
        environment = _environment() | {
            "MENSATEK_BASE_URL": f"{self.url}/v7",
            "MENSATEK_API_USER": "demo",
            "MENSATEK_API_TOKEN": "demo-token",
        }
        ran = subprocess.run(
            [*_COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def act(self, path: str, **body: object) -> None:
        """Do what a button of the page does."""
        with urllib.request.urlopen(f"{self.url}/_sandbox/state") as answer:
            token = json.load(answer)["csrf"]
        headers = {"Content-Type": "application/json", "X-Sandbox-Token": token}
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", json.dumps(body).encode(), headers)
        urllib.request.urlopen(request).close()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate(timeout=20)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MENSATEK_")}


class Webhook(Listener):
    """A webhook that waits for what is posted."""

    def wait_for(self, service: str, **fields: str) -> dict[str, Any]:
        """The first callback of that kind with these fields, waited for."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for event in self.told:
                if event["Servicio"] == service and all(str(event[k]) == v for k, v in fields.items()):
                    return event
            time.sleep(0.02)
        raise AssertionError(self.told)


def small_pdf() -> bytes:
    """A contract of one page."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica")
    pdf.cell(text="Contrato")
    return bytes(pdf.output())


class Visitor:
    """Opens pages, and hears every error, warning, dialog and request to another host.

    Args:
        browser: which.
        url: the page's address.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self.heard: list[str] = []
        self.expected: list[str] = []
        self.contexts: list[BrowserContext] = []

    def open(
        self,
        place: str = "",
        *,
        width: int = 1360,
        height: int = 900,
        locale: str = "en-GB",
        scheme: str = "light",
        **more: Any,
    ) -> Page:
        """A page at that place (what stands after `#/`), connected to the sandbox."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, color_scheme=scheme, **more
        )
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("dialog", lambda dialog: (self._hear("dialog", dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self._watch(request.url))
        page.goto(f"{self.url}/#/{place}")
        page.locator('#link-state[data-state="live"]').wait_for()
        return page

    def troubles(self) -> list[str]:
        """What was heard and not expected."""
        return [one for one in self.heard if not any(part in one for part in self.expected)]

    def _hear(self, kind: str, text: str) -> None:
        if kind not in ("log", "debug", "info"):
            self.heard.append(f"{kind}: {text}")

    def _watch(self, url: str) -> None:
        if not url.startswith((f"{self.url}/", "data:", "blob:")):
            self.heard.append(f"request: {url}")
