"""Durable campaigns through the synchronous client: its blocks, its threads, Ctrl-C, and whoever mixes up the two."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import (
    AsyncMensatek,
    BrokenRow,
    CampaignConflict,
    CampaignNotFound,
    Campaigns,
    ConfigurationError,
    Guard,
    InvalidRequest,
    Limits,
    Mensatek,
    Recipient,
    SyncCampaign,
    SyncCampaigns,
    Template,
)
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.sources.batches import RecipientSource, ThreadBatches
from tests.callbacks import report
from tests.sandbox_calls import phones, wait_until
from tests.sync.child import HEAD, child

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000_000, block_after=1_000_000)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and forks are POSIX's")


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Mensatek]:
    """A client with a small chunk."""
    limits = Limits(sms_per_request=10, concurrency=4)
    with Mensatek(limits=limits, guard=Guard(read_interval=0)) as opened:
        yield opened


def texted_once(sandbox: Sandbox, count: int) -> bool:
    """Whether each of them got one text."""
    return all(sandbox.count(phone) == 1 for phone in phones(count))


def test_a_campaign_from_start_to_end(client: Mensatek, sandbox: Sandbox, tmp_path: Path) -> None:
    """Start, complete, look, export: the same words as in the asynchronous one, without `await`."""
    with client.campaigns(tmp_path / "c.db", poll=0.05) as campaigns:
        assert isinstance(campaigns, SyncCampaigns)
        campaign = campaigns.start("navidad", "Hola", phones(95))
        assert isinstance(campaign, SyncCampaign)
        assert campaign.name == "navidad"
        assert campaign.progress().pending == 95
        assert (campaign.pause().state, campaign.resume().state) == ("paused", "running")
        assert [repr(one).startswith("<Sync") for one in (campaigns, campaign)] == [True, True]
        assert campaigns.drive("navidad", budget=0.01).total == 95
        with pytest.raises(CampaignNotFound):
            campaigns.drive("nobody")
        done = campaign.complete()

        assert (done.state, done.sent, done.total) == ("done", 95, 95)
        assert campaign.export(tmp_path / "out.csv") == 95
        assert campaign.unknown() == campaign.problems("invalid") == []
        assert not campaigns.record(report(idMensaje=5))
        assert campaign.resolve("assume_sent") == 0
        assert campaign.reconcile().sent == 95
        assert [one.name for one in campaigns.list()] == ["navidad"]
        assert campaigns.get("navidad").progress().done
        assert campaigns.start("otra", "Hola", phones(3)).cancel().cancelled == 3
        assert campaigns.forget(phones(1)[0]) == 2
        campaigns.get("otra").purge()
        assert campaigns.purge(0.001) in (0, 1)
    assert texted_once(sandbox, 95)


def test_progress_is_watched_while_it_runs(client: Mensatek, sandbox: Sandbox, tmp_path: Path) -> None:
    """`for p in progress` ends with the campaign; `latest` stays readable behind the block."""
    sandbox.fault(Fault.latency(0.05), operation="EnviarSMS", times=None)
    with SyncCampaigns(client, store=tmp_path / "c.db", poll=0.05) as campaigns:
        campaign = campaigns.start("a", "Hola", phones(60))
        with campaign.run(concurrency=2, interval=0.02) as progress:
            seen = [p.sent for p in progress]
            with pytest.raises(StopIteration):
                next(progress)

    assert seen == sorted(seen)
    assert len(seen) > 2
    assert seen[-1] == 60
    assert progress.latest is not None
    assert progress.latest.done


def test_leaving_the_block_early_leaves_the_rest_for_later(
    client: Mensatek, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Whatever ends the block, what was on its way is written down and the next run sends the rest."""
    sandbox.fault(Fault.latency(0.05), operation="EnviarSMS", times=None)
    with SyncCampaigns(client, store=tmp_path / "c.db", poll=0.05) as campaigns:
        campaign = campaigns.start("a", "Hola", phones(200))

        def watched() -> None:
            with campaign.run(interval=0.02) as progress:
                for p in progress:
                    if p.sent > 20:
                        raise RuntimeError("mine")

        with pytest.raises(RuntimeError, match="mine"):
            watched()
        left = campaign.progress()
        assert 20 < left.sent < 200
        assert left.unknown == 0
        assert campaign.complete().sent == 200
    assert texted_once(sandbox, 200)


def test_rows_are_read_in_the_thread_that_called(client: Mensatek, tmp_path: Path) -> None:
    """A cursor may insist on its own thread; when it fails, the same rows, whole, go on where the broken ones ended."""
    threads = set()

    def rows(count: int) -> Iterator[Recipient]:
        for number, phone in enumerate(phones(count)):
            threads.add(threading.get_ident())
            yield Recipient(phone, {"n": str(number)})
        if count < 30:
            raise RuntimeError("the cursor is gone")

    with SyncCampaigns(client, store=tmp_path / "c.db", poll=0.05) as campaigns:
        with pytest.raises(RuntimeError, match="cursor"):
            campaigns.start("a", Template("Hola {n}"), rows(12))
        assert campaigns.get("a").progress().reading
        assert campaigns.start("a", Template("Hola {n}"), rows(30)).complete().sent == 30
    assert threads == {threading.get_ident()}


class Slow(RecipientSource):
    """A source whose second half is there when `ready` is set."""

    def __init__(self) -> None:
        self.ready = threading.Event()

    def rows(self, needed: Sequence[str] | None = None) -> Iterator[Recipient | BrokenRow]:
        yield from map(Recipient, phones(10))
        assert self.ready.wait(30)
        yield from map(Recipient, phones(30)[10:])

    def batches(self, needed: Sequence[str] | None = None) -> ThreadBatches:
        return ThreadBatches(self.rows)

    def describe(self) -> str:
        return "slow rows"


def test_a_source_is_read_on_in_the_background(client: Mensatek, tmp_path: Path) -> None:
    """`start` returns after a moment, and leaving the block waits for the rest."""
    source = Slow()
    with SyncCampaigns(client, store=tmp_path / "c.db", poll=0.05) as campaigns:
        assert campaigns.start("a", "Hola", source).progress().reading
        source.ready.set()
    with SyncCampaigns(client, store=tmp_path / "c.db") as campaigns:
        (found,) = campaigns.list()
    assert (found.total, found.reading) == (30, False)


def test_without_a_block_it_is_closed_by_hand(client: Mensatek, tmp_path: Path) -> None:
    """No block is needed, and closing twice does nothing; a block inside a block is a mistake, one behind it is not."""
    campaigns = SyncCampaigns(client, store=tmp_path / "c.db", poll=0.05)
    assert campaigns.start("a", "Hola", phones(11)).complete().sent == 11
    campaigns.close()
    campaigns.close()
    with campaigns, pytest.raises(ConfigurationError, match="open already"), campaigns:
        pass
    with campaigns:
        assert campaigns.get("a").progress().sent == 11


def test_wrong_arguments_are_told_at_once(sandbox: Sandbox, client: Mensatek, tmp_path: Path) -> None:
    """Before anything is opened; campaigns of the other kind of client say what it should have been."""
    store = tmp_path / "c.db"
    other = AsyncMensatek(sandbox.user, sandbox.token, base_url=sandbox.base_url)
    wrong: list[tuple[Any, Any, str]] = [
        (SyncCampaigns, other, "async with"),
        (Campaigns, client, "SyncCampaigns"),
        (SyncCampaigns, object(), "Mensatek"),
        (Campaigns, object(), "Mensatek"),
    ]
    for kind, given, told in wrong:
        with pytest.raises(ConfigurationError, match=told):
            kind(given, store=store)
    for place, options in ((":memory:", {}), (store, {"poll": 0})):
        with pytest.raises(InvalidRequest):
            SyncCampaigns(client, store=place, **options)
    with SyncCampaigns(client, store=store) as campaigns:
        campaigns.start("a", "Hola", phones(2))
        with pytest.raises(CampaignConflict):
            campaigns.start("a", "Adios", phones(2))


def test_a_campaign_is_shared(client: Mensatek, sandbox: Sandbox, store: str) -> None:
    """By threads, one of which runs it while others watch; and by openings of one store, as on several machines."""
    sandbox.fault(Fault.latency(0.03), operation="EnviarSMS", times=None)
    with (
        SyncCampaigns(client, store=store, poll=0.05) as campaigns,
        SyncCampaigns(client, store=store, poll=0.05) as others,
    ):
        campaign = campaigns.start("a", "Hola", phones(100))
        workers = [threading.Thread(target=campaign.complete), threading.Thread(target=others.work)]
        for worker in workers:
            worker.start()
        seen = set()
        while any(worker.is_alive() for worker in workers):
            seen.add(campaigns.get("a").progress().sent)
            time.sleep(0.01)
        assert campaign.progress().sent == others.get("a").progress().sent == 100
    assert len(seen) > 2
    assert texted_once(sandbox, 100)


CAMPAIGN_HEAD = HEAD + "\nfrom mensatek_async import Limits, SyncCampaigns\n"
RUN = """
    limits = Limits(sms_per_request=10, concurrency=2)
    with Mensatek(limits=limits) as client, SyncCampaigns(client, store="{store}", poll=0.05) as campaigns:
        campaign = campaigns.start("a", "Hola", list(phones(200)))
        tell(started=True)
        {run}
        tell(ended=True)
"""
COMPLETE = "campaign.complete()"
WATCH = """with campaign.run(interval=0.05) as progress:
            for p in progress:
                pass"""


@posix
@pytest.mark.parametrize("run", [COMPLETE, WATCH], ids=["complete", "run"])
def test_ctrl_c_lands_what_is_on_its_way(sandbox: Sandbox, tmp_path: Path, run: str) -> None:
    """Nobody is unknown afterwards, and the same program started again sends the rest."""
    sandbox.fault(Fault.latency(0.2), operation="EnviarSMS", times=None)
    program_text = RUN.format(store=tmp_path / "c.db", run=run)
    with child(program_text, sandbox, head=CAMPAIGN_HEAD) as program:
        program.line()
        wait_until(lambda: len(sandbox.texts) >= 31)
        os.kill(program.process.pid, signal.SIGINT)
        code, errors = program.end()
    assert code != 0
    assert "KeyboardInterrupt" in errors
    assert len(sandbox.texts) < 200
    sandbox.clear_faults()
    with Mensatek("nobody", "nothing") as looker, SyncCampaigns(looker, tmp_path / "c.db") as campaigns:
        left = campaigns.get("a").progress()
    assert (left.sent, left.unknown) == (len(sandbox.texts), 0)

    with child(program_text, sandbox, head=CAMPAIGN_HEAD) as program:
        assert program.line() == {"started": True}
        assert program.line() == {"ended": True}
        assert program.end()[0] == 0
    assert texted_once(sandbox, 200)


ENDLESS = """
    import time
    from mensatek_async.sources.batches import RecipientSource, ThreadBatches

    class Endless(RecipientSource):
        def rows(self, needed=None):
            for phone in phones(10**6):
                time.sleep(0.05)
                yield phone
        def batches(self, needed=None):
            return ThreadBatches(self.rows)
        def describe(self):
            return "endless rows"

    with Mensatek(limits=Limits(sms_per_request=2)) as client, SyncCampaigns(client, "{store}") as campaigns:
        campaigns.start("a", "Hola", Endless())
        tell(started=True)
        {then}
    """


@posix
@pytest.mark.parametrize("then", ["time.sleep(60)", "pass"], ids=["inside", "while leaving"])
def test_ctrl_c_ends_the_reading_of_recipients(sandbox: Sandbox, tmp_path: Path, then: str) -> None:
    """Nobody waits for a source that has hours to go."""
    with child(ENDLESS.format(store=tmp_path / "c.db", then=then), sandbox, head=CAMPAIGN_HEAD) as program:
        program.line()
        time.sleep(0.3)
        started = time.monotonic()
        os.kill(program.process.pid, signal.SIGINT)
        code, errors = program.end()
        taken = time.monotonic() - started

    assert code != 0
    assert "KeyboardInterrupt" in errors
    assert "did not end in time" not in errors
    assert taken < 15


FORK = """
    campaigns = SyncCampaigns(Mensatek(), store="{store}", poll=0.05)
    campaigns.start("a", "Hola", list(phones(20)))
    pid = os.fork()
    if pid == 0:
        found = campaigns.get("a").complete()
        tell(sent=found.sent)
        os._exit(0)
    os.waitpid(pid, 0)
    tell(sent=campaigns.get("a").progress().sent)
    campaigns.close()
"""


@posix
def test_a_forked_process_has_campaigns_of_its_own(sandbox: Sandbox, tmp_path: Path) -> None:
    """As a server with workers does it: made before the fork, used behind it on both sides."""
    with child(FORK.format(store=tmp_path / "c.db"), sandbox, head=CAMPAIGN_HEAD) as program:
        assert program.line() == {"sent": 20}
        assert program.line() == {"sent": 20}
    assert texted_once(sandbox, 20)
