"""The sandbox serves the OpenAPI document of the API it doubles."""

from __future__ import annotations

import httpx

from mensatek_async.sandbox import Sandbox
from tests.openapi_document import DOCUMENT


def test_the_document_is_served_and_points_at_the_sandbox() -> None:
    """Nothing that is tried out from the served document reaches the provider; all else is as packaged."""
    with Sandbox() as sandbox:
        answer = httpx.get(sandbox.base_url.removesuffix("/v7") + "/openapi.json")

    served = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert [server["url"] for server in served.pop("servers")] == ["/v7"]
    assert served == {name: value for name, value in DOCUMENT.items() if name != "servers"}
