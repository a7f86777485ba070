"""Delivery reports that arrive early, twice, late, or for somebody else: fault 13."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from mensatek_async import Campaigns
from mensatek_async.sandbox import Callbacks, Fault
from mensatek_async.webhooks import Event, parse
from tests.faults.scene import Scene
from tests.faults.stage import begin, campaigns_of, settled
from tests.sandbox_calls import phones


def reports_of(scene: Scene) -> Callable[[], list[dict[str, Any]]]:
    """What gives all delivery reports of a scene's sandbox up to then, as they would be posted."""
    # Nobody listens there: the tests hand the events over themselves, in whatever order.
    callbacks = scene.sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0, timeout=0.2))

    def reports() -> list[dict[str, Any]]:
        scene.sandbox.advance(3600)
        callbacks.wait(10)
        return callbacks.events

    return reports


def event_of(fields: dict[str, Any]) -> Event:
    return parse(json.dumps(fields).encode())


async def record_all(campaigns: Campaigns, events: list[dict[str, Any]]) -> list[bool]:
    return [await campaigns.record(event_of(fields)) for fields in events]


async def test_fault_13_a_report_before_the_answer(scene: Scene) -> None:
    """The opener's delivery is known before its own request is answered; the answer then changes nothing."""
    reports = reports_of(scene)
    scene.sandbox.fault(Fault.latency(0.7))
    async with campaigns_of(scene) as campaigns, anyio.create_task_group() as group:
        campaign = await begin(campaigns, scene, phones(31))
        group.start_soon(campaign.complete)
        await anyio.to_thread.run_sync(scene.await_calls, 1)
        (first, *_) = early = await anyio.to_thread.run_sync(reports)
        assert await record_all(campaigns, early) == [True] * len(early)
        assert first["Movil"] == scene.given[0]

    async with campaigns_of(scene) as campaigns:
        campaign = await campaigns.get("campaign")
        progress = await settled(campaign, scene)
        assert (progress["sent"], progress["unknown"], progress["delivered"]) == (31, 0, 1)


async def test_fault_13_a_report_settles_an_unknown_opener(scene: Scene) -> None:
    """Days later, the report of a lost opener says that it was sent; its chunks had gone under another message."""
    reports = reports_of(scene)
    scene.sandbox.fault(Fault.drop_after_accept())
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(31), reference="mi-ref")
        await campaign.complete()
        assert (await campaign.progress()).unknown == 1
        scene.sandbox.advance(3 * 86_400)
        events = await anyio.to_thread.run_sync(reports)

        assert all(await record_all(campaigns, events))
        progress = await settled(campaign, scene)
        assert (progress["sent"], progress["unknown"], progress["delivered"]) == (31, 0, 31)
        assert {event_of(fields).reference for fields in events} == {"mi-ref"}  # type: ignore[union-attr]


async def test_fault_13_twice_and_out_of_order(scene: Scene) -> None:
    """Each report twice and all of them backwards: each phone counts once, with its last status."""
    reports = reports_of(scene)
    scene.sandbox.set_outcome(scene_phone := phones(31)[7], 50)
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(31))
        await campaign.complete()
        events = await anyio.to_thread.run_sync(reports)
        await record_all(campaigns, [*reversed(events), *events, *reversed(events)])

        progress = await settled(campaign, scene)
        assert (progress["delivered"], progress["undelivered"]) == (30, 1)
        row = next(one for one in scene.rows() if one["phone"] == scene_phone)
        assert row["status"] == "50"


async def test_fault_13_reports_of_others_are_left_alone(scene: Scene) -> None:
    """Plain sends and other messages are no campaign's; the handler is told so."""
    reports = reports_of(scene)
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(11))
        await campaign.complete()
        events = await anyio.to_thread.run_sync(reports)
        strangers = [{**fields, "idMensaje": 987_654_321, "Referencia": "pedido 7"} for fields in events]

        assert await record_all(campaigns, strangers) == [False] * len(strangers)
        progress = await settled(campaign, scene)
        assert (progress["delivered"], progress["sent"]) == (0, 11)


@pytest.mark.parametrize("forgery", ["token", "number", "campaign", "phone"])
async def test_fault_13_a_forged_reference_settles_nothing(scene: Scene, forgery: str) -> None:
    """Whoever does not know an opener's token cannot make an unknown recipient sent, or adopt a message."""
    scene.sandbox.fault(Fault.drop_before())
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(11))
        await campaign.complete()
        (unknown,) = await campaign.unknown()
        true = unknown.reference
        assert true
        swapped = {"a": "b", "0": "1"}
        forged = {
            "token": true[:-1] + swapped.get(true[-1], "0"),
            "number": true.replace(":0:", ":7:") if ":0:" in true else true[: len(true) // 2],
            "campaign": ("x" if true[0] != "x" else "y") + true[1:],
            "phone": true,
        }[forgery]
        phone = "34611222333" if forgery == "phone" else unknown.phone
        fields = {"Servicio": "SMSMASIVO", "Resultado": 10, "Remitente": "ACME", "Movil": phone}
        fields |= {"Fecha": "2026-11-22 10:00:00", "Segundos": 3, "idMensaje": 123_456_789}
        fields |= {"Referencia": forged, "idReport": 1}
        await campaigns.record(event_of(fields))

        progress = await settled(campaign, scene)
        assert (progress["unknown"], progress["delivered"]) == (1, 0)
