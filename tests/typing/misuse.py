"""Mistakes that mypy and pyright must see; an ignore that nobody needs is an error itself. Never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import mensatek_async as mensatek
from mensatek_async import AsyncMensatec, AsyncMensatek, Limits, SendResult  # type: ignore


async def wrong(client: AsyncMensatek, sent: SendResult) -> None:
    await client.sms.send("600000000")  # type: ignore
    await client.sms.send(600000000, "Hola")  # type: ignore
    await client.sms.send("600000000", "Hola", encoding="utf-8")  # type: ignore
    await client.sms.send("600000000", "Hola", scheduled_at="2027-01-08 10:00")  # type: ignore
    await client.sms.send_bulk(600000000, "Hola")  # type: ignore
    await client.files.upload("contrato.pdf", encoding="gzip")  # type: ignore
    await client.raw("GetCreditos", {}, resp="YAML")  # type: ignore
    async for _ in client.sms.bulk(["600000000"], "Hola"):  # type: ignore
        pass
    sent.accepted = 3  # type: ignore
    Limits(concurency=4)  # type: ignore
    text: str = await client.credits()  # type: ignore
    print(text, AsyncMensatec)


async def wrong_campaigns(client: AsyncMensatek, blocking: mensatek.Mensatek) -> None:
    mensatek.Campaigns(blocking)  # type: ignore
    with mensatek.Campaigns(client):  # type: ignore
        pass
    mensatek.SyncCampaigns(client)  # type: ignore
    await mensatek.Campaigns(client).start("a", "Hola", "600000000", product="voice")  # type: ignore
    await mensatek.Campaigns(client).start("a", "Hola", 600000000)  # type: ignore
    await mensatek.Campaigns(client).start("a", "Hola", [], send_between="9-21")  # type: ignore
    await mensatek.Campaigns(client).preview("Hola", [], begin_at=None)  # type: ignore
    mensatek.Campaigns(3)  # type: ignore
