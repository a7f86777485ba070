"""Tools for the tests of programs that send texts: a pytest plugin, and the payloads of callbacks.

The plugin needs no import: pytest loads it where this package is installed. Its fixtures are `mensatek_sandbox`,
`sent_messages`, `deliver`, `reply`, `post_callback` and `mensatek_webhook`. The names here are for annotations, and for
tests without pytest; they are loaded at first use, so that a test run without them pays nothing.
"""

from __future__ import annotations

import importlib

_HOMES = {
    "guard": ("RealAPIReached", "forget_accounts"),
    "handing": ("Answer", "CallbackResult", "Webhook"),
    "messages": ("SentMessages",),
    "payloads": ("Form", "Payload", "delivery_report", "document_event", "incoming_message"),
    "tools": ("Deliver", "PostCallback", "Reply"),
}

__all__ = sorted(name for names in _HOMES.values() for name in names)


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
