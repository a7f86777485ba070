"""A typed program with durable campaigns, async and not: every public call shape, checked and never run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import assert_type

from mensatek_async import (
    AsyncMensatek,
    Campaign,
    CampaignConflict,
    CampaignNotFound,
    Campaigns,
    CsvSource,
    Issuer,
    JsonLinesSource,
    Mensatek,
    Progress,
    ProgressStream,
    Recipient,
    SourceChanged,
    SourceMissing,
    StoreError,
    SyncCampaign,
    SyncCampaigns,
    SyncProgressStream,
    Template,
    UnknownRecipient,
)
from mensatek_async.webhooks import Event


async def rows() -> AsyncIterator[Recipient]:
    yield Recipient("600000000", {"nombre": "Ana"})


async def start(campaigns: Campaigns) -> Campaign:
    """Each kind of recipients, and each option."""
    await campaigns.start("a", "Hola", ["600000000"])
    await campaigns.start("b", Template("Hola {nombre}"), rows())
    await campaigns.start("c", Template("Hola {nombre}"), CsvSource("clientes.csv", phone="movil"))
    campaign = await campaigns.start(
        "d",
        "Le notificamos",
        JsonLinesSource("clientes.jsonl"),
        product="certified",
        sender="MIEMPRESA",
        scheduled_at=datetime.now().astimezone(),
        reference="lote-7",
        issuer=Issuer("EMPRESA S.L.", "900000000", "B00000000"),
        validity=timedelta(days=3),
        rate=50,
        send_between=(time(9), time(21)),
        local_time="recipient",
        max_credits=Decimal(1000),
        chunk_size=100,
        anchor=Recipient("600111222", {}),
        unknown_after=timedelta(hours=1),
        unknown_policy="assume_sent",
    )
    return assert_type(campaign, Campaign)


async def run(campaign: Campaign) -> None:
    async with campaign.run(concurrency=8, interval=1) as progress:
        assert_type(progress, ProgressStream)
        async for p in progress:
            assert_type(p, Progress)
            print(p.sent, p.total, p.pending, p.unknown, p.failed, p.delivered, p.rate, p.time_left)
    assert_type(progress.latest, Progress | None)
    assert_type(await campaign.complete(), Progress)
    assert_type(await campaign.unknown(), list[UnknownRecipient])
    assert_type(await campaign.resolve("resend"), int)
    assert_type(await campaign.export("out.csv"), int)
    for order in (campaign.pause, campaign.resume, campaign.cancel, campaign.reconcile, campaign.progress):
        assert_type(await order(), Progress)


async def others(campaigns: Campaigns, event: Event) -> None:
    assert_type(await campaigns.list(), list[Progress])
    assert_type(await campaigns.work(timedelta(minutes=1)), list[Progress])
    assert_type(await campaigns.drive("a", budget=60), Progress)
    assert_type(await campaigns.record(event), bool)
    try:
        await campaigns.get("a")
    except CampaignNotFound:
        print("no such campaign")
    except (SourceChanged, CampaignConflict, SourceMissing) as error:
        print(error.advice)
    except StoreError as error:
        assert_type(error.sent, bool | None)


async def main() -> None:
    async with AsyncMensatek() as client, Campaigns(client, store="campaigns.db") as campaigns:
        await run(await start(campaigns))
        assert_type(client.campaigns("other.db"), Campaigns)


def without_async(event: Event) -> None:
    with Mensatek() as client, client.campaigns("campaigns.db") as campaigns:
        assert_type(campaigns, SyncCampaigns)
        campaign = campaigns.start("a", Template("Hola {nombre}"), CsvSource("clientes.csv"))
        assert_type(campaign, SyncCampaign)
        with campaign.run() as progress:
            assert_type(progress, SyncProgressStream)
            for p in progress:
                assert_type(p, Progress)
        assert_type(progress.latest, Progress | None)
        assert_type(campaign.complete(), Progress)
        assert_type(campaigns.list(), list[Progress])
        assert_type(campaigns.record(event), bool)
    with Mensatek() as client, SyncCampaigns(client, store="postgresql://host/database") as two:
        assert_type(two.get("a"), SyncCampaign)
        assert_type(two.drive("a"), Progress)
