"""Certificates: a hostile or broken ZIP costs neither memory nor an error that is not ours."""

from __future__ import annotations

import io
import random
import tracemalloc
import zipfile
from contextlib import suppress
from itertools import islice

import pytest

import mensatek_async
from mensatek_async import InvalidFile, open_certificates

PDF = b"%PDF-1.7\n%%EOF\n"
HEAD = b"Telefono;Resultado\n"
ROW = b"34600000001;14\n"


def zip_of(*entries: tuple[str, bytes]) -> bytes:
    """A ZIP with these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def test_a_table_with_millions_of_rows_is_read_row_by_row() -> None:
    """Its size in bytes is what it takes; the rows come as they are asked for, and end with the limit."""
    archive = zip_of(("r.csv", HEAD + ROW * 3_000_000))
    tracemalloc.start()
    try:
        bundle = open_certificates(archive)
        first = next(iter(bundle.rows))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (first.phone, peak < 110_000_000) == ("34600000001", True)
    rows = iter(bundle.rows)
    assert sum(1 for _ in islice(rows, 100_000)) == 100_000
    with pytest.raises(mensatek_async.InvalidCertificates, match="more than 100000 rows"):
        next(rows)
    assert issubclass(mensatek_async.InvalidCertificates, InvalidFile)


def test_rows_are_a_sequence_with_a_limit_of_ones_own() -> None:
    """Counted, indexed, sliced and gone through again; the limit is over all tables."""
    archive = zip_of(("a.csv", HEAD + ROW * 3), ("b.csv", HEAD + ROW.replace(b"1;", b"2;") * 2))
    rows = open_certificates(archive, max_rows=5).rows
    assert (len(rows), rows[-1].phone, len(rows[1:3]), list(rows) == list(rows)) == (
        5,
        "34600000002",
        2,
        True,
    )
    short = open_certificates(archive, max_rows=4).rows
    assert len(list(islice(short, 4))) == 4
    with pytest.raises(mensatek_async.InvalidCertificates, match="more than 4 rows"):
        list(short)


@pytest.mark.parametrize(
    "row",
    [b";" * 3_000_000 + b"\n", b'"\n";' * 1_000_000, b'"' + b"x\n" * 600_000 + b'"'],
    ids=["cells without end", "cells over lines without end", "one cell without end"],
)
def test_one_row_without_end_is_refused(row: bytes) -> None:
    """A row is no place to hide millions of values in; wherever it stands."""
    with pytest.raises(mensatek_async.InvalidCertificates, match="table"):
        open_certificates(zip_of(("r.csv", HEAD + row)))
    late = open_certificates(zip_of(("r.csv", HEAD + ROW * 500 + row)))
    with pytest.raises(mensatek_async.InvalidCertificates, match="table"):
        list(late.rows)


def test_an_entry_without_a_name_is_refused() -> None:
    """It is none that anybody could unpack."""
    nameless = io.BytesIO()
    with zipfile.ZipFile(nameless, "w") as out:
        info = zipfile.ZipInfo("x")
        info.filename = ""
        out.writestr(info, b"abc")
    with pytest.raises(mensatek_async.InvalidCertificates, match="without a name"):
        open_certificates(nameless.getvalue())


def test_a_zip_damaged_anywhere_is_our_error_or_none() -> None:
    """Whatever byte is wrong."""
    whole = zip_of(("a.pdf", PDF), ("dir/b.pdf", PDF), ("r.csv", HEAD + ROW * 9))
    chance = random.Random(0)
    for _ in range(3_000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with suppress(InvalidFile):
            list(open_certificates(bytes(damaged)).rows)
