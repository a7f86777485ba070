"""The recipients of a request: a sequence of mappings, and the same bytes however they are written."""

from __future__ import annotations

import json
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
            rows.add_columns(listed, {})
        plain += wire
    return rows, plain


@given(steps)
def test_rows_are_a_sequence_of_mappings(steps: list[Any]) -> None:
    """Whether made already or not, they read as the list they stand for."""
    rows, plain = rows_of(steps)

    assert list(rows) == rows.listed() == [rows[at] for at in range(len(rows))] == plain
    assert rows[1:3] == plain[1:3]
    assert list(rows.values()) == [tuple(one[name] for name in one if name != "Movil") for one in plain]
    assert (len(rows), rows.phones) == (len(plain), [one["Movil"] for one in plain])
    assert repr(rows) == f"<{len(plain)} recipients>"
    if plain:
        assert rows[-1] == plain[-1]


@given(steps=steps)
def test_the_bytes_are_those_of_the_json_library(steps: list[Any]) -> None:
    """Column by column they are byte for byte what the standard library writes; half a character is refused."""
    rows, plain = rows_of(steps)
    params = {"Remitente": "Ñandú", "Destinatarios": rows, "Report": None, "Unicode": True, "Resp": "JSON"}
    expected = {"Remitente": "Ñandú", "Destinatarios": plain, "Unicode": 1, "Resp": "JSON"}
    if any("\ud800" <= c <= "\udfff" for one in plain for value in one.values() for c in value):
        with pytest.raises(InvalidField):
            encode.json_body(params)
        return

    written = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    body = encode.json_body(params)
    assert json.loads(body) == expected
    assert written.encode() in body
    assert encode.multipart_fields(params)["Destinatarios"] == written
