"""Mistakes with campaigns that mypy and pyright must see; an ignore that nobody needs is an error itself. Never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from mensatek_async import AsyncMensatek, Campaigns, Mensatek, SyncCampaigns


async def wrong(client: AsyncMensatek, blocking: Mensatek) -> None:
    Campaigns(blocking)  # type: ignore
    with Campaigns(client):  # type: ignore
        pass
    SyncCampaigns(client)  # type: ignore
    await Campaigns(client).start("a", "Hola", "600000000", product="voice")  # type: ignore
    await Campaigns(client).start("a", "Hola", 600000000)  # type: ignore
    await Campaigns(client).start("a", "Hola", [], send_between="9-21")  # type: ignore
    Campaigns(3)  # type: ignore
