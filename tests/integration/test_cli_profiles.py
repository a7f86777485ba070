"""Profiles of `mensatek.toml`, where the token comes from, and completion in bash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mensatek_async.sandbox import Sandbox
from tests.command_line import COMMAND, Command

FILE = """default = "shop"

[profiles.shop]
user = "{user}"
sender = "TIENDA"
base_url = "{url}"
store = "shop.db"

[profiles.shop.issuer]
name = "EMPRESA S.L."

[profiles.other]
user = "somebody"
base_url = "{url}"
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own file, not yet there, in a directory that commands run in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config" / "mensatek" / "mensatek.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def shop(own: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two profiles of the sandbox's, of which the second has a user that it does not know."""
    for name in ("USER", "TOKEN"):
        monkeypatch.delenv(f"MENSATEK_API_{name}", raising=False)
    monkeypatch.delenv("MENSATEK_BASE_URL", raising=False)
    own.write_text(FILE.format(user=sandbox.user, url=sandbox.base_url), encoding="utf-8")
    return own


def test_a_profile_gives_what_neither_options_nor_the_environment_do(
    shop: Path, sandbox: Sandbox, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Option, then environment, then profile: the file's own, MENSATEK_PROFILE's, and --profile's before that."""
    monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
    send = ("send", "600000000", "--text", "Hola", "--yes")

    assert command(*send).code == 0
    assert command(*send, "--sender", "OTRO").code == 0
    monkeypatch.setenv("MENSATEK_SENDER", "ENTORNO")
    assert command("--profile", "shop", *send).code == 0
    assert [text.sender for text in sandbox.texts] == ["TIENDA", "OTRO", "ENTORNO"]
    assert "shop.db" in command("campaign", "list").out
    assert "mine.db" in command("campaign", "list", "--store", "mine.db").out

    monkeypatch.setenv("MENSATEK_PROFILE", "other")
    refused = command("credits")
    assert refused.code == 3
    assert command("credits", "--profile=shop").code == 0
    assert "campaigns.db" in command("campaign", "list").out


def test_a_sandbox_of_one_run_keeps_out_of_the_profiles_store(shop: Path, command: Command) -> None:
    """What is tried is not written down among what was sent."""
    rows = Path("r.csv")
    rows.write_text("phone\n600000000\n")

    assert command("campaign", "start", "a", rows, "--text", "Hola", "--sandbox").code == 0
    assert not Path("shop.db").exists()


@pytest.mark.parametrize(
    ("content", "arguments", "told"),
    [
        (
            "[profiles.a]\nusr = 'x'\n",
            (),
            "mensatek.toml, line 2: unknown key usr; it takes user, sender, base_url, ",
        ),
        ("[profiles.a.issuer]\nnif = 'x'\n", (), "line 2: unknown key nif; it takes name, phone, tax_id."),
        ("[profiles.a]\nissuer = { cif = 'x' }\n", (), "line 2: unknown key cif"),
        ("user = 'x'\n", (), "line 1: unknown key user; it takes default, profiles."),
        ("[profiles.a]\nuser = 'x'\n[profiles.b]\ntoken = 'hush'\n", (), "line 4: a secret such as token"),
        ("profiles.a = { user = 'x', API_Token = 'hush' }\n", (), "line 1: a secret such as API_Token"),
        ("[profiles.a]\nuser = 5\n", (), "line 2: profiles.a.user is a text in quotation marks."),
        ("[profiles]\na = 'x'\n", (), "line 2: profiles.a is a table."),
        ("[profiles.a]\nuser = x\n", (), "mensatek.toml, line 2: it is no valid TOML."),
        ("[profiles.a]\nuser = 'x\n", (), "line 2: it is no valid TOML."),
        ("default = 'b'\n[profiles.a]\n", (), "line 1: there is no profile b. The profiles are: a."),
        ("[profiles.a]\n", ("--profile", "b"), "mensatek.toml: there is no profile b. The profiles are: a."),
        (None, ("--profile", "b"), "There is no profile b: the file "),
        (None, ("--config", "nowhere.toml"), "nowhere.toml: it cannot be read: No such file or directory."),
        (None, ("--profile",), "--profile takes a value."),
    ],
    ids=lambda value: None if isinstance(value, tuple) else str(value)[:40],
)
def test_what_is_wrong_in_the_file_is_named_with_its_line(
    content: str | None, arguments: tuple[str, ...], told: str, own: Path, command: Command
) -> None:
    """Before anything is done; a secret is refused in whatever profile, and not shown. Help needs no profile."""
    if content is not None:
        own.write_text(content, encoding="utf-8")

    said = command("segments", "Hola", *arguments)

    assert said.code == 2
    assert told in said.err
    assert "hush" not in said.err
    assert command("--help").code == 0


def test_the_token_comes_from_the_keyring_where_nothing_nearer_has_it(
    shop: Path, sandbox: Sandbox, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A keyring that does not work is as none; a file that others can read is said, and read."""
    kept = {("mensatek", sandbox.user): sandbox.token}
    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=lambda *key: kept.get(key)))
    assert command("credits").code == 0

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace())
    assert "No API credentials" in command("credits").err
    token = tmp_path / "token"
    token.write_text(sandbox.token)
    token.chmod(0o644)
    said = command("credits", "--token-file", token)
    assert (said.code, "chmod 600" in said.err) == (0, True)
    token.chmod(0o600)
    assert not command("credits", "--token-file", token).err


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_options_values_and_files(command: Command, tmp_path: Path) -> None:
    """As installed, in a shell of its own."""
    asked = ("se", "campaign st", "send --te", "send --prof", "segments --encoding-text ", "--la")
    script = """
    . "$HOME/.bashrc"
    name=$(complete -p mensatek | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    complete -p mensatek | grep -o -- "-o default"
    while IFS= read -r line; do
        COMP_WORDS=(mensatek $line); [ "${line% }" != "$line" ] && COMP_WORDS+=("")
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); COMP_LINE="mensatek $line"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
        $name mensatek "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; echo "${COMPREPLY[*]}"
    done
    """
    home = tmp_path / "home"
    home.mkdir()
    installed = subprocess.run(
        [*COMMAND, "--install-completion", "--shell", "bash"],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    completed = subprocess.run(
        ["bash", "--norc", "-c", script],
        input="".join(f"{line}\n" for line in asked),
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )

    assert installed.stdout.startswith("Installed: "), installed.stderr
    assert completed.stdout.splitlines() == [
        "-o default",
        "send segments",
        "start status",
        "--text",
        "--profile",
        "auto gsm unicode",
        "--lang",
    ]
