"""`--metrics` of the two workers, as Prometheus reads it; and the dashboard over them."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mensatek_async import Mensatek, SyncCampaigns, SyncOutbox
from mensatek_async.observe.metrics import METRICS
from mensatek_async.sandbox import Fault, Sandbox
from tests.command_line import Command, started
from tests.markdown import ROOT
from tests.sandbox_calls import wait_until
from tests.sync.child import environment

PHONES = [str(34_600_000_000 + number) for number in range(50)]
LABELS = ("messaging_operation_name", "mensatek_area", "error_type")
Samples = dict[str, dict[str, float]]


def scraped(url: str) -> Samples:
    """What Prometheus reads: by name, the values of each operation, area and error."""
    samples: Samples = {}
    for family in text_string_to_metric_families(httpx.get(url).text):
        for one in family.samples:
            labels = [one.labels.get(name, "") for name in LABELS]
            samples.setdefault(one.name, {})[",".join(filter(None, labels))] = one.value
    return samples


@contextmanager
def worker(sandbox: Sandbox, folder: Path, *command: str) -> Iterator[str]:
    """A worker as a process of its own, until a signal; gives where its metrics are."""
    process = started(*command, "--metrics", "0", cwd=folder, env=environment(sandbox))
    assert process.stderr is not None
    try:
        yield process.stderr.readline().split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")
@pytest.mark.parametrize("area", ["campaigns", "outbox"])
def test_a_worker_serves_its_metrics_while_it_runs(sandbox: Sandbox, tmp_path: Path, area: str) -> None:
    """Calls, repeats, time, recipients and credits, under the names of OpenTelemetry's exporters; gone with it."""
    with Mensatek(sender="ACME") as client:
        if area == "outbox":
            command = ["outbox", "run"]
            with SyncOutbox(client, tmp_path / "outbox.db") as box:
                for phone in PHONES:
                    box.put(phone, phone, "Hola")
        else:
            command = ["campaign", "work", "--concurrency", "1"]
            with SyncCampaigns(client, tmp_path / "campaigns.db") as campaigns:
                campaigns.start("navidad", "Hola", PHONES, chunk_size=1)
    sandbox.fault(Fault.latency(0.2), times=None)
    sandbox.fault(Fault.refuse(-3), operation="EnviarSMS", after=1)

    with worker(sandbox, tmp_path, *command) as url:
        wait_until(lambda: scraped(url).get("mensatek_calls_total", {}).get(f"EnviarSMS,{area}", 0) > 2)
        samples = scraped(url)

    assert samples["mensatek_calls_total"][f"EnviarSMS,{area},BadParameters"] == 1
    assert samples["mensatek_call_duration_seconds_count"][f"EnviarSMS,{area}"] > 2
    assert samples["mensatek_recipients_total"][f"EnviarSMS,{area}"] > 2
    assert samples["mensatek_credits_total"][f"EnviarSMS,{area}"] > 2
    assert samples["mensatek_credits_left"][""] > 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_port_that_cannot_be_had_is_said(
    sandbox: Sandbox, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent; only this machine is listened on."""
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port in (taken.getsockname()[1], 70_000, -1):
            for words in (("outbox", "run"), ("campaign", "work")):
                said = command(*words, "--metrics", str(port))
                assert (said.code, f"Nothing can listen at 127.0.0.1 port {port}: " in said.err) == (2, True)
                assert "Servname" not in said.err
    assert not sandbox.requests


def test_the_dashboard_names_metrics_that_there_are() -> None:
    """Each metric and label of its queries is one of the table's, and each metric of the table is shown."""
    dashboard = json.loads((ROOT / "docs" / "examples" / "grafana.json").read_text(encoding="utf-8"))
    queries = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    queries += " ".join(one["query"] for one in dashboard["templating"]["list"] if one["type"] == "query")
    names = {one.prometheus: one for one in METRICS}
    labels = {label.replace(".", "_") for one in METRICS for label in one.labels} | {"le"}

    named = set(re.findall(r"mensatek_\w+(?=[\[{,)\s]|$)", queries)) - labels
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in named} == names.keys()
    grouped = {label for group in re.findall(r"by \(([^)]+)\)", queries) for label in group.split(", ")}
    assert grouped | set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!=|=)", queries)) <= labels
