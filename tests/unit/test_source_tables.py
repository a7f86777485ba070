"""CSV, JSON Lines and Excel as people have them: nothing is lost, each row has its number."""

from __future__ import annotations

import csv
import datetime
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mensatek_async.errors import ConfigurationError, InvalidFile, InvalidRequest
from mensatek_async.sources.opening import open_table
from mensatek_async.sources.rows import BrokenRow, Table, looks_like_phone
from mensatek_async.sources.text_files import LONGEST_LINE, detect


def source(content: str | bytes, name: str = "x.csv", **options: Any) -> Table:
    data = content.encode() if isinstance(content, str) else content
    return open_table(io.BytesIO(data), name, **options)


def rows(content: str | bytes, name: str = "x.csv", **options: Any) -> list[Any]:
    found = source(content, name, **options)
    return [item if isinstance(item, BrokenRow) else (item[0], *item[1]) for item in found.rows()]


def stopped(content: str | bytes, name: str = "x.csv", **options: Any) -> str:
    with pytest.raises((InvalidRequest, ConfigurationError)) as error:
        source(content, name, **options)
    return str(error.value)


# --- CSV ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    """Whatever usual delimiter a program exports with."""
    text = f"nombre{delimiter}tel\nGarcía{delimiter}600000001\n"

    assert rows(text) == [(2, "García", "600000001")]


def test_the_delimiter_is_the_one_that_fits_all_rows() -> None:
    """A comma inside a heading does not outweigh the rows."""
    text = "nombre;dirección, calle, número, piso;tel\nAna;Mayor 1;600000001\nEva;Sol 2;600000002\n"

    assert source(text).columns == ("nombre", "dirección, calle, número, piso", "tel")


def test_the_users_delimiter_wins() -> None:
    """A delimiter given overrides what is found."""
    assert source("a;b,tel\n1;2,600000001\n", delimiter=",").columns == ("a;b", "tel")
    assert source("a\ttel\n1\t600000001\n", delimiter="tab").columns == ("a", "tel")
    assert "one character" in stopped("a\n", delimiter="ab")
    assert "one character" in stopped("a\n", delimiter="x")


@pytest.mark.parametrize("first", ["sep=|", '"sep=|"', "SEP=|"])
def test_excels_own_first_line_is_honoured(first: str) -> None:
    """`sep=|` names the delimiter and is no row."""
    assert rows(f"{first}\nnombre|tel\nAna|600000001\n") == [(2, "Ana", "600000001")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_names_survive_every_encoding(encoding: str) -> None:
    """An ñ is an ñ."""
    data = "nombre;tel\nÍñigo Muñoz;600000001\n".encode(encoding)

    assert rows(data) == [(2, "Íñigo Muñoz", "600000001")]


def test_blank_rows_are_left_out_and_counted() -> None:
    """They hold nobody, and the rows below keep the numbers a spreadsheet shows."""
    found = source("\n;\nnombre;tel\n\nAna;600000001\n;\n  ; \nEva;600000002\n")

    assert list(found.rows()) == [(5, ["Ana", "600000001"]), (8, ["Eva", "600000002"])]
    assert found.blank == 3


def test_ragged_rows_are_kept_or_told() -> None:
    """Too few cells are missing cells; too many are a broken row, unless the others are empty."""
    assert rows("n;tel;x\nAna\nEva;2;3;4\nLuz;5;6;;\n") == [
        (2, "Ana", None, None),
        BrokenRow(3, "it has 4 cells and there are 3 columns"),
        (4, "Luz", "5", "6"),
    ]


def test_cells_may_hold_line_breaks_and_quotes() -> None:
    """Rows are counted as a spreadsheet counts them, not lines."""
    text = 'n;tel\n"Ana\nMaría";1\n"Juan ""el"" B";2\n"Mal" puesto;3\n'

    assert rows(text) == [
        (2, "Ana\nMaría", "1"),
        (3, 'Juan "el" B', "2"),
        (4, "Mal puesto", "3"),
    ]


def test_a_quote_never_closed_costs_its_own_row_only() -> None:
    """The rows below it are read as if it were not there, also when a later quote would have closed it."""
    told = "a quotation mark is opened and never closed"

    assert rows('n;tel\n"Ana;1\nEva;2\n"Luz";3\nPaz;4\n') == [
        BrokenRow(2, told),
        (3, "Eva", "2"),
        (4, "Luz", "3"),
        (5, "Paz", "4"),
    ]
    assert rows('n;tel\nEva;2\n"Ana;1') == [(2, "Eva", "2"), BrokenRow(3, told)]
    many = "".join(f"n{number};{number}\n" for number in range(500))
    assert len(rows(f'n;tel\n"Ana;1\n{many}')) == 501


def test_a_quote_that_swallows_a_row_is_noticed() -> None:
    """A closing quote in a later row makes one row of two; what is in its cell gives it away."""
    spans = "a quotation mark is opened in this row or above, and closed in a row below"

    assert rows('n;tel\n"Ana;1\nx";2\nEva;3\n') == [BrokenRow(2, spans), BrokenRow(3, spans), (4, "Eva", "3")]
    assert rows('tel;note\n1;"one;two\nthree"\n') == [(2, "1", "one;two\nthree")]
    assert rows('n;tel\n"Ana;1\nx";2;3\n') == [
        BrokenRow(2, "a quotation mark is opened and never closed"),
        BrokenRow(3, "it has 3 cells and there are 2 columns"),
    ]


def test_lines_without_end_are_told() -> None:
    """A line longer than any row costs no memory and is one broken row."""
    text = f"n;tel\nx;{'9' * (LONGEST_LINE * 2)}\nAna;1\n"

    assert rows(text) == [BrokenRow(2, "the line is too long to be a row"), (3, "Ana", "1")]
    assert rows(f"n;tel\n{'9' * 200_000};1\n") == [BrokenRow(2, "a cell is too long")]
    assert rows(f'n;tel\n{"9" * 200_000}"";1\n') == [BrokenRow(2, "a cell is too long")]


def test_files_without_a_row_are_told() -> None:
    """Nothing but headings, nothing but blank rows, headings nobody can read."""
    assert "no row below" in stopped("nombre;tel\n\n;\n")
    assert "nothing but blank" in stopped("\n\n ; \n")
    assert "cannot be read" in stopped('"nombre;tel\nAna;1\n')
    assert "NUL bytes" in stopped("nombre;tel\nAna;1\n".encode("utf-16-le"))
    assert "nothing but blank" in stopped("sep=;\n")


def test_a_file_without_headings_numbers_its_columns() -> None:
    """A phone in the first row is no heading."""
    found = source("600 000 001;Ana\n600000002;Eva\n")

    assert found.headless
    assert found.columns == ("1", "2")
    assert list(found.rows()) == [(1, ["600 000 001", "Ana"]), (2, ["600000002", "Eva"])]


def test_one_column_needs_no_delimiter() -> None:
    """A list of phones."""
    found = source("600000001\n\n600000002\n")

    assert list(found.rows()) == [(1, ["600000001"]), (3, ["600000002"])]
    assert "one column" in found.label


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("600000001", True),
        ("+34 600 000 001", True),
        ("６００００００００", True),
        ("60000000x", True),
        ("Teléfono 2", False),
        ("tel2", False),
        ("", False),
    ],
)
def test_phones_and_headings_differ(cell: str, expected: bool) -> None:
    """A damaged phone in the first row must not be taken for a heading and lost."""
    assert looks_like_phone(cell) is expected


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)


@given(
    st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8),
    st.sampled_from(";,\t|"),
    st.sampled_from(["\r\n", "\n"]),
)
def test_what_a_program_writes_is_what_is_read(
    table: list[tuple[str, ...]], delimiter: str, end: str
) -> None:
    """Every well-formed CSV comes back cell by cell, with the right row numbers.

    But for a cell that could be the rest of a row, a number kept as text, and the marks of MySQL and DOS.
    """
    content = [cell for line in table for cell in line]
    assume(not any("\n" in cell and delimiter in cell for cell in content))
    assume(not any('="' in cell or '\\"' in cell or "\x1a" in cell for cell in content))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(("first", "second", "third"))
    writer.writerow(("a", "b", "c"))
    writer.writerows(table)
    expected: list[tuple[object, ...]] = [(2, "a", "b", "c")]
    expected += [(row, *line) for row, line in enumerate(table, 3) if any(cell.strip() for cell in line)]

    read = rows(text.getvalue(), delimiter=delimiter)

    assert read == expected


@given(st.lists(st.sampled_from(['"', ";", "x", "\n", '"y"', "1;2"]), max_size=40).map("".join))
def test_no_line_is_lost_whatever_the_quotes(body: str) -> None:
    """Each letter of a damaged file is in a row that is read, or in one that is told."""
    read = rows(f"a;b\nz;z\n{body}\n")
    lines = [line for line in body.split("\n") if line.strip('; "')]
    told = _bare("".join("".join(filter(None, item[1:])) for item in read if not isinstance(item, BrokenRow)))
    broken = sum(isinstance(item, BrokenRow) for item in read)

    whole = [line for line in lines if _bare(line) in told]
    assert len(whole) + broken >= len(lines)


def _bare(text: str) -> str:
    return text.replace('"', "").replace(";", "")


# --- JSON Lines --------------------------------------------------------------------------------------------


def test_json_lines_have_columns_too() -> None:
    """Keys are columns, in the order they are met; lines keep their numbers."""
    text = '{"tel": 600000001, "n": "Ana"}\n\n{"n": "Eva", "tel": 6e8, "x": null}\n'

    assert source(text).columns == ("tel", "n", "x")
    assert rows(text) == [(1, "600000001", "Ana", None), (3, "600000000", "Eva", "")]


def test_json_values_become_text() -> None:
    """What is neither text nor number is shown as JSON."""
    line = json.dumps({"a": True, "b": False, "c": 1.5, "d": [1], "e": {"é": 1}})

    assert rows(line) == [(1, "true", "false", "1.5", "[1]", '{"é": 1}')]


def test_broken_json_lines_are_told() -> None:
    """Each with its number, and the others are read."""
    deep = "[" * 100_000
    long = '{"tel": "' + "6" * (2 * LONGEST_LINE) + '"}'
    text = f'{{"tel": "1"}}\n{{"tel\n[1]\n{deep}\n{long}\n{{"tel": "2"}}\n'

    assert rows(text) == [
        (1, "1"),
        BrokenRow(2, "the line is not JSON"),
        BrokenRow(3, "the line is not a JSON object"),
        BrokenRow(4, "the line is not JSON"),
        BrokenRow(5, "the line is too long to be a row"),
        (6, "2"),
    ]


def test_json_without_objects_is_told() -> None:
    """Nothing to send to."""
    assert "nothing but blank" in stopped("\n\n", "x.jsonl")
    assert "not JSON" in stopped("nonsense\n", "x.jsonl")
    assert "empty" in stopped("{}\n")
    assert "one object a line" in stopped('[{"tel": 1}]', "x.json")


# --- Excel -------------------------------------------------------------------------------------------------


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, lines in sheets:
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def test_cells_of_a_spreadsheet_read_as_people_see_them() -> None:
    """A phone kept as a number has no decimal point; dates are written the Spanish way."""
    data = workbook(
        (
            "Citas",
            [
                ["Teléfono", "Fecha", "Hora", "Cuándo", "Sí", "Peso"],
                [
                    600000001,
                    datetime.date(2027, 1, 8),
                    datetime.time(9, 5),
                    datetime.datetime(2027, 1, 8, 9, 5),
                    True,
                    1.5,
                ],
                [],
                [600000002.0, datetime.datetime(2027, 1, 8), None, None, False, datetime.timedelta(hours=1)],
            ],
        )
    )

    assert rows(data) == [
        (2, "600000001", "08/01/2027", "09:05", "08/01/2027 09:05", "true", "1.5"),
        (4, "600000002", "08/01/2027", "", "", "false", "1:00:00"),
    ]


def test_a_sheet_is_chosen_by_name_or_number() -> None:
    """Without a word it is the first, and that is said."""
    data = workbook(("Uno", [["tel"], ["600000001"]]), ("Dos", [["móvil"], ["600000002"]]))

    assert source(data).columns == ("tel",)
    assert "the first of 2" in source(data).label
    assert source(data, sheet="Dos").columns == source(data, sheet="2").columns == ("móvil",)
    assert "The sheets are: Uno, Dos" in stopped(data, sheet="Tres")
    assert "The sheets are" in stopped(data, sheet="3")


def test_a_cell_at_the_far_end_costs_nothing() -> None:
    """A tiny file with a cell in the last corner of the sheet must not fill the memory."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"], sheet["XFD1000"] = "tel", 600000001, "far"
    data = io.BytesIO()
    book.save(data)

    assert rows(data.getvalue()) == [(2, "600000001")]


def test_what_only_looks_like_a_spreadsheet_is_told(tmp_path: Path) -> None:
    """A zip of something else, a cut download, an old .xls, a bomb."""
    pytest.importorskip("openpyxl")
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "hello")
    good = workbook(("Uno", [["tel"], ["600000001"]]))

    assert "not a spreadsheet that can be read" in stopped(other.getvalue())
    assert "not a spreadsheet that can be read" in stopped(good[:-200])
    assert "old .xls" in stopped(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))


def test_a_zip_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spreadsheet that would unpack without end is not opened."""
    monkeypatch.setattr("mensatek_async.sources.excel_table._MOST_UNPACKED", 10)

    assert "too large" in stopped(workbook(("Uno", [["tel"], ["600000001"]])))


def test_a_sheet_damaged_inside_is_told() -> None:
    """The archive is whole and the sheet in it is not."""
    good = workbook(("Uno", [["tel"], ["600000001"]]))
    damaged = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(damaged, "w") as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, content[:-40] if part == "xl/worksheets/sheet1.xml" else content)

    with pytest.raises(InvalidFile, match="damaged after row"):
        rows(damaged.getvalue())


def test_a_workbook_of_charts_only_is_told() -> None:
    """There is no sheet with cells to read."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.create_chartsheet("Gráfico")
    book.remove(book.active)
    data = io.BytesIO()
    book.save(data)

    assert "no sheet with cells" in stopped(data.getvalue())


def test_without_openpyxl_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the command that helps."""
    data = workbook(("Uno", [["tel"], ["600000001"]]))
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)

    assert "mensatek-async[excel]" in stopped(data)


def test_the_detected_encoding_is_in_the_label() -> None:
    """The user sees what the file was taken for."""
    assert detect(io.BytesIO(b"a")).label == "UTF-8"
    assert source("tel;n\n600000001;ñ\n".encode("cp1252")).label == 'CSV, Windows-1252, separated by ";"'
    assert source("tel\tn\n600000001\tn\n").label == "CSV, UTF-8, separated by tabs"
