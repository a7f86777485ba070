"""A text for each order that was shipped, however often its task is delivered: Celery.

export DATABASE_URL=postgresql://user@host/database             # or the path of a SQLite file
export CELERY_BROKER_URL=redis://localhost
celery -A orders_celery worker
celery -A orders_celery beat
"""

import os

from celery import Celery

from mensatek_async import Mensatek, SyncOutbox

app = Celery("orders")  # takes CELERY_BROKER_URL
# Each of the pool's processes opens connections of its own, after the fork.
outbox = SyncOutbox(Mensatek(), store=os.environ["DATABASE_URL"])

SLICE = 10.0  # seconds
app.conf.beat_schedule = {
    "texts": {"task": "orders_celery.send_texts", "schedule": SLICE, "options": {"expires": SLICE}}
}


@app.task(acks_late=True, reject_on_worker_lost=True)
def shipped(number: str, phone: str) -> str:
    """Delivered again after a crash, the task finds the item of the first time."""
    item = outbox.put(f"order-{number}-shipped", phone, f"Su pedido {number} ha salido", reference=number)
    return item.state


@app.task(ignore_result=True)
def send_texts() -> None:
    """A slice of sending; two that overlap share the queue, and one that is killed does no harm."""
    outbox.drain(budget=SLICE)
