"""A typed program with durable campaigns, async and not: every public call shape, checked and never run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import assert_type

import mensatek_async as mensatek
from mensatek_async.webhooks import Event


async def rows() -> AsyncIterator[mensatek.Recipient]:
    yield mensatek.Recipient("600000000", {"nombre": "Ana"})


async def start(campaigns: mensatek.Campaigns) -> mensatek.Campaign:
    """Each kind of recipients, and each option."""
    await campaigns.start("a", "Hola", ["600000000"])
    await campaigns.start("b", mensatek.Template("Hola {nombre}"), rows())
    await campaigns.start(
        "c", mensatek.Template("Hola {nombre}"), mensatek.CsvSource("clientes.csv", phone="movil")
    )
    campaign = await campaigns.start(
        "d",
        "Le notificamos",
        mensatek.JsonLinesSource("clientes.jsonl"),
        product="certified",
        sender="MIEMPRESA",
        scheduled_at=datetime.now().astimezone(),
        reference="lote-7",
        issuer=mensatek.Issuer("EMPRESA S.L.", "900000000", "B00000000"),
        validity=timedelta(days=3),
        rate=50,
        send_between=(time(9), time(21)),
        local_time="recipient",
        max_credits=Decimal(1000),
        chunk_size=100,
        anchor=mensatek.Recipient("600111222", {}),
        unknown_after=timedelta(hours=1),
        unknown_policy="assume_sent",
        start_at=datetime.now().astimezone(),
    )
    preview = await campaigns.preview("Hola", rows(), rate=50, on_progress=lambda told: print(told[0][1]))
    assert_type(preview.longest, mensatek.PreviewedText | None)
    assert_type(await campaign.reschedule(scheduled_at=datetime.now().astimezone()), mensatek.Progress)
    return assert_type(campaign, mensatek.Campaign)


async def run(campaign: mensatek.Campaign) -> None:
    async with campaign.run(concurrency=8, interval=1) as progress:
        assert_type(progress, mensatek.ProgressStream)
        async for p in progress:
            assert_type(p, mensatek.Progress)
            print(p.sent, p.total, p.pending, p.unknown, p.failed, p.delivered, p.rate, p.time_left)
    assert_type(progress.latest, mensatek.Progress | None)
    assert_type(await campaign.complete(), mensatek.Progress)
    assert_type(await campaign.unknown(), list[mensatek.UnknownRecipient])
    assert_type(await campaign.resolve("resend"), int)
    assert_type(await campaign.export("out.csv"), int)
    for order in (campaign.pause, campaign.resume, campaign.cancel, campaign.reconcile, campaign.progress):
        assert_type(await order(), mensatek.Progress)


async def others(campaigns: mensatek.Campaigns, event: Event) -> None:
    assert_type(await campaigns.list(), list[mensatek.Progress])
    assert_type(await campaigns.work(timedelta(minutes=1)), list[mensatek.Progress])
    assert_type(await campaigns.drive("a", budget=60), mensatek.Progress)
    assert_type(await campaigns.record(event), bool)
    try:
        await campaigns.get("a")
    except mensatek.CampaignNotFound:
        print("no such campaign")
    except (mensatek.SourceChanged, mensatek.CampaignConflict, mensatek.SourceMissing) as error:
        print(error.advice)
    except mensatek.StoreError as error:
        assert_type(error.sent, bool | None)


async def main() -> None:
    async with (
        mensatek.AsyncMensatek() as client,
        mensatek.Campaigns(client, store="campaigns.db") as campaigns,
    ):
        await run(await start(campaigns))
        assert_type(client.campaigns("other.db"), mensatek.Campaigns)


def without_async(event: Event) -> None:
    with mensatek.Mensatek() as client, client.campaigns("campaigns.db") as campaigns:
        assert_type(campaigns, mensatek.SyncCampaigns)
        campaign = campaigns.start(
            "a", mensatek.Template("Hola {nombre}"), mensatek.CsvSource("clientes.csv")
        )
        assert_type(campaign, mensatek.SyncCampaign)
        with campaign.run() as progress:
            assert_type(progress, mensatek.SyncProgressStream)
            for p in progress:
                assert_type(p, mensatek.Progress)
        assert_type(progress.latest, mensatek.Progress | None)
        assert_type(campaign.complete(), mensatek.Progress)
        assert_type(campaigns.list(), list[mensatek.Progress])
        assert_type(campaigns.record(event), bool)
    with (
        mensatek.Mensatek() as client,
        mensatek.SyncCampaigns(client, store="postgresql://host/database") as two,
    ):
        assert_type(two.get("a"), mensatek.SyncCampaign)
        assert_type(two.drive("a"), mensatek.Progress)


async def opt_outs(client: mensatek.AsyncMensatek, event: Event) -> None:
    """Who must not be texted; a bulk send takes them, the synchronous client the synchronous ones."""
    kept = mensatek.OptOuts("campaigns.db", keywords=["BAJA"], rule=lambda text: text == "BAJA", region="ES")
    assert_type(await kept.add("600000000", reason="phone", source="shop"), bool)
    assert_type(await kept.load("list.csv"), mensatek.LoadedOptOuts)
    assert_type(await kept.list(limit=5), list[mensatek.OptOut])
    assert_type(await kept.record(event), bool)
    result = await client.sms.send_bulk(["600000000"], "Hola", opt_outs=kept)
    assert_type(result.opted_out, int)


def opt_outs_without_async(client: mensatek.Mensatek) -> None:
    with client.sms.bulk(["600000000"], "Hola", opt_outs=mensatek.SyncOptOuts("campaigns.db")) as outcomes:
        for outcome in outcomes:
            print(*outcome.opted_out)
