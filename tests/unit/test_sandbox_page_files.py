"""What can be told of the sandbox's page without a browser: its words, and that nothing in it makes markup of data."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "mensatek_async" / "sandbox" / "page" / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))
FILES = sorted(path for path in STATIC.iterdir() if path.is_file())
_ENTRY = re.compile(r'^  "([^"]+)": \["((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\],$', re.MULTILINE)
WORDS = {
    key: (english, spanish) for key, english, spanish in _ENTRY.findall((STATIC / "strings.js").read_text())
}
# Keys that are put together where they are used.
_MADE = ("phase.", "status.", "encoding.", "contract.", "connection.", "verdict.", "fault.", "mode.", "nav.")
_MADE += ("error.", "step.")


def used() -> set[str]:
    """The keys that the scripts and the frame ask for by name."""
    scripts = "".join(path.read_text() for path in SCRIPTS if path.name != "strings.js")
    frame = (STATIC / "index.html").read_text()
    return {*re.findall(r'\bt\("([^"]+)"', scripts), *re.findall(r'data-t(?:-label)?="([^"]+)"', frame)}


def test_every_word_asked_for_is_in_the_table() -> None:
    """No part of the page asks for words that are not there, and each entry is asked for, by name or put together,
    or is another's singular. In no entry a language is empty, and both have the same places to fill in."""
    assert len(WORDS) == (STATIC / "strings.js").read_text().count('  "')  # the pattern misses no line
    assert used() - WORDS.keys() == set()
    spoken = " ".join(path.read_text() for path in SCRIPTS if path.name != "strings.js")
    for key, both in WORDS.items():
        asked = key in used() or key.startswith(_MADE) or key.removesuffix(".one") in used()
        assert asked or f'"{key}"' in spoken
        assert all(one.strip() for one in both), key
        assert len({frozenset(re.findall(r"\{\w+\}", one)) for one in both}) == 1, key


def test_files_are_small_and_load_only_each_other() -> None:
    """At most 350 lines, every import is a file of the page, and there is none of the ways in which text becomes
    elements or code, nor a style attribute, which the CSP forbids."""
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment"
    markup += r"|\beval\b|new Function|setAttribute\(.style|\bstyle:"
    for path in FILES:
        text = path.read_text()
        assert text.count("\n") <= 350, path
        names = re.findall(r'(?:from|import\()\s*"([^"]+)"', text) if path.suffix == ".js" else []
        assert not [name for name in names if not (STATIC / name).is_file() or not name.startswith("./")]
        assert re.findall(r"url\(|@import", text) == [], path
        assert path.suffix != ".js" or re.findall(markup, text) == [], path


def test_the_frame_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    """No inline script, style or handler, and only addresses of the page's own that are there."""
    frame = (STATIC / "index.html").read_text()
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:|https?://", frame) == []
    own = {name.partition("#")[0] for name in re.findall(r'(?:src|href)="/_sandbox/static/([^"]+)"', frame)}
    assert own <= {path.name for path in FILES}
    assert set(re.findall(r'(?:src|href)="([^"#]+)', frame)) == {f"/_sandbox/static/{name}" for name in own}
