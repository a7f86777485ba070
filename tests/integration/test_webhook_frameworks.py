"""The examples of docs/webhooks.md, as they stand there, under the frameworks they are for; `nox -s tests_webhooks`."""

from __future__ import annotations

import socket
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from mensatek_async.sandbox import Callbacks, Sandbox
from mensatek_async.webhooks import Event, asgi, event_key
from tests.markdown import ROOT, blocks
from tests.sandbox_calls import ANA, LUIS, calling
from tests.webhook_servers import serve_asgi, serve_wsgi

DOCUMENT = ROOT / "docs" / "webhooks.md"
PASSWORD, TOKEN = "contraseña", "a token/of mine"


def example(telling: str) -> dict[str, Any]:
    """Run the example that holds these words, as the module it is; gives its names."""
    (block,) = [block for block in blocks(DOCUMENT) if block.language == "python" and telling in block.text]
    module = types.ModuleType("example")
    sys.modules["example"] = module  # frameworks look names up there
    source = "\n" * (block.line - 1) + block.text
    exec(compile(source, str(DOCUMENT), "exec", dont_inherit=True), vars(module))
    return vars(module)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WEBHOOK_PASSWORD", PASSWORD)
    monkeypatch.setenv("WEBHOOK_TOKEN", TOKEN)
    yield
    sys.modules.pop("example", None)


def check(url: str, names: dict[str, Any], **door: str) -> None:
    """Post through the sandbox: each event comes in, once, and a stranger's does not."""
    door = door or {"username": "mensatek", "password": PASSWORD}
    with Sandbox(delivery_seconds=0) as sandbox, calling(sandbox) as call:
        mine = [
            sandbox.call_back(Callbacks(url, form=form, retries=0, duplicates=1.0, **door))
            for form in ("json", "form", "multipart")
        ]
        stranger = sandbox.call_back(Callbacks(url, retries=0, **dict.fromkeys(door, "else")))
        call.send(ANA, LUIS)
        mine[0].receive(ANA, "Sí, mañana")
        assert all(callbacks.wait(20) for callbacks in (*mine, stranger))

    assert {tuple(post.answers) for callbacks in mine for post in callbacks.posts} == {(200,)}
    assert {tuple(post.answers) for post in stranger.posts} == {(401,)}
    received = names["received"]
    events = list(received.values()) if isinstance(received, dict) else received
    assert len(events) == len({event_key(event) for event in events}) == 5


def test_a_server_alone() -> None:
    """The first example under uvicorn, and the one with a token under the standard library's server."""
    names = example('app = asgi.WebhookApp(handle, username="mensatek"')
    with serve_asgi(names["app"]) as url:
        check(url, names)
    names = example("app = wsgi.WebhookApp(handle, token=")
    with serve_wsgi(names["app"]) as url:
        check(f"{url}/?a=b", names, token=TOKEN)


@pytest.mark.parametrize(
    "telling",
    ["match event:", "Deliveries(client)", "Callbacks(", "testing.delivery_report(", "StoreDedupe("],
    ids=str,
)
def test_the_other_examples_run(telling: str) -> None:
    """What needs no framework runs as it stands; nobody listens where the sandbox posts."""
    assert example(telling)


@contextmanager
def serve_werkzeug(app: Any) -> Iterator[str]:
    """Serve with Flask's own server, a thread for each connection, which is kept open."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log(self, type: str, message: str, *args: Any) -> None:
            """Say nothing."""

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def test_django() -> None:
    """The webhook as a Django view, without Django's own check of forms."""
    django = pytest.importorskip("django")
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    if not settings.configured:
        middleware = ["django.middleware.csrf.CsrfViewMiddleware"]
        settings.configure(ROOT_URLCONF="example", ALLOWED_HOSTS=["*"], SECRET_KEY="x", MIDDLEWARE=middleware)
        django.setup()
    names = example("from django.http")
    names["urlpatterns"] = [path("mensatek", names["mensatek"])]

    with serve_wsgi(get_wsgi_application()) as url:
        check(f"{url}/mensatek", names)


@contextmanager
def serve_aiohttp(app: Any) -> Iterator[str]:
    """Serve an aiohttp application on a loop of its own."""
    from aiohttp import web

    listener = socket.create_server(("127.0.0.1", 0))
    runner = web.AppRunner(app)
    with start_blocking_portal() as portal:
        portal.call(runner.setup)
        portal.call(web.SockSite(runner, listener).start)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            portal.call(runner.cleanup)


@pytest.mark.parametrize(
    ("framework", "telling", "serve", "path"),
    [
        ("fastapi", "app.add_route(", serve_asgi, "mensatek"),
        ("fastapi", "Depends(mensatek_event)", serve_asgi, "mensatek"),
        ("flask", "DispatcherMiddleware(", serve_werkzeug, "mensatek"),
        ("aiohttp", "from aiohttp import web", serve_aiohttp, "mensatek?a=b"),
    ],
)
def test_a_framework(framework: str, telling: str, serve: Any, path: str) -> None:
    """The webhook as a route, an argument of an endpoint, an application below a path, or a handler."""
    pytest.importorskip(framework)
    names = example(telling)

    with serve(names["app"]) as url:
        check(f"{url}/{path}", names)


def test_quart() -> None:
    """The ASGI application beside a Quart application."""
    quart = pytest.importorskip("quart")
    app = quart.Quart("example")
    names: dict[str, Any] = {"received": []}

    async def handle(event: Event) -> None:
        names["received"].append(event)

    webhook, rest = asgi.WebhookApp(handle, username="mensatek", password=PASSWORD), app.asgi_app

    async def route(scope: Any, receive: Any, send: Any) -> None:
        below = scope["type"] == "http" and scope["path"] == "/mensatek"
        await (webhook if below else rest)(scope, receive, send)

    app.asgi_app = route

    with serve_asgi(app) as url:
        check(f"{url}/mensatek", names)
