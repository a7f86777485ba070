"""Files of recipients as people have them: every row is a recipient with its number, or says why it is none."""

from __future__ import annotations

import csv
import datetime
import gc
import io
import os
import re
import threading
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import anyio
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mensatek_async import (
    BrokenRow,
    CsvSource,
    ExcelSource,
    InvalidFile,
    InvalidRequest,
    JsonLinesSource,
    MensatekError,
    Recipient,
)
from mensatek_async.cli.options import FileOptions
from mensatek_async.cli.output import text_of
from mensatek_async.cli.recipients import open_recipients, parse_rows
from mensatek_async.sources import csv_table, file_source, text_files
from mensatek_async.sources.batches import RecipientSource, ThreadBatches
from mensatek_async.sources.files import AnyFileSource
from tests.recipient_files import SHEET, book, read, sheet, with_part

TABLE = "Nombre;Teléfono Móvil;Ciudad\nAna;600000001;Ávila\nEva;;Soria\nLuz\nPaz;600000004;#N/A\n\nMar;600000006;Jaén\n"
LONG = text_files.LONGEST_LINE * 2
OLD_XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)
SPANS = "a quotation mark is opened in this row or above, and closed in a row below"
TOO_LONG = "the line is too long to be a row"
NO_JSON = "the line is not JSON"
UNREADABLE = "holds characters that cannot be read"
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
OPEN = "a quotation mark is opened and never closed"

Put = Callable[..., Path]


@pytest.fixture(scope="module")
def put(tmp_path_factory: pytest.TempPathFactory) -> Put:
    """Writes a file and gives its path."""
    folder = tmp_path_factory.mktemp("files")

    def write(content: str | bytes, name: str = "x.csv") -> Path:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder / name

    return write


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file as people have it: an empty phone, a row that ends early, a spreadsheet's error, a blank row."""
    path = tmp_path / "clientes.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def refused(source: RecipientSource, needed: Sequence[str] | None = None) -> str:
    with pytest.raises(MensatekError) as error:
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


@pytest.mark.parametrize(
    ("fields", "needed", "first"),
    [
        (["ciudad"], None, {"ciudad": "Ávila"}),
        ({"name": "NOMBRE", "town": 3}, None, {"name": "Ana", "town": "Ávila"}),
        (None, ["nombre", "CIUDAD"], {"nombre": "Ana", "CIUDAD": "Ávila"}),
        (None, ["Nombre", "2"], {"Nombre": "Ana", "2": "600000001"}),
        (None, [], {}),
        ({"name": "Nombre", "town": "Ciudad"}, ["Name"], {"Name": "Ana"}),
    ],
)
def test_fields_are_chosen_by_the_user_or_by_the_text(
    table: Path, fields: Any, needed: list[str] | None, first: dict[str, str]
) -> None:
    """By heading in any case or by number; who chooses gets those, and a row without one of them is broken."""
    rows = list(CsvSource(table, fields=fields).rows(needed))

    assert rows[0] == Recipient("600000001", first, row=2)
    town = next((name for name in first if first[name] == "Ávila"), None)
    if town:
        assert rows[3] == BrokenRow(5, f"its {town} is a spreadsheet error (#N/A)", "600000004")


@pytest.mark.parametrize(
    "phone", ["Teléfono Móvil", "TELÉFONO MÓVIL", "telefono movil", "Telefono_Movil", "2", 2, None], ids=repr
)
def test_the_phones_column_is_named_in_any_way(table: Path, phone: str | int | None) -> None:
    """By its heading, whatever its case and accents, by its number, or not at all."""
    assert read(CsvSource(table, phone=phone))[0] == (2, "600000001", "Ana", "Ávila")


@pytest.mark.parametrize(
    "heading",
    ["phone", "Teléfono", "TELEFONO MÓVIL", "telefono_movil", "Móvil del paciente", "mobile", "Mobile phone",
     "mobilePhone", "Celular", "Tlf.", "Tel", "Nº teléfono", "número", "Number", "MSISDN", "whatsapp"],
)  # fmt: skip
def test_the_phone_is_found_by_its_heading(put: Put, heading: str) -> None:
    """In Spanish or English, whatever the case, accents and punctuation; a landline beside it does not matter."""
    path = put(f"Nombre;{heading};Edad;Teléfono fijo\nAna;600000001;30;912345678\n")

    assert read(CsvSource(path), ["Edad"]) == [(2, "600000001", "30")]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        # delimiters and encodings
        *((f"nombre{mark}tel\nGarcía{mark}1\n", {}, [(2, "1", "García")]) for mark in ";,\t|"),
        ("n;calle, piso, a;tel\nAna;x;1\nEva;y;2\n", {}, [(2, "1", "Ana", "x"), (3, "2", "Eva", "y")]),
        ("a;b,tel\n1;2,600\n", {"delimiter": ","}, [(2, "600", "1;2")]),
        ("a\ttel\n1\t600\n", {"delimiter": "tab"}, [(2, "600", "1")]),
        *((f"{first}\nn|tel\nAna|1\n", {}, [(2, "1", "Ana")]) for first in ("sep=|", '"sep=|"', "SEP=|")),
        *(("n;tel\nÍñigo;1\n".encode(name), {}, [(2, "1", "Íñigo")]) for name in ENCODINGS),
        ("tel,a;b\n600,ñ\n".encode("cp850"), {"delimiter": ",", "encoding": "cp850"}, [(2, "600", "ñ")]),
        ("tel;n\n600;ñ\n".encode("utf-8-sig"), {"encoding": "UTF8", "phone": "tel"}, [(2, "600", "ñ")]),
        # blank and ragged rows; missing cells are not empty ones
        ("\n;\nn;tel\n\nAna;1\n;\n  ; \nEva;2\n", {}, [(5, "1", "Ana"), (8, "2", "Eva")]),
        ("n;tel;x\nAna\nLuz;5;6;;\n", {}, [(2, "the row ends before the phone"), (3, "5", "Luz", "6")]),
        ("n;tel\nEva;2;4\nLuz;5\n", {}, [(2, "it has 3 cells and there are 2 columns"), (3, "5", "Luz")]),
        ("tel;n\n1;\n2\n", {"needed": ["n"]}, [(2, "1", ""), (3, "it has no n")]),
        ("n;tel\nJ\0n;1\nA;6\ufffd\n", {"needed": ["n"]}, [(2, f"its n {UNREADABLE}"), (3, f"its phone {UNREADABLE}")]),
        # quotation marks: a row that is damaged costs no other
        ('n;tel\n"Ana\nMaría";1\n"Mal" puesto;3\n', {}, [(2, "1", "Ana\nMaría"), (3, "3", "Mal puesto")]),
        ('n;tel\n"Juan ""el"" B";2\n', {}, [(2, "2", 'Juan "el" B')]),
        ('n;tel\n"Ana;1\nEva;2\n"Luz";3\nPaz;4\n', {}, [(2, OPEN), (3, "2", "Eva"), (4, "3", "Luz"), (5, "4", "Paz")]),
        ('n;tel\nEva;2\n"Ana;1', {}, [(2, "2", "Eva"), (3, OPEN)]),
        ('n;tel\n"Ana;1\nx";2\nEva;3\n', {}, [(2, SPANS), (3, SPANS), (4, "3", "Eva")]),
        ('tel;note\n1;"one;two\nthree"\n', {}, [(2, "1", "one;two\nthree")]),
        ('n;tel\n"Ana;1\nx";2;3\n', {}, [(2, OPEN), (3, "it has 3 cells and there are 2 columns")]),
        (f"n;tel\nx;{'9' * LONG}\nAna;1\n", {}, [(2, TOO_LONG), (3, "1", "Ana")]),
        (f"n;tel\n{'9' * 200_000};1\n", {}, [(2, "a cell is too long")]),
        (f'n;tel\n{"9" * 200_000}"";1\n', {}, [(2, "a cell is too long")]),
        # headings: none, one column, two of one name, the provider's own variables
        ("600 000 001;Ana\n600000002;Eva\n", {"phone": 1}, [(1, "600 000 001", "Ana"), (2, "600000002", "Eva")]),
        ("６００００００００;Ana\n", {"phone": 1}, [(1, "６００００００００", "Ana")]),
        ("60000000x;Ana\n", {"phone": 1}, [(1, "60000000x", "Ana")]),
        ("600000001\n\n600000002\n", {}, [(1, "600000001"), (3, "600000002")]),
        ("Lista de clientes\n600000001\n", {}, [(2, "600000001")]),
        ("Teléfono fijo;Móvil;Número\n1;2;3\n", {}, [(2, "2", "1", "3")]),
        ("phone;Otro;x\n1;2;3\n", {"phone": "otro"}, [(2, "2", "1", "3")]),
        ("n;tel;;n\n1;600;2;3\n", {}, [(2, "600")]),
        ("tel;Variable_1;VARIABLE_02;variable_11;n\n600;a;b;c;d\n", {"needed": []}, [(2, "600", "a", "b")]),
        # JSON Lines
        ('{"tel": 61, "n": "Ana"}\n\n{"n": "Eva", "tel": 6e8, "x": null}\n', {},
         [(1, "61", "Ana"), (3, "600000000", "Eva", "")]),
        ('{"tel": 1, "a": true, "b": false, "c": 1.5, "d": [1], "e": {"é": 1}}', {},
         [(1, "1", "true", "false", "1.5", "[1]", '{"é": 1}')]),
        ('{"tel": 1}\nnonsense\n{"n": 1}\n', {}, [(1, "1"), (2, NO_JSON), (3, "the line has no phone")]),
        (f'{{"tel": 1}}\n[1]\n{"[" * 100_000}\n{{"tel": "{"6" * LONG}"}}\n{{"tel": 2}}\n', {},
         [(1, "1"), (2, "the line is not a JSON object"), (3, NO_JSON), (4, TOO_LONG), (5, "2")]),
    ],
)  # fmt: skip
def test_rows_of_a_text_file(
    put: Put, content: str | bytes, options: dict[str, Any], expected: list[Any]
) -> None:
    """Whatever program has written it; rows are counted as a spreadsheet counts them."""
    options = dict(options)
    needed = options.pop("needed", None)

    assert read(AnyFileSource(put(content), **options), needed) == expected


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("a\n", {"delimiter": "ab"}, "one character"),
        ("a\n", {"delimiter": "x"}, "one character"),
        ("nombre;tel\n\n;\n", {}, "no row below"),
        ("\n\n ; \n", {}, "nothing but blank"),
        ("sep=;\n", {}, "nothing but blank"),
        ('"nombre;tel\nAna;1\n', {}, "The first row cannot be read"),
        ("nombre;tel\nAna;1\n".encode("utf-16-le"), {}, "NUL bytes"),
        (OLD_XLS, {}, "old .xls"),
        ("\n\n", {"name": "x.jsonl"}, "nothing but blank"),
        ("nonsense\n", {"name": "x.jsonl"}, "not JSON"),
        ("{}\n", {}, "empty"),
        ('[{"tel": 1}]', {"name": "x.json"}, "one object a line"),
        *(
            (f"Nombre;{heading}\nAna;912345678\n", {}, "No column looks like the phone")
            for heading in ("Teléfono fijo", "Fax", "Home phone", "Código", "Número de historia", "Hotel")
        ),
        ("Teléfono 1;Teléfono 2\n1;2\n", {}, "Teléfono 1 (column 1), Teléfono 2 (column 2)"),
        ("number;NÚMERO\n1;2\n", {}, "number (column 1), NÚMERO (column 2)"),
        ("tel;móvil\n1;2\n", {}, "Say which with phone=NAME or phone=NUMBER."),
        ("tel;tel\n1;2\n", {"phone": "tel"}, "phone=1 or phone=2"),
        ("phone;Otro;x\n1;2;3\n", {"phone": "Otra"}, "Did you mean Otro? The columns are: phone, Otro, x."),
        ("phone;Otro;x\n1;2;3\n", {"phone": "9"}, "no column 9"),
        ("Nombre\nAna\n", {}, "No column looks like"),
        ("600000001;Ana\n", {}, "called 1 to 2"),
        ("tel;Día\n1;3\n", {"needed": ["Dia"]}, "needs {Dia} and there is no such column. Did you mean Día?"),
        ("tel;n;n\n1;2;3\n", {"needed": ["n"]}, "several columns have that name"),
        ("tel;a\n1;2\n", {"phone": "fax"}, "There is no column fax for the phone. The columns are: tel, a."),
        ("tel;a\n1;2\n", {"needed": ["zzz"]}, "there is no such column. The columns are: tel, a."),
        ("tel;a\n1;2\n", {"fields": {"n": "b"}}, "needs {n} from the column b"),
        ("tel;a\n1;2\n", {"fields": {"n": "a"}, "needed": ["a"]}, "it is not among the fields. The fields are: n."),
        ("tel;" + ";".join(f"c{n}" for n in range(60)) + "\n1\n", {"needed": ["zzz"]}, "c48, ...."),
    ],
)  # fmt: skip
def test_what_is_no_file_of_recipients_is_told(
    put: Put, content: str | bytes, options: dict[str, Any], told: str
) -> None:
    """With its name, the columns there are, and what was probably meant; nothing is guessed that costs money."""
    options = dict(options)
    needed, name = options.pop("needed", None), options.pop("name", "x.csv")

    message = refused(AnyFileSource(put(content, name), **options), needed)
    assert message.startswith(f"{name}: ")
    assert told in message


def test_a_command_names_its_own_options(put: Put) -> None:
    """The library says `phone=NAME`, the command `--phone NAME`."""
    with pytest.raises(InvalidRequest) as error:
        list(AnyFileSource(put("tel;móvil\n1;2\n")))
    assert "--phone NAME or --phone NUMBER." in text_of(error.value)


def test_a_row_of_data_among_the_headings_is_not_shown(put: Put) -> None:
    """A file whose headings were lost must not put somebody's number into a log."""
    told = refused(CsvSource(put("Ana;tfno: 600123456;x\nEva;600000002;x\n"), phone="zzz"))

    assert "tfno: *********" in told
    assert "600123456" not in told


def test_what_a_file_is_taken_for_is_said(put: Put) -> None:
    """Its kind, encoding and delimiter; blank rows are counted; and some rows can be chosen."""
    for content, label, blank in (
        ("tel;n\n600000001;ñ\n".encode("cp1252"), 'CSV, Windows-1252, separated by ";"', 0),
        ("tel\tn\n\n600000001\tn\n", "CSV, UTF-8, separated by tabs", 1),
        ("600000001\n;\n\n600000002\n", "CSV, UTF-8, one column", 1),
        ('{"tel": 1}\n\n', "JSON Lines, UTF-8", 1),
    ):
        with AnyFileSource(put(content)).reading(None) as reading:
            assert len(list(reading)) >= 1
            assert (reading.source.label, reading.source.blank >= blank) == (label, True)
    with AnyFileSource(put("tel\n1\n2;3\n3\n4;5\n6\n"), rows=parse_rows("4-5")).reading(()) as reading:
        assert [row.row for row in reading] == [4, 5]
        assert reading.phone_column == "tel"


def test_reading_starts_anew_each_time(table: Path) -> None:
    """Two readings at once do not disturb each other; a file that was changed is looked at again."""
    source = CsvSource(table)
    first, second = iter(source), iter(source)
    next(first)

    assert list(second) == [next(iter(source)), *first]
    for encoding in ("utf-8", "cp1252"):
        table.write_text(f"tel;n\n600000001;Íñigo {encoding}\n", encoding)
        assert read(source) == [(2, "600000001", f"Íñigo {encoding}")]


def test_a_large_file_is_never_held_whole(put: Put) -> None:
    """Memory does not grow with the file."""
    path = put("tel;n\n" + "".join(f"6{number:08};{'x' * 2000}\n" for number in range(6000)))
    source = CsvSource(path)
    tracemalloc.start()
    try:
        count = sum(1 for _ in source)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert count == 6000
    assert peak < path.stat().st_size / 2


def test_a_reading_left_early_closes_the_file(table: Path) -> None:
    """No handle stays behind; warnings about one are errors in these tests."""
    rows = iter(CsvSource(table))
    next(rows)
    del rows

    gc.collect()


# --- spreadsheets, and files of another kind ---------------------------------------------------------------


def test_spreadsheets_give_recipients(tmp_path: Path) -> None:
    """Cells read as people see them: no decimal point in a phone, dates the Spanish way; a sheet by name or number."""
    when = datetime.datetime(2027, 1, 8, 9, 5)
    rows: list[list[Any]] = [
        ["Teléfono", "Fecha", "Hora", "Cuándo", "Sí", "Peso"],
        [600000001, when.date(), when.time(), when, True, 1.5],
        [],
        [600000002.0, datetime.datetime(2027, 1, 8), None, None, False, datetime.timedelta(hours=1)],
    ]

    def second(first: Any) -> None:
        first.title, other = "Citas", first.parent.create_sheet("Dos")
        other.append(["móvil"])
        other.append([600000002])

    path = sheet(tmp_path / "x.xlsx", *rows, change=second)

    assert read(ExcelSource(path)) == [
        (2, "600000001", "08/01/2027", "09:05", "08/01/2027 09:05", "true", "1.5"),
        (4, "600000002", "08/01/2027", "", "", "false", "1:00:00"),
    ]
    with ExcelSource(path).reading(None) as reading:
        assert reading.source.label == "Excel, sheet Citas (the first of 2)"
    assert read(ExcelSource(path, sheet="Dos")) == read(ExcelSource(path, sheet=2)) == [(2, "600000002")]
    for wanted in ("Tres", 3):
        told = refused(ExcelSource(path, sheet=wanted))
        assert told == f"x.xlsx: There is no sheet {wanted}. The sheets are: Citas, Dos."


def test_what_is_no_spreadsheet_is_told(
    tmp_path: Path, put: Put, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another kind of file, with the source that reads it; a cut download, damage, a bomb, charts only."""
    good = sheet(tmp_path / "x.xlsx", ["tel"], [600000001])

    def only_charts(workbook: Any) -> None:
        workbook.create_chartsheet("Gráfico")
        workbook.remove(workbook.active)

    charts = book(tmp_path / "charts.xlsx", only_charts)
    other = tmp_path / "other.xlsx"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "hello")

    assert "x.xlsx: This is an Excel file, or another archive. Excel is" in refused(CsvSource(good))
    assert "read by ExcelSource" in refused(JsonLinesSource(good))
    assert "read by JsonLinesSource" in refused(CsvSource(put('{"tel": 600000001}\n')))
    assert "not a JSON object" in refused(JsonLinesSource(put("1\n", "y")))
    assert "old .xls" in refused(ExcelSource(put(OLD_XLS)))
    assert "no sheet with cells" in refused(ExcelSource(charts))
    for wrong in (other, table, put(good.read_bytes()[:-200])):
        assert "not a spreadsheet that can be read" in refused(ExcelSource(wrong))
    with_part(good, SHEET, lambda part: part[:-40])
    assert "damaged after row" in refused(ExcelSource(good))
    with monkeypatch.context() as patched:
        patched.setattr("mensatek_async.sources.excel_table._MOST_UNPACKED", 10)
        assert "too large" in refused(ExcelSource(good))
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    assert "mensatek-async[excel]" in refused(ExcelSource(good))


def test_a_cell_at_the_far_end_costs_nothing(tmp_path: Path) -> None:
    """A tiny file with a cell in the last corner of the sheet must not fill the memory."""
    far: Any = {"change": lambda found: found.__setitem__("XFD1000", "far")}

    assert read(ExcelSource(sheet(tmp_path / "x.xlsx", ["tel"], [600000001], **far))) == [(2, "600000001")]


def test_what_openpyxl_warns_of_is_left_to_the_users_filters(tmp_path: Path) -> None:
    """The command line shows none of it; a program decides for itself."""
    path = sheet(tmp_path / "x.xlsx", ["tel"], [600000001])
    with_part(path, "xl/styles.xml", lambda part: re.sub(rb"<cellStyles.*</cellStyles>", b"", part))

    with pytest.warns(UserWarning, match="no default style"):
        assert read(ExcelSource(path)) == [(2, "600000001")]
    with ExitStack() as stack, warnings.catch_warnings():
        assert list(open_recipients(str(path), FileOptions(), stack))


# --- errors ------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_told_at_once(tmp_path: Path, put: Put) -> None:
    """Before anything is sent, and before anything is awaited."""
    os.mkfifo(tmp_path / "pipe")

    def write() -> None:
        with suppress(BrokenPipeError):  # its reader may be gone already
            (tmp_path / "pipe").write_bytes(b"tel\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(InvalidFile, match=r"^pipe is no plain file"):
            CsvSource(tmp_path / "pipe")
    finally:
        writer.join()
    for kind, path, told in (
        (CsvSource, tmp_path / "nobody.csv", "There is no file "),
        (JsonLinesSource, tmp_path, "is a directory"),
        (ExcelSource, put(""), r"^x\.csv is empty"),
    ):
        with pytest.raises(InvalidFile, match=told):
            kind(path)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        *(({"phone": wrong}, "phone is") for wrong in ("", 0, True, 1.5)),
        *(({"fields": wrong}, "fields is") for wrong in ("nombre", 3, [3], {"n": None})),
        ({"encoding": "latin-99"}, "called latin-99"),
        ({"encoding": "rot13"}, "called rot13"),
    ],
)
def test_options_that_are_none_are_told_at_once(table: Path, options: dict[str, Any], told: str) -> None:
    """A string for a list of fields would be taken letter by letter."""
    with pytest.raises(InvalidRequest, match=told):
        CsvSource(table, **options)


def test_a_disk_that_fails_half_way_is_told(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the system's words, by the name of the file: while its rows are read, and for its fingerprint."""

    class Failing(io.FileIO):
        def readinto(self, buffer: Any, /) -> int:
            raise OSError(5, "Input/output error")

        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    source = CsvSource(table)
    monkeypatch.setattr(source, "_open", lambda: cast(BinaryIO, Failing(table)))
    told = "clientes.csv cannot be read: Input/output error."

    assert refused(source) == told
    with pytest.raises(InvalidFile, match=re.escape(told)):
        source.fingerprint()
    monkeypatch.setattr(file_source, "open_file", lambda path: Failing(path))
    with pytest.raises(InvalidFile, match=re.escape(told)):
        CsvSource(table)


def test_sources_show_nothing_of_what_stands_in_them(table: Path) -> None:
    """In a log or a traceback."""
    assert repr(CsvSource(table)) == "<CsvSource clientes.csv>"
    assert CsvSource(table).describe() == "CSV file clientes.csv"
    assert JsonLinesSource(table).describe() == "JSON Lines file clientes.csv"
    assert "600" not in repr(BrokenRow(3, "reason", "600000001"))


def test_a_fingerprint_is_of_content_and_options(put: Put, table: Path) -> None:
    """A copy has the same one; another letter, column or kind of reading another, and a file that was changed."""
    copy = put(TABLE, "copy.csv")
    os.utime(copy, ns=(1, 1))
    source = CsvSource(table)
    mine = source.fingerprint()

    assert CsvSource(copy).fingerprint() == source.fingerprint() == mine
    others = [
        CsvSource(put(TABLE.replace("Ana", "Ani"))).fingerprint(),
        CsvSource(table, phone="Ciudad").fingerprint(),
        CsvSource(table, fields=["Nombre"]).fingerprint(),
        CsvSource(table, delimiter=";").fingerprint(),
        CsvSource(table, encoding="utf-8").fingerprint(),
        JsonLinesSource(table).fingerprint(),
        ExcelSource(table).fingerprint(),
        ExcelSource(table, sheet=1).fingerprint(),
    ]
    table.write_text(TABLE.replace("600000006", "600000007"), encoding="utf-8")
    os.utime(table, ns=(1, 1))
    others.append(source.fingerprint())
    assert len({mine, *others}) == len(others) + 1


# --- threads -----------------------------------------------------------------------------------------------


async def test_rows_are_read_in_a_worker_thread(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk does not stop the event loop; closing what was not begun is nothing."""
    threads = set()
    real = csv_table.CsvTable.records

    def seen(self: csv_table.CsvTable, width: int | None) -> Any:
        threads.add(threading.get_ident())
        return real(self, width)

    monkeypatch.setattr(csv_table.CsvTable, "records", seen)
    await CsvSource(table).batches().aclose()
    batches = CsvSource(table).batches()

    assert [len(await batches.read(2)) for _ in range(4)] == [2, 2, 1, 0]
    await batches.aclose()
    assert batches.total() is None
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


# --- many lines at once, and whatever a program writes -----------------------------------------------------

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)


def csv_of(content: str, delimiter: str = ";") -> csv_table.CsvTable:
    return csv_table.CsvTable(io.BytesIO(content.encode()), text_files.Encoding("utf-8", "UTF-8"), delimiter)


@given(
    st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8),
    st.sampled_from(";,\t|"),
    st.sampled_from(["\r\n", "\n"]),
)
def test_what_a_program_writes_is_what_is_read(lines: list[Any], delimiter: str, end: str) -> None:
    """Every well-formed CSV comes back cell by cell, with the right row numbers.

    But for a cell that could be the rest of a row, a number kept as text, and the marks of MySQL and DOS.
    """
    content = [cell for line in lines for cell in line]
    assume(not any("\n" in cell and delimiter in cell for cell in content))
    assume(not any('="' in cell or '\\"' in cell or "\x1a" in cell for cell in content))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([("first", "second", "third"), ("a", "b", "c"), *lines])
    expected: list[Any] = [(2, ["a", "b", "c"])]
    expected += [(row, list(line)) for row, line in enumerate(lines, 3) if any(cell.strip() for cell in line)]

    assert list(csv_of(text.getvalue(), delimiter).rows()) == expected


@given(st.lists(st.sampled_from(['"', ";", "x", "\n", '"y"', "1;2"]), max_size=40).map("".join))
def test_no_line_is_lost_whatever_the_quotes(body: str) -> None:
    """Each letter of a damaged file is in a row that is read, or in one that is told."""

    def bare(text: str) -> str:
        return text.replace('"', "").replace(";", "")

    rows = list(csv_of(f"a;b\nz;z\n{body}\n").rows())
    lines = [line for line in body.split("\n") if line.strip('; "')]
    told = bare("".join("".join(filter(None, row[1])) for row in rows if not isinstance(row, BrokenRow)))
    broken = sum(isinstance(row, BrokenRow) for row in rows)

    assert len([line for line in lines if bare(line) in told]) + broken >= len(lines)


LONG = ("ascii only;600000001\n" * 70_000).encode()  # more than one block of reading


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"plain", "utf-8"),
        ("ñandú".encode("utf-8-sig"), "utf-8-sig"),
        ("\ufeffñandú".encode("utf-16-be"), "utf-16"),
        ("\ufeffñandú".encode("utf-32-be"), "utf-32"),
        ("ñandú".encode("utf-32"), "utf-32"),
        (LONG + "ñandú".encode("cp1252"), "cp1252"),
        (LONG + "ñandú".encode(), "utf-8"),
        (LONG[: (1 << 20) - 1] + "ñ".encode() + LONG, "utf-8"),
        ("José;Íñigo;Begoña;".encode() * 9 + b"\xf1", "utf-8"),
        (b"half a letter \xc3", "cp1252"),
    ],
)
def test_the_whole_file_tells_its_encoding(content: bytes, name: str) -> None:
    """A mark, else strict UTF-8 to the last byte, else Windows-1252; a damaged UTF-8 stays UTF-8."""
    assert text_files.detect(io.BytesIO(content)).name == name
