"""Texts of many tenants, each with an account of its own whose credentials stand in a database: FastAPI.

export MENSATEK_API_USER=... MENSATEK_API_TOKEN=...             # your own account; tenants use theirs
export DATABASE=tenants.db                                      # CREATE TABLE tenants (key, user, token, sender)
uvicorn tenants_fastapi:app --workers 4
"""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from mensatek_async import AccountPaused, AsyncMensatek, AuthenticationError, InvalidRequest

client = AsyncMensatek()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with client:  # at the end, what is on its way lands first
        yield


app = FastAPI(lifespan=lifespan)


def tenant(x_key: Annotated[str, Header()]) -> AsyncMensatek:
    """Return the tenant's client, with the credentials as they are now: a new token counts from the next request."""
    with closing(sqlite3.connect(os.environ["DATABASE"])) as database:
        found = database.execute("SELECT user, token, sender FROM tenants WHERE key = ?", [x_key]).fetchone()
    if found is None:
        raise HTTPException(401)
    user, token, sender = found
    return client.for_account(user, token, sender=sender)


Tenant = Annotated[AsyncMensatek, Depends(tenant)]


class Text(BaseModel):
    phone: str
    text: str


@app.post("/texts")
async def send(text: Text, tenant: Tenant) -> dict[str, int]:
    sent = await tenant.sms.send(text.phone, text.text)
    return {"message_id": sent.message_id}


@app.get("/credits")
async def credits(tenant: Tenant) -> dict[str, str]:
    return {"credits": str(await tenant.credits())}


@app.exception_handler(InvalidRequest)
async def invalid(request: Request, error: InvalidRequest) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=422)


@app.exception_handler(AuthenticationError)
@app.exception_handler(AccountPaused)
async def refused(request: Request, error: AuthenticationError | AccountPaused) -> JSONResponse:
    """The tenant's own account is refused; nobody else's is touched."""
    return JSONResponse({"error": "Your account's credentials are refused."}, status_code=403)
