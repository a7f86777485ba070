"""Callbacks of the provider: delivery reports, events of documents, incoming messages, other products'."""

from __future__ import annotations

from ..errors import InvalidWebhook
from ..models.events import DeliveryReport, DocumentEvent, Event, IncomingMessage, OtherEvent
from . import asgi, wsgi
from .auth import Authentication
from .dedupe import DedupeStore, MemoryDedupe, Standing, event_key
from .deliveries import Deliveries
from .parse import parse
from .receiver import Handler, Receiver, Request, Response
from .store_dedupe import StoreDedupe

__all__ = [
    "Authentication",
    "DedupeStore",
    "Deliveries",
    "DeliveryReport",
    "DocumentEvent",
    "Event",
    "Handler",
    "IncomingMessage",
    "InvalidWebhook",
    "MemoryDedupe",
    "OtherEvent",
    "Receiver",
    "Request",
    "Response",
    "Standing",
    "StoreDedupe",
    "asgi",
    "event_key",
    "parse",
    "wsgi",
]
