"""Windows and macOS, as far as Linux can show them: what touches files, processes or signals is used once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mensatek_async import InvalidRequest
from mensatek_async.sandbox import Sandbox
from mensatek_async.store.opening import open_database
from tests.sync.child import environment

PROGRAM = """
from datetime import timedelta
from pathlib import Path
import anyio
from mensatek_async import (
    AsyncMensatek, Campaigns, CertificateArchive, CsvSource, InvalidRequest, Issuer, Mensatek, Outbox, Template
)
from mensatek_async.cli.app import run

Path("people.csv").write_text("movil,nombre\\n600000001,Ana\\n600000002,Luis\\n", encoding="utf-8")

def command(*words):
    assert run([*words]) == 0, words

async def main():
    async with (
        AsyncMensatek() as client, Campaigns(client, store="all.db") as campaigns, Outbox(client, "all.db") as box
    ):
        campaign = await campaigns.start("a", Template("Hola {nombre}"), CsvSource("people.csv", phone="movil"))
        assert (await campaign.complete()).sent == 2
        for _ in range(2):
            await campaign.export("out.csv")
        await box.put("k", "600000003", "Hola")
        assert (await box.drain(5))["sent"] == 1
        await campaign.purge()
        await box.purge(timedelta(microseconds=1))
        sent = await client.certified.send("600000004", "Hola", issuer=Issuer("EMPRESA", "900000000", "B12345674"))
        print("archive", await CertificateArchive(client, "archive").collect(sent.message_id))
        before = Path("out.csv").read_bytes()
        with open("out.csv", "rb"):
            try:
                await campaign.export("out.csv")
                print("replaced")
            except InvalidRequest as error:
                print("refused:", error)
                assert Path("out.csv").read_bytes() == before

anyio.run(main)
with Mensatek() as client:
    assert client.sms.send("600000005", "Hola").accepted == 1
for _ in range(2):
    command("bulk", "people.csv", "--text", "Hola {nombre}", "--yes", "--again", "--report", "report.csv")
command("campaign", "start", "b", "people.csv", "--text", "Hola", "--yes", "--store", "all.db")
command("campaign", "report", "b", "report.html", "--store", "all.db")
command("outbox", "drain", "--store", "all.db")
command("opt-outs", "add", "600000009", "--store", "all.db")
command("opt-outs", "export", "opt-outs.csv", "--store", "all.db")
print("left over:", [one.name for one in Path().rglob("*.part")])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it shows other systems on Linux")
@pytest.mark.parametrize(
    ("system", "told"), [("windows", "refused: 'out.csv' cannot be written"), ("macos", "replaced")]
)
def test_everything_works_elsewhere(sandbox: Sandbox, tmp_path: Path, system: str, told: str) -> None:
    """What is written over while another program has it open is refused on Windows, and stays as it was."""
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.other_systems", system, "program.py"],
        cwd=tmp_path,
        env=environment(sandbox),
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert "left over: []" in done.stdout


@pytest.mark.parametrize("path", ["C:\\Users\\ana\\c.db", "C:/Users/ana/c.db", "d:c.db", "\\\\?\\C:\\c.db"])
def test_a_drive_is_no_address(path: str) -> None:
    """A letter and a colon begin a path; a word and a colon with slashes do not."""
    assert open_database(path).shown == repr(path)

    with pytest.raises(InvalidRequest, match="store is the path"):
        open_database("CC:/Users/ana/campaigns.db")
