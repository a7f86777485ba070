"""The recipients of a request: a sequence of mappings, and the same bytes however they are written."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async._wire import encode
from mensatek_async._wire.rows import Rows
from mensatek_async.errors import InvalidField

phones = st.lists(st.integers(10**7, 10**15).map(str), max_size=4)
fields = st.dictionaries(
    st.sampled_from(["Variable_1", "Variable_2"]), st.text(st.characters(), max_size=20), min_size=1
)
steps = st.lists(phones | st.tuples(phones, fields), max_size=4)


def without_orjson() -> None:
    """As where the extra is not installed."""


def orjson() -> Callable[[Any], bytes]:
    """As where it is; it is among the tests' requirements."""
    dumps: Callable[[Any], bytes] = importlib.import_module("orjson").dumps
    return dumps


def rows_of(steps: list[Any]) -> tuple[Rows, list[dict[str, str]]]:
    """Rows built step by step, and the plain list they stand for."""
    rows, plain = Rows(), []
    for step in steps:
        listed, values = step if isinstance(step, tuple) else (step, {})
        wire = [{"Movil": phone, **values} for phone in listed]
        if len(listed) % 2:
            rows.add(wire)
        elif values:
            rows.add_columns(listed, {name: [value] * len(listed) for name, value in values.items()})
        else:
            rows.add_phones(listed)
        plain += wire
    return rows, plain


@given(steps)
def test_rows_are_a_sequence_of_mappings(steps: list[Any]) -> None:
    """Whether made already or not, they read as the list they stand for."""
    rows, plain = rows_of(steps)

    assert list(rows) == rows.listed() == [rows[at] for at in range(len(rows))] == plain
    assert rows[1:3] == plain[1:3]
    assert (len(rows), rows.phones) == (len(plain), [one["Movil"] for one in plain])
    assert repr(rows) == f"<{len(plain)} recipients>"
    if plain:
        assert rows[-1] == plain[-1]


@pytest.mark.parametrize("faster", [without_orjson, orjson])
@given(steps=steps)
def test_the_bytes_are_those_of_the_json_library(faster: Any, steps: list[Any]) -> None:
    """Written in one go, with or without the extra `speed`: byte for byte what the standard library writes."""
    rows, plain = rows_of(steps)
    params = {"Remitente": "Ñandú", "Destinatarios": rows, "Report": None, "Unicode": True, "Resp": "JSON"}
    expected = {"Remitente": "Ñandú", "Destinatarios": plain, "Unicode": 1, "Resp": "JSON"}
    half = any("\ud800" <= c <= "\udfff" for one in plain for value in one.values() for c in value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "_faster", faster)
        if half:
            with pytest.raises(InvalidField):
                encode.json_body(params)
            return
        body = encode.json_body(params)
        form = encode.multipart_fields(params)
    assert body == json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
    assert form["Destinatarios"] == json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("faster", [without_orjson, orjson])
def test_half_a_character_in_a_field_is_refused(faster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In our words, with the extra too."""
    monkeypatch.setattr(encode, "_faster", faster)
    rows = Rows()
    rows.add([{"Movil": "34600000000", "Variable_1": "a\ud800"}])

    with pytest.raises(InvalidField):
        encode.json_body({"Destinatarios": rows})


def test_the_extra_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And its absence goes unnoticed."""
    encode._faster.cache_clear()
    assert encode._faster() is orjson()
    encode._faster.cache_clear()
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert encode._faster() is None
    encode._faster.cache_clear()
