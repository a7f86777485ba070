"""Mistakes that mypy and pyright must see; an ignore that nobody needs is an error itself. Never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

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
