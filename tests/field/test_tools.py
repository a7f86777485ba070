"""What nobody runs rots: every session is run by `.ci/run`, on every Python and every floor that is promised."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from unittest.mock import Mock

import anyio.to_thread
import pytest

from mensatek_async.testing import callers

ROOT = Path(__file__).parents[2]
CI = ROOT / ".ci" / "run"


def _sessions() -> set[str]:
    """What `nox` alone runs: all but those that take long, which CI_ALSO names."""
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    decorators = {one.name: " ".join(map(ast.unparse, one.decorator_list)) for one in functions}
    return {name for name, said in decorators.items() if "session" in said and "default=False" not in said}


def _stubbed(folder: Path, *failing: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of `.ci/run` where every program it starts only says its name; nox fails for some sessions."""
    for name in (".ci", "bin", ".venv/bin", "home"):
        (folder / name).mkdir(parents=True)
    (folder / ".ci/run").write_bytes(CI.read_bytes())
    (folder / "README.md").write_text(
        "```sh\nfirst\n```\n```sh\n.venv/bin/nox -s tests\n```\n", encoding="utf-8"
    )
    nox = f"""\
        #!/bin/sh
        echo "$*" >> "{folder}/asked"
        case "$2" in {"|".join(failing) or "none"}) exit 1;; esac
        echo "ran $2 in {folder}/sub"
        """
    programs = dict.fromkeys((".venv/bin/pip", "bin/python3", "bin/python3.13"), "#!/bin/sh\n")
    programs |= {
        "bin/python3.12": "#!/bin/sh\nexit 127\n",
        "bin/apt-get": "#!/bin/sh\nexit 1\n",
        ".venv/bin/nox": nox,
    }
    for name, text in programs.items():
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
        (folder / name).chmod(0o755)
    path = f"{folder}/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(folder / "home"), "TMPDIR": str(folder)}
    return subprocess.run(["bash", folder / ".ci/run"], env=environment, text=True, capture_output=True)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
@pytest.mark.parametrize("failing", [(), ("tests",), ("lint", "tests_sync")], ids=str)
def test_every_session_runs_once_even_after_a_failure(failing: tuple[str, ...], tmp_path: Path) -> None:
    """What failed is named; where Python 3.12 is only a shim, it is said to be missing; the README's command is the
    last. It ends with zero only when all passed."""
    done = _stubbed(tmp_path, *failing)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    names = [line.split()[1] for line in asked]

    assert done.returncode == bool(failing)
    assert {name.partition("-")[0] for name in names} == _sessions()
    assert len(names) == len(set(names))
    assert (asked[-2:], "tests_unit-3.13" in names) == (["-s bench_quick", "-s tests"], True)
    assert "missing: Python 3.12" in done.stdout
    failed = re.search(r"FAILED so far: (.*) \(", done.stdout)
    assert set(failed[1].split() if failed else ()) == {*failing} - {"tests"}
    assert done.stdout.splitlines()[-1] == "ran tests in sub" or "tests" in failing
    assert str(tmp_path) not in done.stdout


def test_hooks_before_a_commit_run_sessions_that_there_are() -> None:
    """Those of .pre-commit-config.yaml, which fetch nothing of their own."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"entry: nox -r -s (\w+)$", text, re.MULTILINE)

    assert entries
    assert {*entries} <= _sessions()
    assert text.count("entry:") == text.count("language: system") == len(entries)


async def test_a_running_loop_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """On asyncio and trio; none is no error under anyio 4.12.0, which raises what is no RuntimeError."""
    assert callers.in_event_loop() is True
    monkeypatch.setattr(
        "anyio.get_current_task", Mock(side_effect=LookupError("not currently running on any loop"))
    )
    assert await anyio.to_thread.run_sync(callers.in_event_loop) is False


def test_a_benchmark_shorter_than_a_tick_of_the_clock_has_no_ratio_of_it() -> None:
    """A bare interpreter that took no measurable processor time divided by zero."""
    program = """
        from common import Timing
        from report import Report
        report = Report("name", "about")
        report.ratio("key", "label", [Timing(0.2, 0.1)] * 2, [Timing(0.1, 0.0), Timing(0.1, 0.01)])
        print(report.lines["key"].wall.median, report.lines["key"].cpu)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT / "benchmarks", text=True, capture_output=True, check=True)
    assert done.stdout == "2.0 None\n"
