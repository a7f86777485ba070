"""An order and its text, both or neither: Django, in one file for once, over PostgreSQL or SQLite.

export DATABASE_URL=postgresql://user@host/database             # or the path of a SQLite file
python orders_django.py                                         # makes the tables, as migrations would
gunicorn orders_django:application
mensatek outbox run --store "$DATABASE_URL"                     # sends, in a process of its own
"""

import os
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from mensatek_async import InvalidRequest, Mensatek, SyncOutbox

DATABASE = os.environ["DATABASE_URL"]


def databases() -> dict[str, dict[str, object]]:
    if "://" not in DATABASE:
        waits = {"transaction_mode": "IMMEDIATE"}  # else two that read first and then write are "locked"
        return {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE, "OPTIONS": waits}}
    url = urlsplit(DATABASE)
    login = {
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.hostname,
        "PORT": url.port,
    }
    return {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], **login}}


settings.configure(  # settings.py has these
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["DJANGO_SECRET_KEY"],
    ALLOWED_HOSTS=["*"],
    DATABASES=databases(),
)
django.setup()

# One for all threads; a server may fork as it likes. The same database, which nothing has opened yet.
outbox = SyncOutbox(Mensatek(), store=DATABASE)


class Order(models.Model):
    number = models.CharField(max_length=40, primary_key=True)
    phone = models.CharField(max_length=20)

    class Meta:
        app_label = "orders"


@csrf_exempt
def order(request: HttpRequest, number: str) -> JsonResponse:
    phone = request.POST["phone"]
    try:
        with transaction.atomic():
            Order.objects.get_or_create(number=number, defaults={"phone": phone})
            put = outbox.statement(
                f"order-{number}", phone, f"Pedido {number} recibido", reference=number, paramstyle="pyformat"
            )
            with connection.cursor() as cursor:
                cursor.execute(*put)
    except InvalidRequest as error:  # a wrong phone: no order either
        return JsonResponse({"error": str(error)}, status=422)
    return JsonResponse({"order": number}, status=201)


def order_text(request: HttpRequest, number: str) -> JsonResponse:
    item = outbox.get(f"order-{number}")
    return JsonResponse({"state": item.state if item else None})


urlpatterns = [path("orders/<number>", order), path("orders/<number>/text", order_text)]
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Order)
    outbox.create_tables()
