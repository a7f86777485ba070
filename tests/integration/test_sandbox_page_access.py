"""Who may see the sandbox's page and act on it: names, origins, tokens, passwords, headers."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import Sandbox
from mensatek_async.sandbox.page import access
from tests.sandbox_calls import NO_TLS, Caller
from tests.sandbox_page import PageCaller, visiting


def token(page: PageCaller) -> Any:
    return page.get("/state")["csrf"]


def code(answer: httpx.Response) -> Any:
    """What kind of refusal it is."""
    return answer.json()["error"]["code"]


PATHS = ["/", "/_sandbox/state", "/_sandbox/events", "/_sandbox/static/app.js", "/_sandbox/nothing"]


SEALED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
POLICY = {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'"}
POLICY |= dict.fromkeys(("frame-ancestors", "base-uri", "form-action"), "'none'")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_what_the_page_does_not_need(page: PageCaller, path: str) -> None:
    """No script, style or frame from elsewhere, nothing inline, no sniffing, no referrer, no copy left behind."""
    with page.http.stream("GET", path) as answer:
        headers = answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert (policy.items() >= POLICY.items(), "unsafe" in str(policy)) == (True, False)
    assert dict(headers).items() >= SEALED.items()
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("given", [None, "", "wrong", "ñ"])
def test_no_action_without_the_token(sandbox: Sandbox, page: PageCaller, given: str | None) -> None:
    """A request that a page elsewhere could make does nothing."""
    headers = {} if given is None else {"X-Sandbox-Token": given.encode()}
    for method, path in (("POST", "/_sandbox/reset"), ("DELETE", "/_sandbox/files/a.pdf"), ("PUT", "/")):
        answer = page.http.request(method, path, headers=headers)
        assert (answer.status_code, code(answer)) == (403, "csrf")
    assert page.http.post("/_sandbox/block", data={"seconds": "60"}).status_code == 403
    with Sandbox() as other, visiting(other) as there:  # what one sandbox gave out opens no other
        headers = {"X-Sandbox-Token": token(there)}
        assert page.http.post("/_sandbox/block", headers=headers).status_code == 403
    assert not sandbox.blocked


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_neither_act_nor_read(page: PageCaller, headers: dict[str, str]) -> None:
    """Not even with the token; only the page itself may be opened by a link."""
    answer = page.http.post("/_sandbox/reset", headers={"X-Sandbox-Token": token(page), **headers})
    assert (answer.status_code, code(answer)) == (403, "origin")
    assert page.http.get("/_sandbox/state", headers=headers).status_code == 403
    assert page.http.get("/_sandbox/events", headers=headers).status_code == 403
    assert page.http.get("/", headers=headers).status_code == 200


def test_the_page_itself_acts(sandbox: Sandbox, page: PageCaller) -> None:
    """What a browser sends from the page is taken."""
    origin = sandbox.page_url.rstrip("/")
    headers = {"X-Sandbox-Token": token(page), "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert page.http.post("/_sandbox/block", headers=headers).status_code == 200
    assert sandbox.blocked


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8025", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", "a b"]
)
def test_other_names_lead_nowhere(page: PageCaller, call: Caller, host: str) -> None:
    """A site that had its name point here (DNS rebinding) gets neither page nor API."""
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    for path in PATHS:
        answer = page.http.get(path, headers=headers)
        assert (answer.status_code, code(answer)) == (403, "host")
    assert call.post("GetCreditos", headers=headers).status_code == 403
    assert page.http.get("/", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8025", "127.0.0.1", "127.1.2.3:80", "[::1]:8025", "a.localhost", "[::1]"]
)
def test_names_of_this_machine_are_its_own(page: PageCaller, host: str) -> None:
    """Whatever it is called on itself, with any port: a tunnel may have another."""
    assert page.http.get("/_sandbox/state", headers={"Host": host}).status_code == 200


def test_a_name_can_be_allowed() -> None:
    """Behind a proxy of one's own."""
    with Sandbox(allowed_hosts=["sandbox.test"]) as sandbox, visiting(sandbox) as page:
        assert page.http.get("/", headers={"Host": "Sandbox.test:443"}).status_code == 200
        assert page.http.get("/", headers={"Host": "other.test"}).status_code == 403


def test_the_api_is_for_programs(sandbox: Sandbox, call: Caller) -> None:
    """No web page calls it, whatever credentials it knows; a program needs no origin."""
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert call.post("GetCreditos", headers=headers).status_code == 403
    assert sandbox.requests == []
    assert call.post("GetCreditos", headers={"Host": "sandbox.test"}).status_code == 200


def test_a_request_without_a_host_is_refused(sandbox: Sandbox) -> None:
    """HTTP/1.0 without a name has no business here."""
    port = int(sandbox.base_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET /_sandbox/state HTTP/1.0\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 403")


def test_the_page_asks_for_its_password_and_the_api_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP Basic with any user name, before anything is told; names do not matter where there is a password. A wrong
    one takes its time; whoever gives none is asked at once."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(access.anyio, "sleep", sleep)
    with Sandbox(host="0.0.0.0", password="se:creto") as sandbox:
        base = f"http://127.0.0.1:{sandbox.base_url.split(':')[2].split('/')[0]}"
        with httpx.Client(base_url=base, verify=NO_TLS) as http:
            for path in PATHS:
                for auth in (None, ("demo", "falso"), (sandbox.user, sandbox.token), ("se", "creto")):
                    answer = http.get(path, auth=auth)
                    assert (answer.status_code, code(answer)) == (401, "password")
                    assert answer.headers["www-authenticate"].startswith("Basic ")
            assert waits == [0, 0.5, 0.5, 0.5] * len(PATHS)
            for header in ("Basic", "Basic %%%", "Bearer c2U6Y3JldG8="):
                assert http.get("/", headers={"Authorization": header}).status_code == 401
            state = http.get("/_sandbox/state", auth=("anyone", "se:creto"), headers={"Host": "sandbox.test"})
            assert state.status_code == 200
            assert http.post("/_sandbox/reset", auth=("anyone", "se:creto")).status_code == 403
            body = {"Resp": "JSON"}
            credits = http.post("/v7/GetCreditos", json=body, auth=(sandbox.user, sandbox.token))
            assert credits.json()["Res"] == 1
            assert http.post("/v7/GetCreditos", json=body, auth=("anyone", "se:creto")).json()["Res"] == -1
