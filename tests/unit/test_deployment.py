"""docs/deploy: what the image and the compose file promise, where there is no Docker to try them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command_line import Command

FOLDER = Path(__file__).parents[2] / "docs" / "deploy"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


def _commands() -> list[list[str]]:
    """Every `mensatek` command that the two files run or check with."""
    told = DOCKERFILE.replace('\\"', '"') + yaml.safe_dump(COMPOSE, width=1000).replace("$$", "$")
    return [
        shlex.split(one)
        for one in sorted(set(re.findall(r"mensatek (?:outbox|campaign)[^|\]]+?STORE\"", told)))
    ]


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_every_command_is_one(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """With its options; the checks end well where a store is new, and what sends wants an account."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENSATEK_API_USER", "user")
    said = command(*(one.replace("$MENSATEK_STORE", "new.db") for one in words[1:]))

    assert said.code == (0 if words[2] == "status" else 2)
    assert words[2] == "status" or "MENSATEK_API_TOKEN" in said.err


def test_the_image_runs_as_nobody_and_says_how_it_is() -> None:
    """Its last stage, which is the one that runs; the shell gives way to the worker, so that SIGTERM reaches it."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\d+)", last, re.MULTILINE)

    assert user
    assert int(user[1]) > 0
    assert "\nHEALTHCHECK " in last
    assert re.search(r'^CMD \["sh", "-c", "exec mensatek ', last, re.MULTILINE)
    assert not re.search(r"TOKEN|PASSWORD", DOCKERFILE)


def test_the_compose_file_starts_workers_once_their_database_answers() -> None:
    """No secret stands in it, and each service has a health check: its own, or that of the image."""
    workers = {name: one for name, one in SERVICES.items() if name != "database"}

    assert set(workers) == {"outbox", "campaigns"}
    for one in workers.values():
        assert one["depends_on"] == {"database": {"condition": "service_healthy"}}
        assert one["build"]["dockerfile"] == "docs/deploy/Dockerfile"
        assert one["command"][:2] == ["sh", "-c"]
        assert one["command"][2].startswith("exec mensatek ")
    for one in SERVICES.values():
        secrets = {
            key: value for key, value in one["environment"].items() if re.search("TOKEN|PASSWORD", key)
        }
        assert secrets
        assert all(value.startswith("${") for value in secrets.values())
    assert {name for name, one in SERVICES.items() if "healthcheck" in one} == {"campaigns", "database"}
