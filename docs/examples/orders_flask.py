"""An order and its text, both or neither: Flask and psycopg, over PostgreSQL.

export DATABASE_URL=postgresql://user@host/database
python orders_flask.py                                          # makes the tables, as a migration would
gunicorn orders_flask:app --workers 4
mensatek outbox run --store "$DATABASE_URL"                     # sends, in a process of its own
"""

import os

import psycopg
from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from mensatek_async import InvalidRequest, Mensatek, SyncOutbox
from mensatek_async.webhooks import wsgi

DATABASE = os.environ["DATABASE_URL"]
# One for all threads; a server may fork as it likes. The same database, which nothing has opened yet.
outbox = SyncOutbox(Mensatek(), store=DATABASE)
app = Flask(__name__)
webhook = wsgi.WebhookApp(outbox.record, username="mensatek", password=os.environ["WEBHOOK_PASSWORD"])
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/mensatek": webhook})


@app.post("/orders/<number>")
def order(number: str) -> tuple[dict[str, str], int]:
    phone = request.form["phone"]
    with psycopg.connect(DATABASE) as connection:  # one transaction: it is committed where the block ends
        connection.execute("INSERT INTO orders VALUES (%s, %s) ON CONFLICT DO NOTHING", (number, phone))
        put = outbox.statement(
            f"order-{number}", phone, f"Pedido {number} recibido", reference=number, paramstyle="pyformat"
        )
        connection.execute(*put)
    return {"order": number}, 201


@app.get("/orders/<number>/text")
def order_text(number: str) -> dict[str, str | None]:
    item = outbox.get(f"order-{number}")
    return {"state": item.state if item else None}


@app.errorhandler(InvalidRequest)
def invalid(error: InvalidRequest) -> tuple[dict[str, str], int]:
    return {"error": str(error)}, 422  # a wrong phone: no order either


if __name__ == "__main__":
    with psycopg.connect(DATABASE) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, phone TEXT)")
    outbox.create_tables()
