"""Message elements: built right, and never from what would break out of them."""

import base64
from typing import Any

import pytest

from mensatek_async import errors
from mensatek_async.text import elements
from mensatek_async.text.syntax import (
    ELEMENTS,
    PHONE,
    elements_in,
    find,
    may_become_element,
    shortened,
    without_documents,
)

PDF = b"%PDF-1.7\n%%EOF\n"
FILES = (elements.file, elements.image, elements.pdf)
FILE_NAMES = ["", "  ", "a)b.pdf", "a(b.pdf", "../a.pdf", "a\\b", "a:b", "a\nb", "a（b", None, 5]


def test_each_builder_writes_the_form_of_the_manual() -> None:
    """Kind, protocol where there is one, content."""
    assert elements.file("contrato.pdf") == "(FILE:2:contrato.pdf)"
    assert elements.image("foto.jpg") == "(IMG:2:foto.jpg)"
    assert elements.link("http://www.example.com") == "(LINK:2:http://www.example.com)"
    assert elements.landing("a1-B_2") == "(SMSLAND:2:a1-B_2)"
    assert elements.landing(17) == "(SMSLAND:2:17)"
    assert elements.pdf(PDF) == f"(BASE64:2:{base64.b64encode(PDF).decode()})"
    assert elements.qrcode("hola: 5 €") == "(QRCODE:hola: 5 €)"
    assert elements.datamatrix("x") == "(DATAMATRIX:x)"
    assert elements.pdf417("x") == "(PDF417:x)"
    assert (elements.ticket(3), elements.ticket(1)) == ("(TICKET:3)", "(TICKET:1)")


def test_a_link_is_encoded_so_that_it_stays_whole() -> None:
    """Parentheses, spaces and accents are encoded once; what is encoded already stays."""
    for url, written in {
        "https://example.com/a(b)c d": "https://example.com/a%28b%29c%20d",
        "https://example.com/año?q=sí#ñ": "https://example.com/a%C3%B1o?q=s%C3%AD#%C3%B1",
        "https://example.com/%28done%29?a=1&b=%20": "https://example.com/%28done%29?a=1&b=%20",
        "  https://example.com  ": "https://example.com",
        "https://peña.example/x": "https://xn--pea-8ma.example/x",
        "https://example.com:8443/{id}?q={código}": "https://example.com:8443/{id}?q={código}",
        "https://example.com/{a b}{{": "https://example.com/{a b}%7B%7B",
        "HTTPS://Example.com/A": "https://Example.com/A",
    }.items():
        assert elements.link(url) == f"(LINK:2:{written})"


NO_LINK = [
    *(
        "",
        "example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://[::1",
    ),
    *(
        "https://exa mple.com",
        "https://example.com)/(LINK:2:https:/evil.example",
        "https://example.com:port/",
    ),
    *("https://example.com/a\nb", "https://example.com/\u200b", None, b"https://example.com"),
]


@pytest.mark.parametrize(
    ("builders", "wrong"),
    [
        ([elements.link], NO_LINK),
        ([elements.pdf], [b"", b"hello", b" %PDF-1.7", "%PDF-1.7", None]),
        ([elements.qrcode, elements.datamatrix, elements.pdf417], ["", " ", "a)b", "a(b", "a⑴", None, 5]),
        ([elements.landing], ["", "a b", "a)", "ñ", True]),
        ([elements.ticket], [0, -1, True, 1.5, "3", None]),
        ([elements.file, elements.image], FILE_NAMES),
    ],
)
def test_what_could_break_out_or_is_none_is_refused(builders: list[Any], wrong: list[Any]) -> None:
    """A parenthesis cannot be escaped; an id is letters and digits, uses are a number, a PDF is one."""
    for build in builders:
        for given in wrong:
            with pytest.raises(errors.InvalidRequest) as caught:
                build(given)
            assert isinstance(caught.value, errors.InvalidFile) == (build in FILES)


def test_a_pdf_beyond_the_limit_is_refused_and_one_at_the_limit_is_taken() -> None:
    """The limit is given in bytes of the PDF, not of its encoding; no error shows what was given."""
    assert elements.pdf(bytearray(PDF), max_size=len(PDF)) == elements.pdf(memoryview(PDF))
    with pytest.raises(errors.InvalidFile, match=f"{len(PDF) - 1} are taken at most"):
        elements.pdf(PDF, max_size=len(PDF) - 1)
    with pytest.raises(errors.InvalidFile, match="bytes; 10485760 are taken"):
        elements.pdf(b"%PDF-" + bytes(10 * 2**20))
    for build in (elements.file, elements.link, elements.qrcode):
        with pytest.raises(errors.InvalidRequest) as caught:
            build("se(creto)")
        assert "creto" not in str(caught.value)


def test_has_elements() -> None:
    """Elements are recognised in any case; ordinary parentheses are not elements."""
    texts = ("Hola (FILE:2:a.pdf)", "(qrcode:x)", "( LINK :2:https://example.com)")
    assert all(map(elements.has_elements, texts))
    assert not any(map(elements.has_elements, ("Hola (ver nota): adiós", "FILE:2:a.pdf", "(Files: 2)", "")))


@pytest.mark.parametrize(
    ("text", "found"),
    {
        "none": ("Hola (ver nota): adiós", []),
        "at the very beginning": ("(IMG:y)", [("IMG", "y")]),
        "two side by side": ("(LINK:2:a)(qrcode:b) c", [("LINK", "a"), ("QRCODE", "b")]),
        "parentheses inside": (
            "Ver (LINK:2:x(1)(2(3))) (TICKET:1:z)",
            [("LINK", "x(1)(2(3))"), ("TICKET", "z")],
        ),
        "one inside another": ("(LINK:(IMG:x)) (IMG:y)", [("LINK", "(IMG:x)"), ("IMG", "y")]),
        "never closed": ("(FILE:a (LINK:b) c", [("LINK", "b")]),
        "a space that is not ASCII": ("(\u00a0FILE:a) (IMG:b)", [("IMG", "b")]),
    }.values(),
)
def test_elements_of_a_text(text: str, found: list[tuple[str, str]]) -> None:
    """Kind, content and place of each; a phone shows a short link for it, and the words around it stay."""
    told = list(elements_in(text))

    assert [(one.kind, one.content) for one in told] == found
    assert all(text[one.start] == "(" and text[one.end - 1] == ")" for one in told)
    short, words, end = shortened("(IMG:y)"), "", 0
    assert short.startswith("https://")
    for one in told:
        words, end = words + text[end : one.start] + short, one.end
    assert shortened(text) == words + text[end:]


def test_counting_needs_only_the_beginning_of_a_document() -> None:
    """Of each document sixteen characters stay, and every word around them."""
    text = f"Contrato (BASE64:{'A' * 5000}) y ( base64 : 1 : {'B/' * 3000} ) firme"

    assert without_documents(text) == f"Contrato (BASE64:{'A' * 16}) y ( base64 : 1 : {'B/' * 8}) firme"
    assert without_documents("BASE64: nada (ver)") == "BASE64: nada (ver)"


@pytest.mark.parametrize("name", [*ELEMENTS, PHONE, "Variable_", "Variable_1", "Variable_10"])
def test_every_beginning_of_a_name_may_become_an_element(name: str) -> None:
    """In any case, behind spaces; the whole name also before spaces."""
    starts = [name[:length] for length in range(len(name) + 1)]
    for written in (*starts, *map(str.upper, starts), *map(str.lower, starts)):
        assert may_become_element(f" \t{written}"), written
    assert may_become_element(f"{name}  ")
    for other in (f"{name}x", f"x{name}", f"({name}", f"{name} x"):
        assert not may_become_element(other), other


@pytest.mark.parametrize("name", [PHONE, "Variable_1"])
def test_a_placeholder_in_disguise(name: str) -> None:
    """Invisible characters, marks that join nothing and controls hide none; another letter in it makes it a word."""
    for hidden in ("\u200b", "\u034f", "\x01", "\x7f", "\u00ad"):
        assert find(f"({name[:3]}{hidden}{name[3:]})").placeholders == 1, ascii(hidden)
    for letter in "жñé中":
        assert find(f"({name[:1]}{letter}{name[1:]})").placeholders == 0, letter
