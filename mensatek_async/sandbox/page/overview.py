"""The page's first question: how the sandbox stands."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..api.faults import ERROR_KINDS
from ..api.gatekeeper import WRONG_WINDOW
from ..api.provider import Provider
from ..callbacks.callbacks import Callbacks
from ..carrier.delivery import MAGIC, has_ending
from ..carrier.statuses import ENGLISH, LABELS, PHASES
from ..controls import Controls
from .forms import picked
from .log import bare_url
from .texts import certified

STATUSES = [
    {"code": code, "es": label, "en": ENGLISH[code], "phase": PHASES[code]}
    for code, label in sorted(LABELS.items())
]
ENDINGS = [{"ending": f"{MAGIC}{code:03}", "status": code} for code in sorted(LABELS) if has_ending(code)]


def overview(controls: Controls, provider: Provider, webhooks: list[Callbacks], token: str) -> dict[str, Any]:
    """Everything that is not a list."""
    account = provider.account
    return {
        "version": _version(),
        "csrf": token,
        "revision": provider.revision,
        "api": {"base_url": controls.base_url, "user": provider.user},
        "clock": picked(account.clock, "now", "scale", "standing"),
        "credits": {
            "left": account.credits,
            "used": account.used,
            "price": account.prices[False],
            "certified_price": account.prices[True],
        },
        "counts": _counts(provider),
        "guard": _guard(provider),
        "faults": _faults(provider),
        "contracts_by_themselves": account.delivery.contracts_by_themselves,
        "delivery_seconds": account.delivery.pace,
        "callbacks": [_callbacks(webhook) for webhook in webhooks],
        "state_file": provider.state is not None,
        "keep_texts": account.keep_texts,
        "statuses": STATUSES,
        "magic": ENDINGS if account.delivery.magic else [],
    }


@cache
def _version() -> str:
    try:
        return version("mensatek-async")
    except PackageNotFoundError:
        return ""


def _counts(provider: Provider) -> dict[str, int]:
    account = provider.account
    now = account.clock.now
    account.tidy_library()
    return {
        "texts": sum(len(batch.phones) for batch in account.batches),
        "phones": len(account.counts),
        "scheduled": sum(bool(message.waiting(now)) for message in account.messages.values()),
        "incoming": len(account.incoming),
        "files": len(account.library.files()),
        "calls": provider.forgotten_calls + len(provider.calls),
        "certificates": sum(1 for _ in certified(account)),
    }


def _faults(provider: Provider) -> dict[str, Any]:
    return {
        "latency": provider.latency,
        "error_rate": provider.faults.rate,
        "error_kind": provider.faults.kind,
        "kinds": list(ERROR_KINDS),
        "armed": len(provider.faults),
    }


def _callbacks(webhook: Callbacks) -> dict[str, Any]:
    return {
        "url": bare_url(webhook.url),
        "posted": len(webhook.posts),
        "lost": sum(post.ended and not post.taken for post in list(webhook.posts)),
        "waiting": webhook.poster.waiting,
    }


def _guard(provider: Provider) -> dict[str, Any]:
    now, keeper = provider.account.clock.now, provider.gatekeeper
    blocked = keeper.is_blocked(now)
    return {
        "strict": provider.account.guarded,
        "blocked": blocked and provider.account.guarded,
        "blocked_until": keeper.blocked_until if blocked else None,
        "wrong_calls": keeper.wrong_calls(now),
        "quick_reads": keeper.quick_reads(now),
        "block_after": keeper.after,
        "block_seconds": keeper.length.total_seconds(),
        "window_seconds": int(WRONG_WINDOW.total_seconds()),
        "read_interval": keeper.read_interval.total_seconds(),
    }
