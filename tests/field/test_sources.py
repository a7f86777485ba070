"""Files of recipients as people have them: what a spreadsheet hides, titles, other encodings, damage, and bombs."""

from __future__ import annotations

import csv
import datetime
import json
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import BrokenRow, CsvSource, ExcelSource, JsonLinesSource, Mensatek, Template
from mensatek_async.cli.app import run
from mensatek_async.errors import InvalidFile, InvalidRequest
from mensatek_async.sandbox import Sandbox
from mensatek_async.sources.values import spreadsheet_cell
from tests.recipient_files import MAIN, SHEET, book, read, sheet, sheet_of, with_part

DATA = Path(__file__).parent / "data"
UNREADABLE = "its {} holds characters that cannot be read"
Rows = list[Any]


def of_csv(path: Path, content: str | bytes, **options: Any) -> Rows:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(CsvSource(path, **options))


# --- spreadsheets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("xlsx_hidden_first_sheet.xlsx", [(2, "600000009", "Dos")]),
        ("xlsx_styled_last_row_27s.xlsx", [(2, "600000001", "Ana")]),
        ("xlsx_x000D.xlsx", [(2, "600000001", "a\nb")]),
    ],
)
def test_spreadsheets_of_the_field(name: str, expected: Rows) -> None:
    """The first sheet is hidden; somebody styled the last row there is; a line break is written `_x000D_`."""
    pytest.importorskip("openpyxl")
    began = time.process_time()

    assert read(ExcelSource(DATA / name)) == expected
    assert time.process_time() - began < 5


def test_hidden_rows_are_left_out_counted_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By a filter, by hand, or with no height; a hidden row of headings is found when it is named."""

    def hide(sheet: Any) -> None:
        sheet.auto_filter.ref = "A1:B6"
        sheet.row_dimensions[3].hidden = sheet.row_dimensions[5].hidden = True

    lines = [[600000000 + number, f"n{number}"] for number in range(2, 7)]
    path = sheet(tmp_path / "x.xlsx", ["Móvil", "n"], *lines, change=hide)
    with_part(path, SHEET, lambda xml: xml.replace(b'<row r="6"', b'<row r="6" ht="0"'))
    source = ExcelSource(path)

    with caplog.at_level(logging.WARNING, "mensatek_async"):
        assert read(source) == [(2, "600000002", "n2"), (4, "600000004", "n4")]
    assert source.hidden_rows == 3
    assert "x.xlsx: 3 hidden rows were left out" in caplog.text
    everything = ExcelSource(path, include_hidden=True)
    assert len(read(everything)) == 5
    assert not everything.hidden_rows
    assert len({one.fingerprint() for one in (source, everything, ExcelSource(path, header_row=1))}) == 3
    hidden: Any = {"change": lambda s: setattr(s.row_dimensions[1], "hidden", True)}
    headless = sheet(tmp_path / "y.xlsx", ["Móvil"], [600000001], **hidden)
    assert read(ExcelSource(headless, header_row=1)) == [(2, "600000001")]


def test_sheets_are_numbered_as_people_see_them(tmp_path: Path) -> None:
    """The tabs there are; a hidden one only by its name."""

    def fill(workbook: Any) -> None:
        workbook.active.title = "Oculta"
        workbook.active.sheet_state = "veryHidden"
        for number, title in enumerate(["Oculta", "Uno", "Dos"]):
            found = workbook[title] if number == 0 else workbook.create_sheet(title)
            found.append(["tel"])
            found.append([600000000 + number])

    path = book(tmp_path / "x.xlsx", fill)

    for wanted, phone in ((None, 1), ("1", 1), (2, 2), ("Dos", 2), ("Oculta", 0)):
        assert read(ExcelSource(path, sheet=wanted)) == [(2, f"60000000{phone}")]
    with pytest.raises(InvalidFile, match=re.escape("The sheets are: Oculta (hidden), Uno, Dos.")):
        read(ExcelSource(path, sheet="3"))


def test_cells_read_as_people_see_them(tmp_path: Path) -> None:
    """Durations in hours, percentages, leading zeros, 0.3, times past midnight, dates of 1904, and no formula alone."""
    cells = [
        (datetime.timedelta(hours=26, minutes=30), "[h]:mm", "26:30:00"),
        (datetime.timedelta(hours=-1), "General", "-1:00:00"),
        (0.21, "0%", "21%"),
        (0.075, "0.0 %", "7.5%"),
        (8001, "00000", "08001"),
        (0.1 + 0.2, "General", "0.3"),
        (1.5, "hh:mm", "12:00"),
        (600000001, "dd/mm/yyyy", "600000001"),
        (6.00000001e8, "0.00E+00", "600000001"),
        (datetime.date(2027, 1, 8), "dd/mm/yyyy", "08/01/2027"),
        (True, "General", "true"),
        ("José_x000D_\nPeña_x005F_x000D_", "General", "José\nPeña_x000D_"),
    ]

    def style(sheet: Any) -> None:
        for column, (_, number_format, _) in enumerate(cells, 2):
            if number_format != "General":
                sheet.cell(2, column).number_format = number_format

    headings = ["tel", *(f"c{number}" for number in range(len(cells)))]
    row = [600000001, *(value for value, _, _ in cells)]
    path = sheet(tmp_path / "x.xlsx", headings, row, change=style)

    assert read(ExcelSource(path)) == [(2, "600000001", *(text for _, _, text in cells))]

    def mac(workbook: Any) -> None:
        workbook.epoch = datetime.datetime(1904, 1, 1)
        for line in (["tel", "f", "x"], [600000001, datetime.date(2027, 1, 8), "=1+1"]):
            workbook.active.append(line)

    path = book(tmp_path / "mac.xlsx", mac)
    assert read(ExcelSource(path)) == [(2, "600000001", "08/01/2027")]
    told = "its x is a spreadsheet error (#CALC!)"
    with ExcelSource(path).reading(["x"]) as rows:
        assert [row.reason for row in rows if isinstance(row, BrokenRow)] == [told]


def test_a_formula_that_is_its_own_content(tmp_path: Path) -> None:
    """A program wrote `="600000001"` and no spreadsheet has calculated it; a phone that needs that is named as such."""
    rows = [['="600000001"', '="Ana ""la jefa"""'], ["=600000002", "=+3"], ["=A2", "x"], ["#N/A", "x"]]
    error = "its phone is a spreadsheet error ({})".format
    expected = [
        (2, "600000001", 'Ana "la jefa"'),
        (3, "600000002", "3"),
        (4, error("#CALC!")),
        (5, error("#N/A")),
    ]

    assert read(ExcelSource(sheet(tmp_path / "x.xlsx", ["tel", "x"], *rows))) == expected


def test_json_lines_of_other_kinds(tmp_path: Path) -> None:
    """Python reads NaN and 1e999 in them, and nobody is to get a text that says "inf"; they take an encoding too."""
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(f'{{"tel": 600000001, "x": {x}}}' for x in ("NaN", "1e999", "2.0")))
    broken = "a value in it cannot be written as a text"

    assert read(JsonLinesSource(path)) == [(1, broken), (2, broken), (3, "600000001", "2")]
    path.write_bytes('{"tel": 600000001, "n": "Peña"}\n'.encode("cp850"))
    assert read(JsonLinesSource(path, encoding="cp850")) == [(1, "600000001", "Peña")]


def test_one_bad_cell_costs_its_own_row(tmp_path: Path) -> None:
    """A number that is none, a text that is not there, half a surrogate; shared texts, with how they are pronounced."""
    cells = [
        '<c r="A1" t="inlineStr"><is><t>tel</t></is></c><c r="B1" t="str"><v>n</v></c>',
        '<c r="A2"><v>6e8x</v></c>',
        '<c r="A3"><v>600000003</v></c><c r="B3" t="s"><v>9</v></c>',
        '<c><v>600000004</v></c><c t="s"><v>0</v></c>',
        '<c r="A5"><v>600000005</v></c><c r="B5" t="inlineStr"><is><t>x_xD83D_</t></is></c>',
        '<c r="A6"><v>600000006</v></c><c r="B6" t="d"><v>2027-01-08</v></c>',
        f'<c r="A7"><v>600000007</v></c><c r="B7" t="str"><v>{"x" * 200_000}</v></c>',
        '<c r="A8" t="inlineStr"><is><t> 600000008</t></is></c><c r="B8" t="n"><v>1.5E0</v></c>',
    ]
    path = sheet(tmp_path / "x.xlsx", ["tel"], [1])
    lines = (f'<row r="{number}">{line}</row>' for number, line in enumerate(cells, 1))
    with_part(path, SHEET, sheet_of(lines))
    text = "<si><r><t>A</t></r><r><t>na</t></r><rPh><t>アナ</t></rPh></si>"
    with_part(path, "xl/sharedStrings.xml", [f"<sst {MAIN}>{text}</sst>".encode()])

    broken = "one of its cells cannot be read"
    assert read(ExcelSource(path)) == [
        (2, broken),
        (3, broken),
        (4, "600000004", "Ana"),
        (5, UNREADABLE.format("n")),
        (6, "600000006", "08/01/2027"),
        (7, UNREADABLE.format("n")),
        (8, "600000008", "1.5"),
    ]


def test_a_style_on_every_row_there_can_be_is_read_in_seconds(tmp_path: Path) -> None:
    """The empty cells are passed over, also where their rows are not numbered."""
    path = sheet(tmp_path / "x.xlsx", ["tel"], [1])
    rows = [
        '<row r="1"><c r="A1" t="str"><v>tel</v></c></row><row><c r="A2"><v>600000001</v></c></row>',
        *(f'<row r="{n}" s="1"><c r="A{n}" s="1"/><c r="B{n}" s="1"></c></row>' for n in range(3, 400_000)),
        '<row r="1048576"><c r="A1048576"><v>600000002</v></c></row>',
    ]
    with_part(path, SHEET, sheet_of(rows))
    began = time.process_time()

    with ExcelSource(path).reading(None) as found:
        assert [(row.row, row.phone) for row in found] == [(2, "600000001"), (1_048_576, "600000002")]
        assert found.source.blank == 1_048_573
    assert time.process_time() - began < 15


@pytest.mark.parametrize(
    ("part", "content", "told"),
    [
        ("xl/sharedStrings.xml", (2_100_000, "<si><t/></si>"), "more than 2,000,000 texts"),
        ("xl/sharedStrings.xml", (150, f"<si><t>{'y' * (1 << 20)}</t></si>"), "128 MB can be held"),
        ("xl/styles.xml", (20, f"<cellXfs>{' ' * (1 << 20)}</cellXfs>"), "16 MB can be held"),
    ],
)
def test_a_bomb_is_refused_with_a_way_out(
    tmp_path: Path, part: str, content: tuple[int, str], told: str
) -> None:
    """Before it fills the memory."""
    path = sheet(tmp_path / "x.xlsx", ["tel"], [600000001])
    times, piece = content
    step = 100_000 if times > 100_000 else 1
    body = ((piece * step).encode() for _ in range(times // step))
    with_part(path, part, (f"<sst {MAIN}>".encode(), *body, b"</sst>"))
    began = time.process_time()

    with pytest.raises(InvalidFile, match=rf"x\.xlsx: .*{told}.* Save the sheet as CSV"):
        read(ExcelSource(path))
    assert time.process_time() - began < 15


def test_a_sheet_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row without end, or entities; the time is counted from row to row."""
    path = sheet(tmp_path / "x.xlsx", ["tel"], [600000001])
    endless = ["<row>" + '<c r="A2"><v>1</v></c>' * 100_000]
    rows = with_part(path, SHEET, sheet_of(["<row><c><v>1</v></c></row>", *endless]))
    monkeypatch.setattr("mensatek_async.sources.sheet_xml._MOST_SECONDS", 0)

    with pytest.raises(InvalidFile, match="takes more than 0 s to read"):
        read(ExcelSource(rows))
    with_part(path, SHEET, [b"<!DOCTYPE a [<!ENTITY b 'c'>]>", *sheet_of([])])
    with pytest.raises(InvalidFile, match="damaged after row 0"):
        read(ExcelSource(rows))


# --- headings below a title ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("Listado de teléfonos;\n27/11/2026 10:00;x\n\nNombre;Móvil\nAna;600000001\n", {}, ["Ana"]),
        ("Clínica Sur\n912 345 678\nNombre;Tel\nAna;600000001\n", {}, ["Ana"]),
        ("Clínica Sur;x\nCIF;B12345678\nTel.;912345678\n\nNombre;Móvil\nAna;600000001\n", {}, ["Ana"]),
        ("600000001;a\n600000002;b\n600000003;c\n\nx;Móvil\n", {"phone": 1}, ["a", "b", "c", "Móvil"]),
        ("Clientes de enero\n\nNombre,Móvil\nAna,600000001\nEva,600000002\n", {}, ["Ana", "Eva"]),
        ('"Listado\nde enero"\nNombre;Móvil\nAna;600000001\n', {}, ["Ana"]),
        ("Listado\nNombre;Número\nAna;600000001\n", {}, ["Ana"]),
        ("Listado\nNombre;Contacto\nAna;600000001\n", {"phone": "contacto"}, ["Ana"]),
        ("x\n" * 19 + "Nombre;Móvil\nAna;600000001\n", {}, ["Ana"]),
        ("a;b;c\nNombre;Cosa\nAna;600000001\n", {"header_row": 2, "phone": 2}, ["Ana"]),
        ("Móvil;Fijo\nNombre;Móvil\nAna;600000001\n", {"header_row": 2}, ["Ana"]),
        ("600000001;Móvil\n;Móvil\n600000003;Fijo\n", {"phone": 1}, ["Móvil", "the phone is empty", "Fijo"]),
        ("a;b;c\nAna;y;600000001\nEva;tel;2\n", {"phone": 3}, ["y", "tel"]),
        ("a;b;c\nd;e;f\nmóvil;x;y\n600000001;1;2\n", {"phone": 1}, ["e", "x", "1"]),
        ("600000001\nMóvil\n600000003\n", {"phone": 1}, ["600000001", "Móvil", "600000003"]),
    ],
)
def test_the_headings_are_found(
    tmp_path: Path, content: str, options: dict[str, Any], expected: list[str]
) -> None:
    """Below a title, a date, the sender's own phone; never below recipients, who would be lost."""
    rows = of_csv(tmp_path / "x.csv", content, **options)
    assert [
        row[-1] if len(row) < 4 else row[-2 if options.get("phone") == 1 else -1] for row in rows
    ] == expected


def test_headings_below_a_merged_title(tmp_path: Path) -> None:
    """The same in a spreadsheet; what is taken for the headings is said, and a row of headings that is none is told
    before anything is sent."""
    lines: list[list[Any]] = [["Citas de enero"], [], ["Nombre", "Móvil"], ["Ana", 600000001]]
    path = sheet(tmp_path / "x.xlsx", *lines, change=lambda found: found.merge_cells("A1:B1"))

    assert read(ExcelSource(path)) == read(ExcelSource(path, header_row=3)) == [(4, "600000001", "Ana")]
    with ExcelSource(path).reading(None) as rows:
        assert rows.source.label == "Excel, sheet Sheet, headings in row 3"
    for row, told in (
        (9, "Row 9, where the headings should be, is blank, or the file ends above it"),
        (2, "Row 2, where the headings should be, is blank"),
        (4, "no row below"),
        (3, "Row 3 cannot be read: a quotation mark"),
        (0, "a number from 1 to"),
        (True, "a number from 1 to"),
    ):
        with pytest.raises(InvalidRequest, match=told):
            of_csv(tmp_path / "x.csv", 'tel\n\n"x;y\n600000001\n', header_row=row)


# --- CSV -------------------------------------------------------------------------------------------------------

LATIN = "".join(f"6000000{number};Peña\n" for number in range(10, 20)).encode("cp1252")


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ('="600000001";="01"\n"=""600000002""";"=""0"""\n', {}, [("600000001", "01"), ("600000002", "0")]),
        ('600000001;"Juan \\"el\\" B"\n600000002;Eva\n', {}, [("600000001", 'Juan "el" B'), ("600000002", "Eva")]),
        ('600000001;"5\\""\n600000002;"a \\";b\\" c"\n', {}, [("600000001", '5"'), ("600000002", 'a ";b" c')]),
        ('600000001;"C:\\"\n600000002;Ana \\"x\\"\n', {}, [("600000001", "C:\\"), ("600000002", 'Ana "x"')]),
        ('1;"Hola \\"x\\"\n dos"\n2;Eva\n', {}, [("1", 'Hola "x"\n dos'), ("2", "Eva")]),
        ("600000001;Ana\n\x1a\n600000002;Eva\n", {}, [("600000001", "Ana")]),
        ("600000001;Ana\x1a", {}, [("600000001", "Ana")]),
        ("600000001;Peña\n".encode("cp850"), {"encoding": "cp850"}, [("600000001", "Peña")]),
        (LATIN + "1;NESCAFÉ®\n2;ESPAÑ…\n".encode("cp1252"), {}, [("1", "NESCAFÉ®"), ("2", "ESPAÑ…")]),
    ],
)  # fmt: skip
def test_cells_of_a_csv(
    tmp_path: Path, content: str | bytes, options: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Numbers kept as text, quotation marks behind backslashes, the end of a DOS file, encodings, real symbols."""
    data = content.encode() if isinstance(content, str) else content

    found = of_csv(tmp_path / "x.csv", b"movil;n\n" + data, **options)
    assert [row[1:3] for row in found[-len(expected) :]] == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (LATIN + "600000001;PEÑA\n".encode(), UNREADABLE.format("n")),
        (LATIN + "600000001;Łukasz\n".encode(), UNREADABLE.format("n")),
        (LATIN + "600000001;5 €\n".encode(), UNREADABLE.format("n")),
        (LATIN.decode("cp1252").encode() + "600000001;Íñigo\n".encode("cp1252"), UNREADABLE.format("n")),
        (b'600000001;"a\\"x\n', "a quotation mark is opened and never closed"),
        (b'600000001;"a\\";b\\"\n', "it has 3 cells and there are 2 columns"),
        (
            b'"600000001 \\";b\\" c"\n',
            "its quotation marks, with backslashes before them, can be read in two ways",
        ),
    ],
)
def test_damaged_rows_are_broken(tmp_path: Path, content: bytes, reason: str) -> None:
    """A row of another encoding is not sent as symbols, and one whose quotes nobody can tell is not sent at all."""
    rows = of_csv(tmp_path / "x.csv", b"movil;n\n" + content)

    assert rows[-1][1] == reason
    assert all(len(row) == 3 for row in rows[:-1])


def test_a_field_case_of_two_encodings(sandbox: Sandbox, tmp_path: Path) -> None:
    """Nineteen rows go, the row of the other encoding is named; headings of another encoding are read; with text
    formulas the content is read."""
    mixed = DATA / "csv_cp1252_with_one_utf8_row.csv"
    *good, bad = read(CsvSource(mixed))

    assert {row[2] for row in good} == {"Peña"}
    assert bad == (22, UNREADABLE.format("nombre"))
    expected = [(2, "600000001", "Ana"), (3, "34600000002", "Luis")]
    assert read(CsvSource(DATA / "csv_text_formula.csv")) == expected
    assert of_csv(tmp_path / "x.csv", "teléfono;n\n".encode() + LATIN * 2)[0] == (2, "600000010", "Peña")
    with Mensatek() as client:
        result = client.sms.send_bulk(CsvSource(mixed), Template("Hola {nombre}"))
    assert (result.accepted, [one.row for one in result.invalid]) == (len(good), [22])


# --- what we write ---------------------------------------------------------------------------------------------


def test_no_cell_of_ours_is_a_formula() -> None:
    """Nor a part of it where a Spanish spreadsheet splits at `;`."""
    quoted = ("=1+1", "@SUM(A1)", "-", "+cmd|x", "\u200b=x", "＝x")
    kept = ("+34 600 000 001", "600;+34600", "600-000-001")
    for cell, written in {
        **{cell: f"'{cell}" for cell in quoted},
        **{cell: cell for cell in kept},
        " \t-2+cmd": "'  -2+cmd",
        "\r=x": "' =x",
        "a\n=x": "a =x",
        "600;=cmd()": "600;'=cmd()",
        '600; "@x"': '600;\' "@x"',
        7: "7",
    }.items():
        assert spreadsheet_cell(cell) == written


def test_reports_and_exports_hold_no_formula(sandbox: Sandbox, tmp_path: Path) -> None:
    """Whatever stood in the file, in the bulk report and in a campaign's export."""
    recipients = tmp_path / "x.csv"
    recipients.write_text('movil;n\n600000001;Ana\n"=HYPERLINK(""x"");2";Eva\n"5,;=cmd()";Luz\n', "utf-8")
    report, exported = tmp_path / "r.csv", tmp_path / "e.csv"
    run(["bulk", str(recipients), "--text", "Hola", "--sandbox", "--report", str(report)])
    with Mensatek() as client, client.campaigns(tmp_path / "c.db") as campaigns:
        campaign = campaigns.start("x", "Hola", CsvSource(recipients))
        campaign.complete()
        campaign.export(exported)
    for path in (report, exported):
        lines = path.read_text("utf-8-sig").splitlines()
        assert len(lines) == 4
        for cells in (*csv.reader(lines), *csv.reader(lines, delimiter=";")):
            assert not [cell for cell in cells if cell.lstrip(' "').startswith(("=", "+", "-", "@"))]


# --- the command -----------------------------------------------------------------------------------------------


def test_the_command_reads_as_the_library_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A title, hidden rows and text formulas; headings, encoding and hidden rows can be given; campaigns the same."""
    rows: list[list[Any]] = [
        ["Listado de clientes"],
        ["Nombre", "Móvil"],
        ["Ana", 600000001],
        ["Eva", 600000002],
    ]
    hidden_row: Any = {"change": lambda found: setattr(found.row_dimensions[4], "hidden", True)}
    path = sheet(tmp_path / "x.xlsx", *rows, **hidden_row)
    with_part(path, SHEET, lambda xml: re.sub(rb"<f>.*?</f><v ?/>", b"<v>600000001</v>", xml))
    latin = tmp_path / "l.csv"
    latin.write_bytes("Listado\nx;Nombre;Móvil\ny;Peña;600000001\n".encode("cp850"))
    hidden = "(1 hidden row left out; --include-hidden takes them)"
    text = ["--text", "Hola {Nombre}", "--sandbox", "--sender", "C"]

    for start in (["bulk"], ["campaign", "start", "c"]):
        assert run([*start, str(path), *text]) == 0
        out = capsys.readouterr().out
        assert "headings in row 2; phones in column Móvil" in out
        assert f"1 row to send {hidden}" in out
        assert run([*start, str(path), *text, "--header-row", "2", "--include-hidden"]) == 0
        assert "2 rows to send." in capsys.readouterr().out
        assert run([*start, str(latin), *text, "--file-encoding", "cp850", "--dry-run"]) == 0
        assert "CSV, cp850" in capsys.readouterr().out
    assert run(["bulk", str(path), *text, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hidden_rows"] == 1
    lines = tmp_path / "x.jsonl"
    lines.write_text('{"tel": 600000001}\n')
    for option, file, told in (
        (["--header-row", "0"], latin, "a number from 1"),
        (["--header-row", "2"], lines, "--header-row is for CSV and Excel files"),
        (["--sheet", "2"], latin, "--sheet is for Excel files"),
        (["--file-encoding", "klingon"], latin, "knows no encoding"),
    ):
        assert run(["bulk", str(file), *text, *option]) == 2
        assert told in capsys.readouterr().err
