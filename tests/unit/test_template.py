"""Templates: fields, placeholders, and the refusal of what a recipient may not put into a text."""

import copy
import datetime
import enum
import pickle
import re
import unicodedata
from collections import ChainMap
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async import errors
from mensatek_async._core.messages.message import prepare
from mensatek_async.text import Template, elements
from mensatek_async.text.layout import PlainText
from mensatek_async.text.syntax import ELEMENTS, find, has_opening
from mensatek_async.text.values import names_in_braces, same_name

EVIL = "(LINK:2:https://evil.example)"


def refused(template: Template | PlainText, /, **fields: object) -> str:
    """The message of the refusal."""
    with pytest.raises(errors.InvalidField) as caught:
        template.values(fields)
    return str(caught.value)


# --- the text ----------------------------------------------------------------------------------------------


def test_fields_become_variables_in_order_of_first_use() -> None:
    """A repeated field keeps its number; the phone is the provider's own placeholder."""
    template = Template("{b}, {a} y {b} en {phone}")

    assert template.text == "(Variable_1), (Variable_2) y (Variable_1) en (Movil)"
    assert template.fields == ("b", "a")
    assert template.values({"a": "1", "b": "2", "c": "3"}) == {"Variable_1": "2", "Variable_2": "1"}


def test_braces_and_names() -> None:
    """Doubled braces come out single, on the wire and to the recipient; a text needs no field."""
    template = Template("{{{a}}} {{b}} }}{{")

    assert template.text == "{(Variable_1)} {b} }{"
    assert template.render({"a": "{x}{Movil}"}, "34600000000") == "{{x}{Movil}} {b} }{"
    assert (Template("Hola").text, Template("Hola").values({})) == ("Hola", {})
    assert (template.literal, template.needs_unicode) == ("{} {b} }{", False)
    assert not Template("Hola {nombre ж}").layout.needs_unicode
    assert Template("Привет {a}").layout.needs_unicode


def test_names_of_fields() -> None:
    """As a spreadsheet's headings: letters of any script, digits, spaces, underscores, hyphens. Ten, and the phone."""
    for name in ("nombre", "nombre completo", "Teléfono_2", "fecha-cita", "名前", "1ª cita", "नाम"):
        assert Template(f"Hola {{{name}}}").fields == (name,)
        assert Template(f"Hola {{ {name} }}").render({name: "Ana"}, "") == "Hola Ana"
    ten = " ".join(f"{{campo {n}}}" for n in range(10))
    assert Template(ten + "{phone}").text.endswith("(Variable_10)(Movil)")
    with pytest.raises(errors.InvalidField, match="11 fields"):
        Template(ten + "{otro}")


REFUSED: dict[str, list[Any]] = {
    "empty": ["", " \n"],
    "made of a str": [None],
    "no name": ["{}", "{ }", "{0}"],
    "names may not have": ["{a.b}", "{a[0]}", "{a!r}", "{a:>5}", "{fecha:%d}", "{a\nb}"],
    "more than 60": [f"{{{'a' * 61}}}"],
    "no partner": ["{a", "a}", "{a}}", "{{a}", "{a{b}}"],
    "placeholders": ["Hola (Variable_1)", "Hola (variable_2) {a}", "Hola （Variable_3） {a}", "Hola (Movil)"],
}


@pytest.mark.parametrize(
    ("source", "reason"), [(source, reason) for reason, sources in REFUSED.items() for source in sources]
)
def test_what_cannot_be_a_template_is_refused_at_once(source: Any, reason: str) -> None:
    """The error comes from the construction, before any recipient."""
    with pytest.raises(errors.InvalidField, match=reason):
        Template(source)


def test_as_long_as_it_may_be() -> None:
    """A name of 60 characters, a value of as many as a text holds; and a field is named by where it begins."""
    name = "n" * 60
    assert Template(f"{{{name}}}").values({name: "x" * 39_015}) == {"Variable_1": "x" * 39_015}
    with pytest.raises(errors.InvalidField, match="39016 characters"):
        Template("{a}").values({"a": "x" * 39_016})
    with pytest.raises(errors.InvalidField, match="The field at character 6 of the template"):
        Template(f"Hola {{{name}n}}")


def test_the_text_never_shows() -> None:
    """It is not for logs; the position is enough to find a fault."""
    for source in ("secreto {a", "secreto {a:secreto}", "{secreto: secreto}"):
        with pytest.raises(errors.InvalidField, match="at character") as caught:
            Template(source)
        assert "secreto" not in str(caught.value)
    assert repr(Template("secreto {nombre}")) == "<Template fields=['nombre']>"
    assert "secreto" not in repr(PlainText("secreto"))


@pytest.mark.parametrize("text", [Template("Hola {a}, {{b}}"), PlainText("Hola (Variable_1)")])
def test_texts_are_values(text: Template | PlainText) -> None:
    """They compare, hash, copy and travel between processes, and cannot be changed."""
    for twin in (pickle.loads(pickle.dumps(text)), copy.deepcopy(text), type(text)(*text.__reduce__()[1])):
        assert twin == text
        assert hash(twin) == hash(text)
        assert twin.text == text.text
    assert text != type(text)("otro")
    with pytest.raises(AttributeError):
        setattr(text, "source", "x")  # noqa: B010 - a plain assignment would not type-check


# --- values ------------------------------------------------------------------------------------------------


class Colour(str, enum.Enum):  # noqa: UP042 - the kind whose str() differs
    """An enum of texts, which str() would write as Colour.RED."""

    RED = "rojo"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        *((value, str(value)) for value in ("", 5, 0, 1.5, Decimal("10.00"), datetime.date(2027, 1, 8))),
        (Colour.RED, "rojo"),
        *(
            (text, text)
            for text in ("María (hija)", "a: b) c", "(ver nota: 2)", "Pedro (móvil)", "(enlace:2:x)")
        ),
    ],
)
def test_texts_numbers_and_dates_are_written_out(value: object, written: str) -> None:
    """An empty text is a value; ordinary parentheses are allowed."""
    assert Template("Hola {a}").values({"a": value}) == {"Variable_1": written}


class NotAvailable:
    """Compares like the missing value of a data frame: the answer is no bool."""

    def __ne__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("ambiguous")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        *((empty, "has no field 'a'") for empty in (None, float("nan"), Decimal("NaN"), NotAvailable())),
        *(
            (odd, f"is a {type(odd).__name__}")
            for odd in (b"x", bytearray(b"x"), ["x"], ("x",), {"x": 1}, {"x"})
        ),
    ],
)
def test_an_empty_cell_is_a_missing_field(value: object, told: str) -> None:
    """Nobody is to be greeted as None or nan; bytes and collections are mistakes, named by their type."""
    message = refused(Template("{nombre} {a}"), nombre="Ana", a=value)
    assert told in message
    assert "Ana" not in message


def test_names_match_exactly_first_and_then_in_any_case() -> None:
    """The very same name wins; else case, spaces around and the form of accents do not matter."""
    template = Template("{nombre} {día}")

    assert template.values({"nombre": 1, "NOMBRE": 2, "DÍA": 3}) == {"Variable_1": "1", "Variable_2": "3"}
    assert template.values({" Nombre ": 1, unicodedata.normalize("NFD", "día"): 3})["Variable_2"] == "3"
    assert template.values(ChainMap({"Nombre": 1}, {"Día": 2})) == {"Variable_1": "1", "Variable_2": "2"}
    surplus: Any = {None: ["x"], "Nombre": 1, "Día": 2}  # a reader may file surplus cells under None
    assert template.values(surplus)["Variable_1"] == "1"
    assert "'Nombre' or 'NOMBRE'" in refused(Template("{nombre}"), Nombre=1, NOMBRE=2)


def test_render_is_what_the_recipient_sees() -> None:
    """Values and phone are in their places, and are not filled in again."""
    template = Template("{a}{b} {phone}")

    assert template.render({"a": "{b}", "b": "x"}, "34600000000") == "{b}x 34600000000"
    assert template.fill(template.values({"a": "{b}", "b": "x"}), "34600000000") == "{b}x 34600000000"


# --- elements in fields ------------------------------------------------------------------------------------


FORMS = [
    "({}:2:x)",
    "( {}:2:x",
    "\uff08{}\uff1a2\uff1ax\uff09",
    "a\n(\t{} :x)",
    "(\u200b{}\u00ad:2:x)",
    "﹙{}﹕x﹚",
]
HIDDEN = ["(LÍNK:2:x)", "(FÍLE:2:x)", "(LI\u0301NK:2:x)", "(L\x00INK:2:x)"]  # É is E to the provider
PLACEHOLDERS = ["(Variable_2)", "( variable_10 )", "(Movil)", "（MOVIL）", "x (Vari\u200bable_1)"]


@pytest.mark.parametrize("kind", ELEMENTS)
@pytest.mark.parametrize("form", FORMS)
def test_an_element_in_a_field_is_refused_however_it_is_written(kind: str, form: str) -> None:
    """Case, spaces, width, accents and invisible characters hide nothing, nor does a field pull in another; the field
    is named, the value is not shown."""
    fancy = "".join(chr(ord(c) + 0xFEE0) for c in kind)
    names = (kind, kind.lower(), kind.title(), fancy, kind[0] + "\u200d" + kind[1:])
    for value in (*("Ana " + form.format(name) for name in names), *HIDDEN, *PLACEHOLDERS):
        message = refused(Template("Hola {nombre}"), nombre=value)
        assert "'nombre'" in message
        assert value not in message


@pytest.mark.parametrize(
    ("source", "fields", "named"),
    [
        ("({a}:2:{b}", {"a": "LINK", "b": "https://evil.example)"}, "'a'"),
        ("({a})", {"a": "LINK:2:https://evil.example"}, "'a'"),
        ("( {a}", {"a": "link:2:https://evil.example)"}, "'a'"),
        ("(LI{a}", {"a": "NK:2:https://evil.example)"}, "'a'"),
        ("(LINK {a}", {"a": ":2:https://evil.example)"}, "'a'"),
        ("（\u200b{a}", {"a": "QRCODE:x"}, "'a'"),
        ("{a}{b}", {"a": "(LI", "b": "NK:2:https://evil.example)"}, "'a' and 'b'"),
        ("{a} {b}", {"a": "(", "b": "LINK:2:https://evil.example)"}, "'a' and 'b'"),
        ("{a}LINK:2:https://example.com", {"a": "("}, "'a'"),
        ("({a}LINK:2:https://example.com", {"a": ""}, "'a'"),
        ("(Variable_{a}", {"a": "2)"}, "'a'"),
        ("({a})", {"a": "Movil"}, "'a'"),
        ("(Variable_1{a}) {b}", {"a": "", "b": "x"}, "'a'"),
        ("(FILE:2:a.pdf) {b} ({a})", {"a": "IMG:2:x", "b": "y"}, "'a'"),
        ("Cita ({fecha})", {"fecha": "10:00"}, None),
        ("({a}{b})", {"a": "Lin", "b": "ea: 5"}, None),
        ("(Ref {a})", {"a": "LINK:2:x"}, None),
        ("(Contacto: {a})", {"a": "Movil"}, None),
        ("Tel. ({a})", {"a": "móvil: 600"}, None),
        ("Tel. ({a}", {"a": "móvil)"}, None),
        ("({a}Variable_{b}", {"a": "á", "b": "1)"}, None),
        ("{a} {b}", {"a": "(", "b": ")"}, None),
        ("(LINK:2:https://example.com) {a}", {"a": "María (hija)"}, None),
    ],
)
def test_an_element_in_pieces_is_refused(source: str, fields: dict[str, object], named: str | None) -> None:
    """Fields side by side, or with the words around them, may not make one up; other parentheses are allowed."""
    if named is None:
        assert list(Template(source).values(fields).values()) == list(fields.values())
    else:
        assert re.match(f"The fields? {named} (holds|make)", refused(Template(source), **fields))


def test_a_field_inside_the_authors_element_is_allowed_without_parentheses() -> None:
    """A link per recipient is what fields are for; the recipient cannot end it."""
    template = Template("Hola {nombre} " + elements.link("https://example.com/{id}") + " {nota}")

    assert template.render({"nombre": "A", "id": "7?x=1", "nota": "(b)"}, "").endswith("com/7?x=1) (b)")
    for value in ("7)", "(7", "7）", "⑺", ") (LINK:2:https://evil.example"):
        assert "'id'" in refused(template, nombre="A", id=value, nota="")


def test_inside_ends_where_the_element_does() -> None:
    """Nested and unclosed parentheses keep a field inside."""
    assert "inside" in refused(Template("(QRCODE:a(b)\n{a})"), a=")")
    assert "inside" in refused(Template("(QRCODE:a\n\t{a}"), a=")")
    assert Template("(QRCODE:a)\n{a})").values({"a": ")"}) == {"Variable_1": ")"}


spice = st.sampled_from(
    ["(", ")", "LINK", "link", ":", "2", " ", "（", "FILE:", "Variable_1", "Movil", "á", "\u200b", "x", "\n"]
)
fragment = st.lists(spice, max_size=4).map("".join)


@example(["", "(", "Variable_1)"], ["", "á"])
@given(st.lists(fragment, min_size=3, max_size=3), st.lists(fragment, min_size=2, max_size=2))
def test_no_accepted_value_adds_an_element(words: list[str], given: list[str]) -> None:
    """Whatever words and values: what comes out holds the author's elements and no more."""
    try:
        template = Template(f"-{words[0]}{{a}}{words[1]}{{b}}{words[2]}")
    except errors.InvalidField:
        return
    fields = dict(zip("ab", given, strict=True))
    before = find(template.render({"a": "?", "b": "?"}, "?"))
    try:
        after = find(template.render(fields, "?"))
    except errors.InvalidField:
        return

    assert after == before


def test_every_parenthesis_of_unicode_is_known() -> None:
    """The short list of opening parentheses is what compatibility forms make of them."""
    openings = [chr(n) for n in range(0x110000) if unicodedata.normalize("NFKC", chr(n)) == "("]

    assert len(openings) > 1
    assert all(map(has_opening, openings))


# --- plain texts -------------------------------------------------------------------------------------------


def test_a_plain_texts_placeholders_are_the_providers() -> None:
    """Variables are filled in for counting; those that the text does not use are sent as well."""
    plain = prepare("(Variable_2) y (Variable_10) en (Movil), {x}")
    fields = {"variable_2": "dos", "Variable_10": 10, "Variable_3": "tres", "Variable_4": None}

    assert plain.fields == ("Variable_2", "Variable_10")
    assert plain.layout.literal == " y  en , {x}"
    assert not plain.layout.needs_unicode
    assert plain.values(fields) == {"Variable_2": "dos", "Variable_10": "10", "Variable_3": "tres"}
    assert plain.render(fields, "346") == "dos y 10 en 346, {x}"
    others: Any = {"nombre": "Ana", "Variable_x": 1, 5: 6}
    assert prepare("Hola {nombre}").values(others) == {}
    assert prepare("Hola").values({**others, "Variable_1": "x"}) == {"Variable_1": "x"}
    assert "'Variable_1'" in refused(prepare("Hola"), Variable_1=b"x")
    for missing in (others, {"Variable_1": None}):
        assert "'Variable_1'" in refused(
            PlainText("Hola (Variable_1)"), **{str(k): v for k, v in missing.items()}
        )


def test_elements_are_refused_in_plain_texts_variables_too() -> None:
    """Used in the text or not, alone or with the words around it; so is a variable beyond ten, which nobody knows."""
    assert refused(PlainText("Hola (Variable_1)"), Variable_1=EVIL).startswith("The field 'Variable_1' holds")
    assert "'Variable_2'" in refused(PlainText("Hola (Variable_1)"), Variable_1="(a)", Variable_2=EVIL)
    assert "'Variable_1'" in refused(PlainText("((Variable_1)"), Variable_1="LINK:2:x)")
    assert "inside" in refused(PlainText("(LINK:2:https://x.es/(Variable_1))"), Variable_1="a)")
    given = {"Variable_1": "(a)", "Variable_2": "(b)"}
    assert PlainText(EVIL + "(Variable_1)").values(given)["Variable_2"] == "(b)"
    for name in ("Variable_0", "Variable_11", "variable_999"):
        assert name in refused(PlainText("Hola"), **{name: "x"})


NOTHING: Any = object()
MANY = [{"a": "Ana", "b": "é"}, {"a": "", "b": "x"}, {"a": "ñ" * 1001, "b": "中"}]


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    {
        "plain words": (
            Template("{a} y {b}"),
            MANY,
            {"Variable_1": ["Ana", "", "ñ" * 1001], "Variable_2": ["é", "x", "中"]},
        ),
        "long together, none alone": (
            Template("{a}"),
            [{"a": "x" * 1000}] * 40,
            {"Variable_1": ["x" * 1000] * 40},
        ),
        "one too long": (Template("{a}"), [{"a": "x"}, {"a": "x" * 39_015}], None),
        "a parenthesis": (Template("{a} y {b}"), [*MANY, {"a": "x", "b": "（b"}], None),
        "what no request carries": (Template("{a}"), [{"a": "x\0"}], None),
        "not composed": (Template("{a}"), [{"a": "n\u0303"}], None),
        "a number": (Template("{a}"), [{"a": "x"}, {"a": 5}], None),
        "a field missing": (Template("{a}"), [{"a": "x"}, {"A": "x"}], None),
        "inside an element": (Template("(LINK:2:https://x.es/{a})"), [{"a": "x"}], None),
        "behind a parenthesis": (Template("({a}"), [{"a": "x"}], None),
        "a plain text, nothing sent": (PlainText("Hola"), [{"a": 1}, {"Variable": 2}], {}),
        "a plain text, a variable sent": (PlainText("Hola"), [{"a": 1}, {"variable_3": 2}], None),
        "a plain text with a placeholder": (PlainText("Hola (Variable_1)"), [{"Variable_1": "x"}], None),
        "no mapping": (PlainText("Hola"), [NOTHING], None),
    }.values(),
)
def test_many_recipients_at_once(text: Any, rows: list[Any], columns: dict[str, list[str]] | None) -> None:
    """What each would give alone, by column; wherever one has to be looked at, nothing is said of any."""
    told = text.columns(rows)

    assert told == columns
    if told:
        assert [dict(zip(told, row, strict=True)) for row in zip(*told.values(), strict=True)] == list(
            map(text.values, rows)
        )


def test_prepare_takes_texts_of_both_kinds() -> None:
    """A template stays itself; what is empty or no text is refused."""
    template = Template("{a}")

    assert prepare(template) is template
    wrongs: tuple[Any, ...] = ("", "  ", None, b"hola")
    for wrong in wrongs:
        with pytest.raises(errors.InvalidRequest):
            prepare(wrong)


def test_what_stands_in_braces_in_a_plain_text() -> None:
    """By its name in any writing, up to a conversion or a format; empty braces name nothing."""
    assert names_in_braces("Hola {Nombre}, {saldo:.2f} {a.b} {x!r} {l[0]} {} { } {abierta") == {
        same_name(name): written
        for name, written in {
            "nombre": "Nombre",
            "saldo": "saldo:.2f",
            "a": "a.b",
            "x": "x!r",
            "l": "l[0]",
        }.items()
    }
    assert names_in_braces("Hola") == {}


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), Decimal("-Infinity")])
def test_a_number_without_end_is_refused(number: object) -> None:
    """Nobody is to read "-inf euros"."""
    assert "cannot be written" in refused(Template("Debe {x} euros"), x=number)
