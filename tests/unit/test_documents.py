"""The documents, held against the code."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import mensatek_async
from mensatek_async import errors
from mensatek_async.cli.app import app, run
from tests import generated_pages, public_api
from tests.markdown import DOCUMENTS, ROOT, blocks, sections

README = ROOT / "README.md"
PACKAGE = ROOT / "mensatek_async"
SPANISH = [page for page in DOCUMENTS if page.is_relative_to(ROOT / "docs/es") and page.stem != "index"]


def test_the_first_command_does_the_main_job() -> None:
    """One line, from nothing to 5,000 texts, with files and extras that exist; the second runs the tests, and
    continuous integration runs it as it stands here."""
    first, second, *_ = (b.text.splitlines()[0] for b in blocks(README) if b.language == "sh")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (asked,) = re.findall(r"'\.\[([\w,]+)\]'", first)
    (file,) = re.findall(r"mensatek bulk (\S+)", first)

    assert set(asked.split(",")) <= extras.keys()
    assert (ROOT / file).is_file()
    assert "--sandbox" in first
    assert second == "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s tests"


def _help(*command: str) -> str:
    code = "import sys; from mensatek_async.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("page", "parts"),
    [("command.md", ["What it does"]), ("es/command.md", ["Lo que hace", "Cómo se comporta"])],
)
def test_the_command_does_what_its_page_says(page: str, parts: list[str]) -> None:
    """Every command on the page is there, and every option named is an option of one of them."""
    told = "".join(sections(ROOT / "docs" / page)[part] for part in parts)
    commands = set(re.findall(r"^\| `mensatek ([\w-]+)", told, re.MULTILINE))

    helps = "".join(_help(command) for command in commands)

    assert commands == {
        *("credits", "send", "report", "files", "bulk", "campaign", "outbox", "opt-outs"),
        *("certified", "contract", "segments", "sandbox", "webhooks", "mcp", "doctor"),
    }
    assert not {option for option in re.findall(r"`(--[\w-]+)", told) if option not in helps}


@pytest.mark.parametrize(
    ("group", "page"),
    [
        *(("campaign", "campaigns.md"), ("outbox", "outbox.md"), ("opt-outs", "opt-outs.md")),
        *(("campaign", "es/campaigns.md"), ("outbox", "es/outbox.md"), ("opt-outs", "es/opt-outs.md")),
    ],
)
def test_the_commands_of_a_group_are_those_of_their_page(
    capsys: pytest.CaptureFixture[str], group: str, page: str
) -> None:
    """Every command and option of the page is there, and no command is missing on it."""
    found = sections(ROOT / "docs" / page)
    told = found.get("At the command line") or found["En la línea de órdenes"]
    first = re.findall(r"^\| (`.+?) \|", told, re.MULTILINE)
    named = {word for cell in first for word in re.findall(r"`(\w+)", cell)} - {"mensatek"}
    run([group, "--help"])
    groups = capsys.readouterr().out
    for command in (["bulk"], *([group, name] for name in named)):
        run([*command, "--help"])
    helps = capsys.readouterr().out

    assert named == set(re.findall(r"^│ (\w+) ", groups, re.MULTILINE))
    assert not {option for option in re.findall(r"`(--[\w-]+)", told) if option not in helps}


def test_every_extra_and_variable_is_on_the_clients_page() -> None:
    """Each extra of pyproject.toml, and each variable of the environment that a file of the package reads."""
    page = set(re.findall(r"`([\w-]+)`", (ROOT / "docs/client.md").read_text(encoding="utf-8")))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))

    assert extras.keys() <= page
    assert {*re.findall(r"\bMENSATEK_[A-Z_]+\b", code)} - page == {
        "MENSATEK_FAULT_POINTS"
    }  # for our own tests


def test_the_generated_pages_are_up_to_date() -> None:
    """Methods, paths, parameters, codes and statuses are those of the tables; `python -m tests.generated_pages` writes
    them anew."""
    assert {
        path: path.read_text(encoding="utf-8") for path in generated_pages.pages()
    } == generated_pages.pages()


@pytest.mark.parametrize(("page", "maybe"), [("errors.md", "maybe"), ("es/errors.md", "quizá")])
def test_every_error_is_described(page: str, maybe: str) -> None:
    """The page has a row for each class: what to do, and whether anything was sent, as the class says."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:3] == "| `"
    ]
    families = (errors.MensatekError, Warning)
    public = {name: getattr(mensatek_async, name) for name in mensatek_async.__all__}
    classes = {
        name: one for name, one in public.items() if isinstance(one, type) and issubclass(one, families)
    }

    assert sorted(row[0].strip("`") for row in rows) == sorted(classes.keys() - {"MensatekError"})
    for name, _, *rest in rows:
        sent = getattr(classes[name.strip("`")], "sent", ...)
        assert rest[0] == {False: "no", None: maybe}.get(sent, rest[0]), name
        assert rest[-1] or name == "`MensatekWarning`"


def _referenced() -> set[object]:
    """What docs/reference has directives for; Sphinx, whose warnings are errors, writes their docstrings there."""
    found: set[object] = set()
    for page in (ROOT / "docs/reference").glob("*.md"):
        module = ""
        for kind, name in re.findall(r"^\.\. (\w+):: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            if kind == "currentmodule":
                module = name
            elif kind.startswith(("auto", "data")):
                home, _, name = (
                    f"{module}.{name}".rpartition(".") if "." not in name else name.rpartition(".")
                )
                found.add(_identity(getattr(importlib.import_module(home), name)))
    return found


def _identity(value: object) -> object:
    return value if isinstance(value, type) or callable(value) else repr(value)


@pytest.mark.parametrize("module", public_api.MODULES)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    """Each name of `__all__`, by what it stands for: some are given out by two modules and described once."""
    home = importlib.import_module(module)
    described = _referenced()

    values = {name: getattr(home, name) for name in home.__all__}
    assert not {
        name
        for name, value in values.items()
        if not isinstance(value, ModuleType) and _identity(value) not in described
    }


PATH = re.compile(r"`([\w./-]+\.(?:pyi?|json|md))`")


@pytest.mark.parametrize("name", ["CONTRIBUTING", "life-of-a-send", "life-of-a-callback", "architecture"])
def test_files_named_for_contributors_exist(name: str) -> None:
    """Each path is a file, from the root of the project or of the package."""
    named = set(PATH.findall((ROOT / f"docs/{name}.md").read_text(encoding="utf-8")))

    assert named
    assert not {one for one in named if not any((top / one).is_file() for top in (ROOT, PACKAGE))}


def test_the_life_of_a_callback_names_a_file_in_each_sentence() -> None:
    """Where it is done stands beside what is done."""
    _, _, story = (ROOT / "docs/life-of-a-callback.md").read_text(encoding="utf-8").partition("\n**")
    sentences = re.split(r"\.\s+", re.sub(r"\*\*.+?\*\*", "", f"**{story.strip()}"))

    assert len(sentences) > 15
    assert not [one for one in sentences if not PATH.search(one)]


def test_the_picture_of_the_rooms_has_them_all() -> None:
    """Each folder of the package."""
    words = set(re.findall(r"\w+", (ROOT / "docs/images/rooms.svg").read_text(encoding="utf-8")))

    assert not {path.name for path in PACKAGE.iterdir() if path.is_dir()} - words - {"__pycache__"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """A relative link names a file that is there, and a heading that is in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"\w+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, (
                target
            )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_snippets_are_python(document: Path) -> None:
    """Every Python block compiles where it stands and is run: by test_pages.py, or by the test that a comment before it
    names, which reads that document."""
    for block in blocks(document):
        if block.language == "python":
            compile(block.text, f"{document}:{block.line}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if block.said.startswith("run by "):
            test = (ROOT / block.said.removeprefix("run by ")).read_text(encoding="utf-8")
            assert document.name in test or f"docs/{document.parent.name}" in test
        else:
            assert block.language != "python" or not block.said or block.said.startswith("not run: ")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_the_documents_are_taken(document: Path) -> None:
    """Each line for a shell is a command with options that it has; those of docs/tutorials are given as well."""
    shells = "\n".join(block.text for block in blocks(document) if block.language == "sh")
    for found in re.finditer(r"^(?:timeout -s KILL \d+ |\w+=\S+ )*mensatek (.+)", shells, re.MULTILINE):
        app.parse_args(shlex.split(found[1], comments=True), exit_on_error=False, print_error=False)


def _code(page: Path) -> list[tuple[str, str]]:
    """Its blocks of code without their comments, but for one that names the file."""
    found: list[tuple[str, str]] = []
    for block in blocks(page):
        if block.language == "python":
            name = re.match(r"# \S+\.py\n", block.text)
            found.append((name[0] if name else "", ast.dump(ast.parse(block.text))))
        elif block.language in ("sh", "toml"):
            found.append((block.language, re.sub(r"\s+# .*", "", block.text)))
    return found


@pytest.mark.parametrize("page", SPANISH, ids=lambda path: str(path.relative_to(ROOT)))
def test_spanish_pages_have_the_code_of_their_twins(page: Path) -> None:
    """Which is run where it stands in English; words and comments alone are in Spanish. Tutorials have all of it,
    pages for operators what they need."""
    spanish, english = _code(page), _code(ROOT / "docs" / page.relative_to(ROOT / "docs/es"))
    followed = page.stem == "start" or page.parent.name == "tutorials"

    assert spanish == english if followed else all(one in english for one in spanish)
