"""The OpenAPI document of the provider's API, as the sandbox serves it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


@cache
def document() -> dict[str, Any]:
    """The document as it is packaged, which `docs/openapi.json` is a copy of."""
    loaded: dict[str, Any] = json.loads(files("mensatek_async.sandbox").joinpath("openapi.json").read_bytes())
    return loaded


async def serve(_request: Request) -> Response:
    """ApiResponse with the document, pointed at this sandbox: what is tried out from it must not reach the provider."""
    here = {**document(), "servers": [{"url": "/v7", "description": "this sandbox"}]}
    return Response(json.dumps(here, ensure_ascii=False), media_type="application/json")
