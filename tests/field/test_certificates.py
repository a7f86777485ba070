"""Certificates: a hostile or broken ZIP costs neither memory nor an error that is not ours."""

from __future__ import annotations

import io
import random
import stat
import tracemalloc
import zipfile
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mensatek_async import InvalidCertificates, InvalidFile, open_certificates

PDF = b"%PDF-1.7\n%%EOF\n"
HEAD = b"Telefono;Resultado\n"
ROW = b"34600000001;14\n"
CSV = (
    "idMensaje;Fecha;Tiempo;Telefono;Resultado;Estado\r\n"
    "10573758;2021-09-04 19:37:21;3;34601234567;14;Entregado y Certificado\r\n"
    '10573758;;;"34656789012";9999;"Algo; nuevo"\r\n'
)


def zip_of(*entries: tuple[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP with these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return out.getvalue()


def test_pdfs_and_rows() -> None:
    """Every PDF by its name, every row typed, what nobody knows kept as it came."""
    bundle = open_certificates(zip_of(("a.pdf", PDF), ("dir/", b""), ("dir/b.PDF", PDF), ("r.csv", CSV)))

    assert [(one.name, one.content) for one in bundle.certificates] == [("a.pdf", PDF), ("dir-b.PDF", PDF)]
    first, second = bundle.rows
    assert (first.phone, first.message_id, first.seconds) == ("34601234567", 10573758, 3)
    assert first.status.is_certified
    assert first.reported_at == datetime(2021, 9, 4, 19, 37, 21, tzinfo=ZoneInfo("Europe/Madrid"))
    assert (second.reported_at, second.seconds, second.label) == (None, None, "Algo; nuevo")
    assert second.raw["Resultado"] == "9999"
    assert "601234567" not in repr(first)


@pytest.mark.parametrize(
    ("table", "phone", "status"),
    [
        ("Teléfono,RESULTADO\n34600000001,14\n".encode(), "34600000001", 14),
        ("\ufeffMovil\tResultado\n+34 600 000 001\t17\n".encode(), "34600000001", 17),
        ("Teléfono;Resultado;Año\n34600000001;;ñ\n".encode("cp1252"), "34600000001", None),
        (b"Telefono;Resultado\n;entregado\n", "", None),
        (b"otra;cosa\n1;2\n", "", None),
    ],
)
def test_tables_of_other_forms(table: bytes, phone: str, status: int | None) -> None:
    """The manual does not show the table, so separators, capitals, accents and encodings may differ."""
    (row,) = open_certificates(zip_of(("x.csv", table))).rows

    assert (row.phone, row.status and row.status.code) == (phone, status)
    assert row.raw


def test_wherever_it_is(tmp_path: Path) -> None:
    """A path, its text, or an open file; no certificates are no error."""
    path = tmp_path / "certificates.zip"
    path.write_bytes(zip_of())
    with path.open("rb") as file:
        for given in (path, str(path), file):
            bundle = open_certificates(given)
            assert (bundle.certificates, bundle.rows) == ((), ())


@pytest.mark.parametrize(
    "name",
    ["../a.pdf", "a/../../b.pdf", "/etc/a.pdf", "..\\a.pdf", "C:\\a.pdf", "\\\\host\\a.pdf", "a\n.pdf"],
)
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    """Whoever unpacks by these names stays in the folder."""
    with pytest.raises(InvalidCertificates, match="leads out"):
        open_certificates(zip_of(("good.pdf", PDF), (name, PDF)))


@pytest.mark.parametrize(("name", "problem"), [("a.pdf", "no PDF"), ("", "without a name")])
def test_a_link_is_no_pdf_and_a_name_is_needed(name: str, problem: str) -> None:
    """An entry that would become a symbolic link holds a path, not a PDF."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("x")
        link.filename = name
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(InvalidCertificates, match=problem):
        open_certificates(out.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """Too many, one too large, or too much together: each has its limit. An entry is never unpacked beyond the size it
    declares, nor at all where its packing could take any amount of memory."""
    bomb = zip_of(*((f"{n}.pdf", PDF + bytes(1_000_000)) for n in range(3)))
    assert len(bomb) < 10_000
    for limits, told in (
        ({"max_files": 2}, "3 entries; 2 are taken"),
        ({"max_file_size": 999_999}, "more bytes"),
        ({"max_total_size": 2_999_999}, "more bytes"),
    ):
        with pytest.raises(InvalidCertificates, match=told):
            open_certificates(bomb, **limits)
    lying = zip_of(("a.pdf", PDF + bytes(10_000_000)))
    size = (len(PDF) + 10_000_000).to_bytes(4, "little")
    with pytest.raises(InvalidCertificates, match="no whole ZIP"):
        open_certificates(lying.replace(size, (100).to_bytes(4, "little")))
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(InvalidCertificates, match="unusual"):
            open_certificates(zip_of(("a.pdf", PDF), method=method))


def test_damaged_and_doubled_entries_are_refused() -> None:
    """A cut ZIP, a wrong checksum and one name twice may be forgeries; what is no ZIP, or no file."""
    whole = zip_of(("a.pdf", PDF))
    damaged = bytearray(zip_of(("a.pdf", PDF), method=zipfile.ZIP_STORED))
    damaged[damaged.index(b"%%EOF")] ^= 1
    for content in (b"", PDF, whole[: len(whole) // 2], whole[:-10] + b"x" * 5, bytes(damaged)):
        with pytest.raises(InvalidCertificates, match="cannot be read"):
            open_certificates(content)
    with pytest.raises(InvalidCertificates, match="No such file"):
        open_certificates("nowhere.zip")
    with pytest.raises(InvalidCertificates, match="twice"):
        open_certificates(zip_of(("a/b.pdf", PDF), ("a-b.pdf", PDF)))


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
    with pytest.raises(InvalidCertificates, match="more than 100000 rows"):
        next(rows)
    assert issubclass(InvalidCertificates, InvalidFile)


def test_rows_are_a_sequence_with_a_limit_of_ones_own() -> None:
    """Counted, indexed, sliced and gone through again; the limit is over all tables."""
    archive = zip_of(("a.csv", HEAD + ROW * 3), ("b.csv", HEAD + ROW.replace(b"1;", b"2;") * 2))
    rows = open_certificates(archive, max_rows=5).rows
    assert (len(rows), rows[-1].phone, len(rows[1:3]), list(rows)) == (5, "34600000002", 2, list(rows))
    short = open_certificates(archive, max_rows=4).rows
    assert len(list(islice(short, 4))) == 4
    with pytest.raises(InvalidCertificates, match="more than 4 rows"):
        list(short)


ENDLESS = {
    "cells without end": b";" * 3_000_000 + b"\n",
    "cells over lines without end": b'"\n";' * 1_000_000,
    "one cell without end": b'"' + b"x\n" * 600_000 + b'"',
    "too long for Python's reader": b"1" * 200_000 + b";14\n",
}


@pytest.mark.parametrize("row", ENDLESS.values(), ids=ENDLESS)
def test_one_row_without_end_is_refused(row: bytes) -> None:
    """A row is no place to hide millions of values in; wherever it stands."""
    with pytest.raises(InvalidCertificates, match="table"):
        open_certificates(zip_of(("r.csv", HEAD + row)))
    late = open_certificates(zip_of(("r.csv", HEAD + ROW * 500 + row)))
    with pytest.raises(InvalidCertificates, match="table"):
        list(late.rows)


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
