"""An order and its text, both or neither: FastAPI and SQLAlchemy, over PostgreSQL or SQLite.

export DATABASE_URL=postgresql+psycopg://user@host/database     # or sqlite+aiosqlite:///orders.db
python orders_fastapi.py                                        # makes the tables, as a migration would
uvicorn orders_fastapi:app --workers 4
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from mensatek_async import AsyncMensatek, InvalidRequest, Outbox, OutboxConflict
from mensatek_async.webhooks import asgi

DATABASE = os.environ["DATABASE_URL"]
engine = create_async_engine(DATABASE, pool_pre_ping=True)
new_session = async_sessionmaker(engine)
# The same database, as the outbox writes its address; nothing is opened yet.
store = DATABASE.replace("postgresql+psycopg:", "postgresql:").removeprefix("sqlite+aiosqlite:///")
client = AsyncMensatek()
outbox = Outbox(client, store=store)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Each of uvicorn's workers sends too: they share the queue. At the end, what is on its way lands first.
    async with client, outbox, outbox.run():
        yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
webhook = asgi.WebhookApp(outbox.record, username="mensatek", password=os.environ["WEBHOOK_PASSWORD"])
app.mount("/mensatek", webhook)


@app.exception_handler(InvalidRequest)
async def invalid(request: Request, error: InvalidRequest) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=422)


async def transaction() -> AsyncIterator[AsyncSession]:
    async with new_session.begin() as session:
        yield session


class Order(BaseModel):
    phone: str
    total: int


# "function": the transaction ends before the answer leaves, so whoever is told 201 has an order.
@app.put("/orders/{number}", status_code=201)
async def order(
    number: str, new: Order, session: Annotated[AsyncSession, Depends(transaction, scope="function")]
) -> dict[str, str]:
    insert = text("INSERT INTO orders VALUES (:number, :phone, :total) ON CONFLICT DO NOTHING")
    await session.execute(insert, {"number": number, **new.model_dump()})
    sql, values = outbox.statement(
        f"order-{number}", new.phone, f"Pedido {number} recibido", reference=number, paramstyle="named"
    )
    await session.execute(text(sql), values)
    return {"order": number}


@app.get("/orders/{number}/text")
async def order_text(number: str) -> dict[str, Any]:
    item = await outbox.get(f"order-{number}")
    if item is None:
        raise HTTPException(404)
    return {"state": item.state, "message_id": item.message_id, "delivered": _is_delivered(item.status)}


def _is_delivered(status: Any) -> bool:
    return status is not None and status.is_delivered


class Login(BaseModel):
    attempt: str  # made by the browser, once for each click that asks for a code
    phone: str
    code: str


@app.post("/logins")
async def login(new: Login) -> dict[str, str]:
    try:
        await outbox.put(
            f"login-{new.attempt}",
            new.phone,
            f"Su código es {new.code}",
            not_after=timedelta(minutes=2),  # a late code is worse than none
            repeat_unknown=True,  # one that comes twice does no harm
        )
    except OutboxConflict as error:
        raise HTTPException(409, "That attempt has a code already.") from error
    item = await outbox.wait(f"login-{new.attempt}", timeout=5)
    return {"state": item.state}


async def create_tables() -> None:
    async with engine.begin() as connection:
        await connection.execute(
            text("CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, phone TEXT, total INTEGER)")
        )
    await outbox.create_tables()
    await outbox.aclose()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(create_tables())
