"""What the project runs on itself, see `nox --list`; Python 3.11 and pip are enough. `nox` alone is what CI runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "virtualenv"  # not uv: it does not read pip's configuration

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PACKAGE = "mensatek_async"


def _group(name: str) -> list[str]:
    # Nox expands the groups itself, because the pip that comes with Python 3.11 has no --group.
    return list(nox.project.dependency_groups(PROJECT, name))


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, on asyncio and trio, files shared out over the processors; arguments after -- go to pytest instead."""
    session.install("-q", ".[all,mcp]", *_group("tests"))
    session.run("pytest", *(session.posargs or ["-n", "auto", "--dist", "loadfile"]))


_NEWER = ["3.12", "3.13", "3.14"]
for _version in ("3.11", *_NEWER):  # `nox -s tests-3.12`
    nox.session(tests, python=_version, name=f"tests-{_version}", default=False)


@nox.session
def tests_webhooks(session: nox.Session) -> None:
    """Webhooks under FastAPI, Flask, Django, aiohttp and Quart."""
    session.install("-q", ".[all]", *_group("tests"), *_group("webhooks-tests"))
    asked = session.posargs or [
        "tests/integration/test_webhook_frameworks.py",
        "tests/integration/test_web_backends.py",
        "tests/integration/test_tutorials.py::test_a_tutorial_works_to_its_end[web-backend]",
        "tests/field/test_callbacks.py",
    ]
    session.run("pytest", *asked)


@nox.session
def tests_sync(session: nox.Session) -> None:
    """The synchronous client under gunicorn with Flask and Django, Celery, gevent and IPython."""
    session.install("-q", ".[all]", *_group("tests"), *_group("sync-tests"))
    asked = session.posargs or [
        f"tests/sync/test_sync_{name}.py" for name in ("frameworks", "campaign_workers")
    ]
    session.run("pytest", *asked)


@nox.session
def tests_outbox(session: nox.Session) -> None:
    """The programs of docs/outbox.md under their servers: FastAPI, Django, Flask, Celery; and OpenTelemetry."""
    session.install("-q", ".[all]", *_group("tests"), *_group("outbox-tests"))
    asked = session.posargs or [f"tests/integration/test_{name}_frameworks.py" for name in ("outbox", "otel")]
    session.run("pytest", *asked)


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """The fault suite in full, then storms of kills, over campaigns (arguments after -- go there) and an outbox."""
    session.install("-q", ".[all]", *_group("tests"))
    session.run("pytest", "-q", "tests/faults", env={"FAULTS": "all"})
    session.run("python", "-m", "tests.faults.storm", *session.posargs)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Callbacks, replies and CSV of bytes nobody wrote: ten minutes, or three times the seconds after --."""
    _fuzz(session, *session.posargs)


@nox.session
def fuzz_quick(session: nox.Session) -> None:
    """The same for half a minute."""
    _fuzz(session, "10")


def _fuzz(session: nox.Session, *seconds: str) -> None:
    session.install("-q", ".[all]", *_group("fuzz"))
    for target in ("callbacks", "replies", "csv"):
        session.run("python", "-m", "tests.fuzz", target, *seconds)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Changes of the code that no test notices, an hour or more: of all rooms in [tool.mutmut], or those after --."""
    session.install("-q", ".[all]", *_group("tests"), *_group("mutation"))
    session.run("mutmut", "run", *session.posargs)  # such as "mensatek_async.text.*"
    rooms: dict[str, Counter[str]] = {}
    for path in sorted(Path("mutants", PACKAGE).rglob("*.meta")):
        for code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].values():
            noticed = {None: "not run", 0: "survived", 5: "no test", 33: "no test"}.get(code, "killed")
            rooms.setdefault(path.parent.relative_to("mutants").as_posix(), Counter())[noticed] += 1
    for room, counts in rooms.items():
        session.log(f"{room}: {counts['killed'] / counts.total():.0%}, {dict(counts)}")
    session.log("mutmut results names the survivors, mutmut show NAME shows one")


@nox.session
def tests_plugin(session: nox.Session) -> None:
    """The pytest plugin beside pytest-xdist and pytest-asyncio, against aiohttp and uvloop, with FastAPI and Django."""
    session.install("-q", ".[all]", *_group("tests"), *_group("plugin-tests"))
    asked = session.posargs or [
        f"tests/integration/test_testing_{name}.py" for name in ("plugin", "tools", "docs")
    ]
    session.run("pytest", "-p", "no:asyncio", *asked)


@nox.session
def tests_openapi(session: nox.Session) -> None:
    """Schemathesis drives the sandbox by its OpenAPI document, the same calls every time; two minutes."""
    session.install("-q", ".[all]", *_group("tests"), *_group("openapi-tests"))
    asked = session.posargs or ["tests/openapi"]
    session.run("pytest", *asked)


@nox.session
def tests_browser(session: nox.Session) -> None:
    """The sandbox's page in Debian's Chromium, end to end; what it looked like is kept in build/browser."""
    if not Path("/usr/bin/chromium").exists():
        session.error("Chromium is missing. On Debian: apt-get install --no-install-recommends chromium")
    session.install("-q", ".[all]", *_group("tests"), *_group("browser-tests"))
    session.env["MENSATEK_TESTS_BROWSER"] = "1"  # the other sessions leave them out
    session.run("pytest", *(session.posargs or ["tests/browser"]))


@nox.session(python=_NEWER)
def tests_unit(session: nox.Session) -> None:
    """The unit tests on the newer Pythons."""
    session.install("-q", ".[all]", *_group("tests"))
    session.run("pytest", *(session.posargs or ["-q", "tests/unit"]))


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """All tests against the lowest versions that pyproject.toml allows, the tools' own included."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(one for extra in extras for one in extra), *_group("tests")]
    floors = [found for one in wanted if (found := re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\w.]+)", one))]
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text("".join(f"{floor[1]}=={floor[2]}\n" for floor in floors), encoding="utf-8")
    session.install("-q", ".[all,mcp]", *_group("tests"), "-c", str(constraints))
    # But for the tutorials: dozens of programs and commands, which `tests` follows already.
    asked = ["-q", "-n", "auto", "--dist", "loadfile", "--ignore", "tests/integration/test_tutorials.py"]
    session.run("pytest", *(session.posargs or asked))


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Branch coverage of the package, subprocesses included; fails under 98 %."""
    session.install("-q", "-e", ".[all,mcp]", *_group("tests"))
    # Apart from the tests' own data, and removed first: pieces of an earlier run would count.
    session.env["COVERAGE_FILE"] = str(Path(session.create_tmp()).absolute() / "coverage")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-q", *session.posargs)
    session.run("coverage", "combine", "-q")
    session.run("coverage", "report", "--fail-under=98")


@nox.session
def sync_check(session: nox.Session) -> None:
    """Whether the synchronous client is what its generator would write from the asynchronous one."""
    session.install("-q", "-e", ".", *_group("lint"))
    session.run("python", "-m", f"{PACKAGE}.sync._generate", "--check")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: rules and format."""
    session.install("-q", *_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("hadolint", "docs/deploy/Dockerfile")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy strict and pyright on the package and on a typed user script; completeness of the public types."""
    session.install("-q", ".[all,mcp,keyring]", *_group("types"), *_group("tests"))
    # What mcp brings: a folder of the same name as the module `multipart`, which type checkers then see instead.
    session.run("python", "-m", "pip", "uninstall", "-q", "-y", "python-multipart")
    session.run("mypy")
    session.run("pyright")
    # From elsewhere: pyright would find the checkout first, and the check is about what is installed.
    with session.chdir(session.create_tmp()):
        told = session.run(
            *("pyright", "--verifytypes", PACKAGE, "--ignoreexternal", "--outputjson"),
            silent=True,
            success_codes=[0, 1],
        )
    _check_public_types(session, json.loads(str(told)))


# The modules that users import from; pyright counts every module without an underscore.
_PUBLIC = (PACKAGE, *(f"{PACKAGE}.{name}" for name in ("text", "sandbox", "webhooks", "testing", "otel")))


def _check_public_types(session: nox.Session, report: dict[str, Any]) -> None:
    """Fail unless every public name, its members included, has a type that all type checkers read alike."""
    symbols = report["typeCompleteness"]["symbols"]
    public = [one for one in symbols if one["isExported"] and one["name"].rpartition(".")[0] in _PUBLIC]
    unclear = {one["name"] for one in public if one["isTypeAmbiguous"] or not one["isTypeKnown"]}
    classes = {name.rpartition(".")[2] for name in unclear}
    for one in symbols:
        for diagnostic in one["diagnostics"] if classes & set(one["name"].split(".")) else ():
            session.log(f"{one['name']}: {diagnostic['message']}")
    if unclear or not public:
        session.error(f"public names whose types are not complete: {sorted(unclear)}")
    session.log(f"{len(public)} public names, all with complete types")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, into build/site, from docs/ and the docstrings; warnings are errors, nothing is fetched."""
    session.install("-q", ".[all]", *_group("docs"))
    asked = session.posargs or ["-q"]
    session.run(
        *("python", "-m", "sphinx", "-W", "--keep-going", "-E", "-b", "html"), *asked, "docs", "build/site"
    )
    fetched = re.compile(r'(?:src=|<link[^>]* href=|@import |url\()["\']?https?:')
    files = [path for path in Path("build/site").rglob("*") if path.suffix in (".html", ".css")]
    if strays := [str(path) for path in files if fetched.search(path.read_text(encoding="utf-8"))]:
        session.error(f"pages that fetch something: {strays}")


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel, twice and alike; try them as built, each extra alone; SBOM and licences in build/."""
    session.install("-q", *_group("build"))
    session.env.setdefault("SOURCE_DATE_EPOCH", "1790000000")
    out, kept = Path(session.create_tmp()).absolute() / "dist", ROOT / "build"
    shutil.rmtree(out, ignore_errors=True)
    wheel, sdist = _built(session, ROOT, out / "first")
    _check_wheel(session, wheel)
    _check_sdist(session, sdist)
    with tarfile.open(sdist) as archive:
        archive.extractall(out, filter="data")
    (source,) = (path for path in out.iterdir() if path.name.startswith(PACKAGE))
    again = _built(session, source, out / "second")
    if [one.read_bytes() for one in again] != [one.read_bytes() for one in (wheel, sdist)]:
        session.error("built from the sdist it is another sdist or another wheel: not reproducible")
    shutil.rmtree(kept / "sbom", ignore_errors=True)
    (kept / "sbom").mkdir(parents=True)
    licences: dict[str, str] = {}
    for extra in ("", *PROJECT["project"]["optional-dependencies"]):
        if extra != "all":
            licences |= _try_extra(session, wheel, extra, out / f"venv-{extra}", kept / "sbom")
    listed = "".join(f"{name}: {licence}\n" for name, licence in sorted(licences.items()))
    (kept / "licences.txt").write_text(listed, encoding="utf-8")
    session.log(f"licences, also in build/licences.txt:\n{listed}")
    if strong := [name for name, licence in licences.items() if re.search(r"(?<!L)A?GPL|^$", licence)]:
        session.error(f"no licence, or one that asks for the same of whoever uses it: {strong}")
    _check_image(session, wheel, out)
    _try_as_built(session, source, wheel, out / "venv-tests")


def _built(session: nox.Session, source: Path, out: Path) -> tuple[Path, Path]:
    command = ("python", "-m", "build", "--no-isolation", "--outdir", str(out), str(source))
    session.run(*command, silent=True)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def _environment(session: nox.Session, folder: Path, *requirements: str) -> str:
    """Return the Python of a new environment that has these and what they need, not even pip."""
    session.run("python", "-m", "venv", "--without-pip", str(folder), silent=True)
    python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    session.run("python", "-m", "pip", "--python", python, "install", "-q", *requirements)
    return python


def _try_extra(session: nox.Session, wheel: Path, extra: str, folder: Path, sboms: Path) -> dict[str, str]:
    """Install the wheel with one extra alone, or "" for none, and try it; return what is installed, with licences."""
    python = _environment(session, folder, f"{wheel}[{extra}]" if extra else str(wheel))
    with session.chdir(folder):
        session.run(python, str(ROOT / "tests/built/extras.py"), extra, external=True, silent=True)
    sbom = sboms / f"{PROJECT['project']['name']}{'-' if extra else ''}{extra}.cdx.json"
    described = ("--output-reproducible", "--mc-type", "library", "--pyproject", str(ROOT / "pyproject.toml"))
    session.run("cyclonedx-py", "environment", *described, "-o", str(sbom), python, silent=True)
    components = json.loads(sbom.read_text(encoding="utf-8"))["components"]
    if not extra and len(components) + 1 > _MOST_DISTRIBUTIONS:
        session.error(f"a plain install brings {len(components) + 1} distributions")
    return {one["name"]: _licence(one) for one in components}


_MOST_DISTRIBUTIONS = 13  # of a plain install, ours among them


def _licence(component: dict[str, Any]) -> str:
    stated = component.get("licenses", ())
    names = [one.get("expression") or one["license"].get("id") or one["license"]["name"] for one in stated]
    return next((name for name in names if not name.startswith("License ::")), "".join(names[:1]))


def _check_image(session: nox.Session, wheel: Path, out: Path) -> None:
    """Build the wheel of what docs/deploy/Dockerfile copies, and nothing else."""
    copied = re.findall(
        r"^COPY (?!--)(.+) \S+$", (ROOT / "docs/deploy/Dockerfile").read_text("utf-8"), re.MULTILINE
    )
    context = out / "image"
    for name in " ".join(copied).split():
        target = context / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    command = (
        "python",
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(out / "third"),
        str(context),
    )
    session.run(*command, silent=True)
    if (out / "third" / wheel.name).read_bytes() != wheel.read_bytes():
        session.error("what docs/deploy/Dockerfile copies is built into another wheel")


def _try_as_built(session: nox.Session, source: Path, wheel: Path, folder: Path) -> None:
    """Run tests of the sdist against the wheel, with no source of the package in sight."""
    shutil.rmtree(source / PACKAGE)
    python = _environment(session, folder, f"{wheel}[all]", *_group("tests"))
    with session.chdir(source):
        session.run(python, "-m", "pytest", "-q", *_AS_BUILT, external=True)


_AS_BUILT = [f"tests/integration/test_{name}.py" for name in ("client_sandbox", "cli_commands")]


def _data_files() -> set[str]:
    """Every file of the package in the checkout, by its path in the wheel."""
    files = (path for path in (ROOT / PACKAGE).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def _check_wheel(session: nox.Session, wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    generator = f"{PACKAGE}/sync/_generate/"  # of use in a checkout only
    missing = {name for name in _data_files() if not name.startswith(generator)} - names
    strays = {name for name in names if not name.startswith((f"{PACKAGE}/", f"{PACKAGE}-"))}
    strays |= {name for name in names if name.startswith(generator)}
    if missing or strays or f"{PACKAGE}/py.typed" not in names:
        session.error(f"wheel: missing {sorted(missing)}, does not belong {sorted(strays)}")


def _check_sdist(session: nox.Session, sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = _data_files() | {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "noxfile.py"}
    hidden = {name for name in names if name.startswith(".") and name != ".gitignore"}
    if needed - names or hidden:
        session.error(f"sdist: missing {sorted(needed - names)}, does not belong {sorted(hidden)}")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The benchmarks; arguments after -- go to benchmarks/run.py (see benchmarks/README.md)."""
    _benchmarks(session, *session.posargs)


@nox.session
def bench_quick(session: nox.Session) -> None:
    """Whether the benchmarks run: a minute."""
    _benchmarks(session, "--quick")


def _benchmarks(session: nox.Session, *arguments: str) -> None:
    session.install("-q", ".[all]", *_group("bench"))
    session.run("python", "benchmarks/peers.py")  # each in an environment of its own, in the user's cache
    session.run("python", "benchmarks/run.py", *arguments)
