"""Which column is the phone, which columns the text needs, and what a row becomes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from mensatek_async.cli.selection import parse_rows

from mensatek_async import Recipient
from mensatek_async.errors import InvalidRequest
from mensatek_async.sources.headings import Headings
from mensatek_async.sources.opening import open_table
from mensatek_async.sources.reading import Reading, assign_columns
from mensatek_async.sources.rows import BrokenRow


def reading(text: str, fields: Sequence[str] = (), phone: str | None = None, **options: Any) -> Reading:
    table = open_table(io.BytesIO(text.encode()), "x.csv", headings=Headings(phone=phone))
    return assign_columns(table, fields, phone, say="--{} {}".format, **options)


def stopped(text: str, fields: Sequence[str] = (), phone: str | None = None) -> str:
    with pytest.raises(InvalidRequest) as error:
        reading(text, fields, phone)
    return str(error.value)


@pytest.mark.parametrize(
    "heading",
    [
        "phone",
        "Teléfono",
        "TELEFONO MÓVIL",
        "telefono_movil",
        "Móvil del paciente",
        "mobile",
        "Mobile phone",
        "mobilePhone",
        "Celular",
        "Tlf.",
        "Tel",
        "Nº teléfono",
        "número",
        "Number",
        "MSISDN",
        "whatsapp",
    ],
)
def test_the_phone_is_found_by_its_heading(heading: str) -> None:
    """In Spanish or English, whatever the case, accents and punctuation."""
    found = reading(f"Nombre;{heading};Edad\nAna;600000001;30\n")

    assert found.phone == 1
    assert found.phone_column == heading


@pytest.mark.parametrize(
    "heading", ["Teléfono fijo", "Fax", "Home phone", "Código", "Número de historia", "Hotel"]
)
def test_other_numbers_are_no_phones(heading: str) -> None:
    """A landline, or a number that is none, is not taken for the phone to text."""
    assert "No column looks like the phone" in stopped(f"Nombre;{heading}\nAna;912345678\n")


def test_a_mobile_beside_a_landline_is_found() -> None:
    """Most clinics keep both."""
    assert reading("Teléfono fijo;Móvil;Número\n1;2;3\n").phone == 1


def test_two_phones_must_be_told_apart() -> None:
    """Sending to the wrong one costs money, so the user says which."""
    told = stopped("Teléfono 1;Teléfono 2\n1;2\n")

    assert "Teléfono 1 (column 1), Teléfono 2 (column 2)" in told
    assert "--phone" in told
    assert "number (column 1), NÚMERO (column 2)" in stopped("number;NÚMERO\n1;2\n")


def test_the_users_column_wins() -> None:
    """By name, whatever its case, or by number."""
    text = "phone;Otro;x\n1;2;3\n"

    assert reading(text, phone="Otro").phone == reading(text, phone="otro").phone == 1
    assert reading(text, phone="2").phone == 1
    told = stopped(text, phone="Otra")
    assert "Did you mean Otro?" in told
    assert "The columns are: phone, Otro, x." in told
    assert "no column 9" in stopped(text, phone="9")
    assert "--phone 1 or --phone 2" in stopped("tel;tel\n1;2\n", phone="tel")


def test_one_column_is_the_phone_whatever_its_heading() -> None:
    """As long as phones stand in it."""
    assert reading("Lista de clientes\n600000001\n").phone == 0
    assert reading("600000001\n600000002\n").phone == 0
    assert "No column looks like" in stopped("Nombre\nAna\n")


def test_a_file_without_headings_needs_a_word() -> None:
    """Which of its columns is the phone cannot be guessed."""
    assert "called 1 to 2" in stopped("600000001;Ana\n")
    assert reading("600000001;Ana\n", phone="1").phone == 0


def test_fields_are_columns() -> None:
    """By heading, by heading in another case, or by number."""
    found = reading("tel;Nombre;Fecha\n600000001;Ana;8/1\n", ["Nombre", "fecha", "1"])

    assert found.fields == (("Nombre", 1), ("fecha", 2), ("1", 0))
    assert list(found) == [Recipient("600000001", {"Nombre": "Ana", "fecha": "8/1", "1": "600000001"}, row=2)]


def test_a_field_without_a_column_is_told() -> None:
    """With the columns there are, and the one that was probably meant."""
    told = stopped("tel;Teléfono de casa;Día\n1;2;3\n", ["Dia"])

    assert "needs {Dia}" in told
    assert "Did you mean Día?" in told
    assert "The columns are: tel, Teléfono de casa, Día." in told
    assert "Did you mean" not in stopped("tel;Día\n1;2\n", ["zzz"])
    assert "several columns" in stopped("tel;n;n\n1;2;3\n", ["n"])


def test_many_columns_are_not_all_listed() -> None:
    """A message stays short."""
    text = "tel;" + ";".join(f"c{number}" for number in range(60)) + "\n1" + ";2" * 60 + "\n"

    assert stopped(text, ["zzz"]).endswith("c48, ....")


def test_broken_rows_say_why() -> None:
    """Before anything about the phone itself is checked."""
    text = (
        "n;x;tel\n"
        "Ana;1; 600000001 \n"
        "Eva;1;\n"
        "Luz\n"
        "Paz;#N/A;600000002\n"
        "J\0n;1;600000003\n"
        "Mar;1;6000\ufffd0004\n"
        "a;b;c;d\n"
    )
    assert list(reading(text, ["n", "x"])) == [
        Recipient("600000001", {"n": "Ana", "x": "1"}, row=2),
        BrokenRow(3, "the phone is empty"),
        BrokenRow(4, "the row ends before the phone"),
        BrokenRow(5, "its x is a spreadsheet error (#N/A)", "600000002"),
        BrokenRow(6, "its n holds characters that cannot be read", "600000003"),
        BrokenRow(7, "its phone holds characters that cannot be read", "6000\ufffd0004"),
        BrokenRow(8, "it has 4 cells and there are 3 columns"),
    ]


def test_a_missing_cell_is_not_an_empty_one() -> None:
    """An empty name may be meant; a row that ends early is broken."""
    assert list(reading("tel;n\n600000001;\n600000002\n", ["n"])) == [
        Recipient("600000001", {"n": ""}, row=2),
        BrokenRow(3, "it has no n", "600000002"),
    ]


def test_some_rows_only() -> None:
    """To send those that an earlier send did not."""
    found = reading("tel\n1\n2;3\n3\n4;5\n6\n", rows=parse_rows("4-5"))

    assert [getattr(item, "row", None) for item in found] == [4, 5]
