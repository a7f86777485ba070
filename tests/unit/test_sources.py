"""CsvSource, JsonLinesSource and ExcelSource: rows become recipients, read in a thread; errors name the file."""

from __future__ import annotations

import csv
import gc
import io
import os
import re
import threading
import tracemalloc
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import (
    BrokenRow,
    CsvSource,
    ExcelSource,
    InvalidFile,
    InvalidRequest,
    JsonLinesSource,
    Recipient,
)
from mensatek_async.cli.options import FileOptions
from mensatek_async.cli.recipients import open_recipients, open_rows
from mensatek_async.sources import csv_table, file_source, text_files
from mensatek_async.sources.batches import RecipientSource, ThreadBatches
from mensatek_async.sources.reading import Reading, assign_columns

TABLE = "Nombre;Teléfono Móvil;Ciudad\nAna;600000001;Ávila\nEva;;Soria\nLuz\nPaz;600000004;#N/A\n\nMar;600000006;Jaén\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file as people have it: an empty phone, a row that ends early, a spreadsheet's error, a blank row."""
    path = tmp_path / "clientes.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def written(tmp_path: Path, content: str | bytes, name: str = "x.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def workbook(path: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, lines in sheets:
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


def refused(source: RecipientSource, needed: tuple[str, ...] | None = None) -> str:
    with pytest.raises(InvalidRequest) as error:
        list(source.rows(needed))
    return str(error.value)


# --- rows --------------------------------------------------------------------------------------------------


def test_every_other_column_is_a_field(table: Path) -> None:
    """Rows have the numbers a spreadsheet shows; a cell that is not there, or holds an error, is no field."""
    assert list(CsvSource(table)) == [
        Recipient("600000001", {"Nombre": "Ana", "Ciudad": "Ávila"}, row=2),
        BrokenRow(3, "the phone is empty"),
        BrokenRow(4, "the row ends before the phone"),
        Recipient("600000004", {"Nombre": "Paz"}, row=5),
        Recipient("600000006", {"Nombre": "Mar", "Ciudad": "Jaén"}, row=7),
    ]


def test_the_fields_asked_for_must_be_there(table: Path) -> None:
    """Who names the fields gets those and no other, and a row without one of them is broken."""
    rows = list(CsvSource(table, fields=["ciudad"]))

    assert rows[0] == Recipient("600000001", {"ciudad": "Ávila"}, row=2)
    assert rows[3] == BrokenRow(5, "its ciudad is a spreadsheet error (#N/A)", "600000004")


def test_fields_may_have_other_names_than_their_columns(table: Path) -> None:
    """A mapping gives each field its column, by heading or number."""
    rows = CsvSource(table, fields={"name": "NOMBRE", "town": 3})

    assert next(iter(rows)) == Recipient("600000001", {"name": "Ana", "town": "Ávila"}, row=2)


@pytest.mark.parametrize(
    "phone", ["Teléfono Móvil", "TELÉFONO MÓVIL", "telefono movil", "Telefono_Movil", "2", 2, None], ids=repr
)
def test_the_phones_column_is_named_in_any_way(table: Path, phone: str | int | None) -> None:
    """By its heading, whatever its case and accents, by its number, or not at all."""
    assert next(iter(CsvSource(table, phone=phone))) == Recipient(
        "600000001", {"Nombre": "Ana", "Ciudad": "Ávila"}, row=2
    )


def test_a_text_says_which_fields_are_read(table: Path) -> None:
    """A send reads what its text needs, by heading in any case, and tells the rows that do not have it."""
    rows = list(CsvSource(table).rows(["nombre", "CIUDAD"]))

    assert rows[0] == Recipient("600000001", {"nombre": "Ana", "CIUDAD": "Ávila"}, row=2)
    assert rows[3] == BrokenRow(5, "its CIUDAD is a spreadsheet error (#N/A)", "600000004")
    assert list(CsvSource(table).rows(()))[3] == Recipient("600000004", {}, row=5)


def test_a_text_can_use_the_fields_given_and_no_other(table: Path) -> None:
    """Fields that were chosen stay chosen."""
    source = CsvSource(table, fields={"name": "Nombre", "town": "Ciudad"})

    assert next(source.rows(["Name"])) == Recipient("600000001", {"Name": "Ana"}, row=2)
    assert "needs {Nombre} and it is not among the fields. The fields are: name, town." in refused(
        source, ("Nombre",)
    )


def test_variables_of_a_plain_text_come_along(tmp_path: Path) -> None:
    """A plain text names none of them, and the provider's landing pages may use them."""
    path = written(tmp_path, "tel;Variable_1;VARIABLE_02;variable_11;n\n600000001;a;b;c;d\n")

    assert next(CsvSource(path).rows(())) == Recipient(
        "600000001", {"Variable_1": "a", "VARIABLE_02": "b"}, row=2
    )


def test_columns_of_one_name_are_no_field(tmp_path: Path) -> None:
    """Which of them was meant cannot be known."""
    path = written(tmp_path, "n;tel;;n\n1;600000001;2;3\n")

    assert list(CsvSource(path)) == [Recipient("600000001", {}, row=2)]
    assert "several columns have that name" in refused(CsvSource(path), ("n",))


def test_a_file_without_headings_has_numbered_columns(tmp_path: Path) -> None:
    """Its first row is a row."""
    path = written(tmp_path, "600000001;Ana\n600000002;Eva\n")

    assert list(CsvSource(path, phone=1)) == [
        Recipient("600000001", {"2": "Ana"}, row=1),
        Recipient("600000002", {"2": "Eva"}, row=2),
    ]


def test_reading_starts_anew_each_time(table: Path) -> None:
    """Two readings at once do not disturb each other."""
    source = CsvSource(table)
    first, second = iter(source), iter(source)
    next(first)

    assert list(second) == [next(iter(source)), *first]


def test_the_encoding_and_the_delimiter_can_be_told(tmp_path: Path) -> None:
    """What is told is not guessed; a mark at the beginning is still left out."""
    path = written(tmp_path, "tel,a;b\n600000001,ñ\n".encode("cp850"))

    assert next(iter(CsvSource(path, delimiter=",", encoding="cp850"))) == Recipient(
        "600000001", {"a;b": "ñ"}, row=2
    )
    path = written(tmp_path, "tel;n\n600000001;ñ\n".encode("utf-8-sig"))
    assert next(iter(CsvSource(path, encoding="UTF8", phone="tel"))) == Recipient(
        "600000001", {"n": "ñ"}, row=2
    )


def test_a_file_that_changes_is_looked_at_again(tmp_path: Path) -> None:
    """The encoding found the first time does not stick to other content."""
    path = written(tmp_path, "tel;n\n600000001;ñ\n".encode())
    source = CsvSource(path)
    assert next(iter(source)) == Recipient("600000001", {"n": "ñ"}, row=2)

    written(tmp_path, "tel;n\n600000001;Íñigo\n".encode("cp1252"))
    assert next(iter(source)) == Recipient("600000001", {"n": "Íñigo"}, row=2)


def test_a_large_file_is_never_held_whole(tmp_path: Path) -> None:
    """Memory does not grow with the file."""
    path = written(tmp_path, "tel;n\n" + "".join(f"6{number:08};{'x' * 2000}\n" for number in range(6000)))
    source = CsvSource(path)
    tracemalloc.start()
    try:
        read = sum(1 for _ in source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert read == 6000
    assert peak < path.stat().st_size / 2


def test_a_reading_left_early_closes_the_file(table: Path) -> None:
    """No handle stays behind; warnings about one are errors in these tests."""
    rows = iter(CsvSource(table))
    next(rows)
    del rows

    gc.collect()


# --- kinds of files ----------------------------------------------------------------------------------------


def test_json_lines_give_recipients(tmp_path: Path) -> None:
    """Keys are columns; a line that is no object is a broken row."""
    path = written(tmp_path, '{"tel": 600000001, "n": "Ana", "x": [1]}\nnonsense\n{"n": "Eva"}\n', "x.txt")

    assert list(JsonLinesSource(path)) == [
        Recipient("600000001", {"n": "Ana", "x": "[1]"}, row=1),
        BrokenRow(2, "the line is not JSON"),
        BrokenRow(3, "the line has no phone"),
    ]
    assert next(iter(JsonLinesSource(path, phone="TEL", fields=["n"]))) == Recipient(
        "600000001", {"n": "Ana"}, row=1
    )


def test_spreadsheets_give_recipients(tmp_path: Path) -> None:
    """The first sheet, or the one that is named."""
    path = workbook(
        tmp_path / "x.xlsx", ("Uno", [["tel", "n"], [600000001, 1.5]]), ("Dos", [["móvil"], [600000002]])
    )

    assert list(ExcelSource(path)) == [Recipient("600000001", {"n": "1.5"}, row=2)]
    assert list(ExcelSource(path, sheet="Dos")) == list(ExcelSource(path, sheet=2))
    assert list(ExcelSource(path, sheet=2)) == [Recipient("600000002", {}, row=2)]
    assert "x.xlsx: There is no sheet Tres" in refused(ExcelSource(path, sheet="Tres"))


def test_what_openpyxl_warns_of_is_left_to_the_users_filters(tmp_path: Path) -> None:
    """The command line shows none of it; a program decides for itself."""
    path = workbook(tmp_path / "x.xlsx", ("Uno", [["tel"], [600000001]]))
    bare = tmp_path / "bare.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bare, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            if part == "xl/styles.xml":
                content = re.sub(rb"<cellStyles.*</cellStyles>", b"", content)
            new.writestr(part, content)

    with pytest.warns(UserWarning, match="no default style"):
        assert list(ExcelSource(bare)) == [Recipient("600000001", {}, row=2)]
    with ExitStack() as stack, warnings.catch_warnings():
        assert list(open_rows(open_recipients(str(bare), FileOptions(), stack), "Hola", stack))


def test_a_file_of_another_kind_is_told(tmp_path: Path, table: Path) -> None:
    """With the source that reads it."""
    book = workbook(tmp_path / "x.xlsx", ("Uno", [["tel"], [600000001]]))
    old = written(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "x.xls")
    lines = written(tmp_path, '{"tel": 600000001, "n": "Ana"}\n', "x.jsonl")

    assert "x.xlsx: This is an Excel file, or another archive. Excel is" in refused(CsvSource(book))
    assert "read by ExcelSource" in refused(JsonLinesSource(book))
    assert "read by JsonLinesSource" in refused(CsvSource(lines))
    assert "old .xls" in refused(ExcelSource(old))
    assert "not a spreadsheet" in refused(ExcelSource(table))
    assert "not a JSON object" in refused(JsonLinesSource(written(tmp_path, "1\n", "y")))


# --- errors ------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    """Before anything is sent, and before anything is awaited."""
    os.mkfifo(tmp_path / "pipe")

    def write() -> None:
        with suppress(BrokenPipeError):  # its reader may be gone already
            (tmp_path / "pipe").write_bytes(b"tel\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(InvalidFile, match="no plain file"):
            CsvSource(tmp_path / "pipe")
    finally:
        writer.join()
    with pytest.raises(InvalidFile, match="There is no file "):
        CsvSource(tmp_path / "nobody.csv")
    with pytest.raises(InvalidFile, match="is a directory"):
        JsonLinesSource(tmp_path)
    with pytest.raises(InvalidFile, match="is empty"):
        ExcelSource(written(tmp_path, ""))


def test_a_column_that_is_not_there_is_told_with_those_there_are(table: Path) -> None:
    """At the first row, by the name of the file."""
    columns = "The columns are: Nombre, Teléfono Móvil, Ciudad."

    assert (
        refused(CsvSource(table, phone="fax"))
        == f"clientes.csv: There is no column fax for the phone. {columns}"
    )
    assert refused(CsvSource(table), ("Nombr",)) == (
        f"clientes.csv: The text needs {{Nombr}} and there is no such column. Did you mean Nombre? {columns}"
    )
    assert "needs {n} from the column Nam" in refused(CsvSource(table, fields={"n": "Nam"}))
    assert refused(CsvSource(table, phone=9)).startswith("clientes.csv: There is no column 9")


def test_several_phones_are_told_apart_in_python(tmp_path: Path) -> None:
    """The advice is what the program would write."""
    path = written(tmp_path, "tel;móvil\n1;2\n")

    assert refused(CsvSource(path)).endswith("Say which with phone=NAME or phone=NUMBER.")
    assert "phone=1 or phone=2" in refused(CsvSource(written(tmp_path, "tel;tel\n1;2\n"), phone="tel"))


def test_a_row_of_data_among_the_headings_is_not_shown(tmp_path: Path) -> None:
    """A file whose headings were lost must not put somebody's number into a log."""
    path = written(tmp_path, "Ana;tfno: 600123456;x\nEva;600000002;x\n")

    told = refused(CsvSource(path, phone="zzz"))
    assert "tfno: *********" in told
    assert "600123456" not in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"phone": ""}, "phone is"),
        ({"phone": 0}, "phone is"),
        ({"phone": True}, "phone is"),
        ({"phone": 1.5}, "phone is"),
        ({"fields": "nombre"}, "fields is"),
        ({"fields": 3}, "fields is"),
        ({"fields": [3]}, "fields is"),
        ({"fields": {"n": None}}, "fields is"),
        ({"encoding": "latin-99"}, "called latin-99"),
        ({"encoding": "rot13"}, "called rot13"),
    ],
)
def test_options_that_are_none_are_told_at_once(table: Path, options: dict[str, Any], told: str) -> None:
    """A string for a list of fields would be taken letter by letter."""
    with pytest.raises(InvalidRequest, match=told):
        CsvSource(table, **options)


def test_a_delimiter_of_two_letters_is_told(table: Path) -> None:
    """At the first row."""
    assert "one character" in refused(CsvSource(table, delimiter="ab"))


def test_a_disk_that_fails_half_way_is_told(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the system's words, by the name of the file."""

    def failing(*_: object) -> Iterator[Any]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(csv_table.CsvTable, "parts", failing)
    assert refused(CsvSource(table)) == "clientes.csv cannot be read: Input/output error."


def test_a_fingerprint_of_a_disk_that_fails_is_told(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the system's words, too."""

    class Failing(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    def failing(handle: BinaryIO, name: str) -> BinaryIO:
        with handle:
            return cast(BinaryIO, Failing(os.dup(handle.fileno())))

    source = CsvSource(table)
    monkeypatch.setattr(file_source, "not_empty", failing)

    with pytest.raises(InvalidFile, match=r"clientes\.csv cannot be read: Input/output error"):
        source.fingerprint()


def test_sources_show_nothing_of_what_stands_in_them(table: Path) -> None:
    """In a log or a traceback."""
    assert repr(CsvSource(table)) == "<CsvSource clientes.csv>"
    assert CsvSource(table).describe() == "CSV file clientes.csv"
    assert JsonLinesSource(table).describe() == "JSON Lines file clientes.csv"
    assert "600" not in repr(BrokenRow(3, "reason", "600000001"))


# --- fingerprints ------------------------------------------------------------------------------------------


def test_a_fingerprint_is_of_content_and_options(tmp_path: Path, table: Path) -> None:
    """A copy has the same one; another letter, column or kind of reading another."""
    copy = written(tmp_path, TABLE, "copy.csv")
    os.utime(copy, ns=(1, 1))
    mine = CsvSource(table).fingerprint()

    assert CsvSource(copy).fingerprint() == mine
    others = [
        CsvSource(written(tmp_path, TABLE.replace("Ana", "Ani"))).fingerprint(),
        CsvSource(table, phone="Ciudad").fingerprint(),
        CsvSource(table, fields=["Nombre"]).fingerprint(),
        CsvSource(table, delimiter=";").fingerprint(),
        CsvSource(table, encoding="utf-8").fingerprint(),
        JsonLinesSource(table).fingerprint(),
        ExcelSource(table).fingerprint(),
        ExcelSource(table, sheet=1).fingerprint(),
    ]
    assert len({mine, *others}) == len(others) + 1


def test_a_file_that_was_changed_has_another_fingerprint(table: Path) -> None:
    """Also for the source that told the first one."""
    source = CsvSource(table)
    before = source.fingerprint()
    assert source.fingerprint() == before

    table.write_text(TABLE.replace("600000006", "600000007"), encoding="utf-8")
    os.utime(table, ns=(1, 1))
    assert source.fingerprint() != before


# --- threads -----------------------------------------------------------------------------------------------


async def test_rows_are_read_in_a_worker_thread(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk does not stop the event loop."""
    threads = set()
    real = csv_table.CsvTable.records

    def seen(self: csv_table.CsvTable, width: int | None) -> Any:
        threads.add(threading.get_ident())
        return real(self, width)

    monkeypatch.setattr(csv_table.CsvTable, "records", seen)
    batches = CsvSource(table).batches()

    read = [len(await batches.read(2)) for _ in range(4)]
    await batches.aclose()

    assert read == [2, 2, 1, 0]
    assert threads
    assert threading.get_ident() not in threads


async def test_rows_before_an_error_are_rows() -> None:
    """The error comes when it is its turn."""

    def rows() -> Iterator[int]:
        yield from (1, 2)
        raise InvalidFile("damaged")

    batches = ThreadBatches(rows)

    assert await batches.read(5) == [1, 2]
    with pytest.raises(InvalidFile):
        await batches.read(5)
    assert await batches.read(5) == []


async def test_a_reading_that_is_cancelled_loses_no_row() -> None:
    """A disk that hangs holds up no cancellation; the thread's rows come with the next reading."""
    go = threading.Event()

    def rows() -> Iterator[int]:
        yield 1
        go.wait(10)
        yield from (2, 3)

    batches = ThreadBatches(rows)
    with anyio.move_on_after(0.05) as scope:
        await batches.read(3)
    assert scope.cancelled_caught
    go.set()

    assert [*await batches.read(2), *await batches.read(5)] == [1, 2, 3]


async def test_closing_what_was_not_begun_is_nothing(table: Path) -> None:
    """A send may end before its first row."""
    batches = CsvSource(table).batches()
    await batches.aclose()

    assert batches.total() is None


# --- reading many lines at once ----------------------------------------------------------------------------

_PIECES = st.sampled_from(["\n", "\r\n", "a", "ñ", "\x0b", "\u2028", "bcdefgh" * 3, ";", '"', '"y"', "1;2"])


@given(st.lists(_PIECES, max_size=60).map("".join), st.integers(1, 40))
def test_lines_are_the_same_however_they_are_read(text: str, piece: int) -> None:
    """Line feeds end them, other separators do not; of a line that is too long the start is kept."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(text_files, "_PIECE", piece)
        patched.setattr(text_files, "LONGEST_LINE", 40)
        read = list(text_files.lines_of(io.StringIO(text, newline=None)))

    lines = io.StringIO(text, newline=None).readlines()
    assert read == [line[:40] for line in lines]


def records(table: csv_table.CsvTable) -> list[Any]:
    """The records with and without a known width, and the rows."""
    every = chain.from_iterable
    return [*every(table.records(None)), *every(table.records(2)), *every(table.parts()), table.blank]


@given(st.lists(_PIECES, max_size=60).map("".join), st.integers(1, 40))
def test_rows_are_the_same_however_they_are_read(text: str, piece: int) -> None:
    """Many records at once where that is safe give what one by one would."""
    content = io.BytesIO(f"a;b\nz;z\n{text}".encode())
    table = csv_table.CsvTable(content, text_files.Encoding("utf-8", "UTF-8"), ";")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(text_files, "_PIECE", piece)
        quick = records(table)
        patched.setattr(csv_table.CsvTable, "_at_once", lambda self, block: None)

        assert quick == records(table)


_CELLS = st.sampled_from(["a", " b ", "", "  ", "#N/A", "600000001", "x\0y", "\ufffd", "ñ", "c;d", "e\nf"])


@given(
    st.lists(st.lists(_CELLS, min_size=2, max_size=4), max_size=12),
    st.integers(1, 200),
    st.sampled_from([None, (), ("n",), ("n", "m")]),
)
def test_recipients_are_the_same_however_they_are_read(
    lines: list[list[str]], piece: int, needed: tuple[str, ...] | None
) -> None:
    """Many rows at once where there is nothing about any of them give what one by one would."""
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([["n", "tel", "m"], ["x", "600000009", "y"], *lines])
    content = io.BytesIO(text.getvalue().encode())
    reading = assign_columns(csv_table.CsvTable(content, text_files.Encoding("utf-8", "UTF-8"), ";"), needed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(text_files, "_PIECE", piece)
        quick = list(reading)
        patched.setattr(Reading, "_together", lambda self, part: None)
        patched.setattr(csv_table.CsvTable, "_whole", lambda self, part, width: None)

        assert quick == list(reading)
