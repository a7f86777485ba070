"""Which of two delivery reports of one text is the newer one."""

from __future__ import annotations

from ..codes import DeliveryStatus


def is_older(
    moment: float | None, earlier: float | None, status: DeliveryStatus, before: DeliveryStatus
) -> bool:
    """Return whether a status is older than one that came before it.

    Args:
        moment: when it was reported, seconds since 1970; None when unknown.
        earlier: when the one before it was.
        status: the status.
        before: the one before it.
    """
    if moment is not None and earlier is not None and moment != earlier:
        return moment < earlier
    return not status.replaces(before)
