"""Every form a reply may come in, and every body that is none."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async._wire import decode as decoding
from mensatek_async._wire import literal, names
from mensatek_async._wire.decode import DecodeError, decode
from mensatek_async._wire.reply_fields import ReplyFields

REPLY = {"res": "1", "error": "Está", "cred": "5"}


def problems(body: bytes | str, content_type: str = "") -> tuple[str, ...]:
    with pytest.raises(DecodeError) as caught:
        decode(body.encode() if isinstance(body, str) else body, content_type)
    return caught.value.problems


def each(names: str, rows: Iterable[Any]) -> pytest.MarkDecorator:
    """Parametrise with numbers for names: bodies make poor ones."""
    single = "," not in str(names)
    marked = [pytest.param(*([row] if single else row), id=str(n)) for n, row in enumerate(rows)]
    return pytest.mark.parametrize(names, marked)


# --- characters ----------------------------------------------------------------------------------------------

TEXT = '[{"Res":"1","Error":"Está","Cred":"5"}]'


@each("body, content_type",
    [
        (TEXT.encode(), ""),
        (TEXT.encode(), "application/json; charset=utf-8"),
        (TEXT.encode("utf-8-sig"), "text/html; charset=iso-8859-1"),
        (TEXT.encode("cp1252"), ""),
        (TEXT.encode("cp1252"), "application/json"),
        (TEXT.encode("cp1252"), 'text/html; charset="ISO-8859-1"'),
        (TEXT.encode("cp1252"), "text/html;charset=utf-8"),
        (TEXT.encode("cp1252"), "text/plain; charset=us-ascii"),
        (TEXT.encode("iso8859-15"), "text/plain; charset=ISO-8859-15"),
        (TEXT.encode("utf-16"), ""),
        (TEXT.encode("utf-16-le"), "text/plain; charset=UTF-16LE"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), ""),
        (TEXT.encode(), "text/plain; charset=klingon"),
        (TEXT.encode(), "text/plain; charset=zlib"),
        (TEXT.encode(), "text/plain; charset=punycode"),
        (TEXT.encode(), "text/plain; charset=" + "x" * 10_000),
        (b" \r\n\x00" + TEXT.encode() + b"\x00\n", ""),
    ]
)  # fmt: skip
def test_characters(body: bytes, content_type: str) -> None:
    """The declared charset, UTF-8 and Windows-1252 are read; a charset nobody knows is not believed."""
    assert decode(body, content_type) == REPLY


def test_latin_1_means_windows_1252() -> None:
    """The euro sign and curly quotes come through, as in browsers, though Latin-1 has neither."""
    body = '{"Res":1,"Error":"5 € “x”"}'.encode("cp1252")

    assert decode(body, "text/html; charset=iso-8859-1")["error"] == "5 € “x”"


# --- JSON ------------------------------------------------------------------------------------------------------


@each(
    "body",
    [
        '{"Res":1,"Cred":5}',
        '[{"Res":1,"Cred":5}]',
        '[[{"Res":1,"Cred":5}]]',
        '[{"Res":1},{"Cred":5}]',
        '{"0":{"Res":1,"Cred":5}}',
        '{"RES":1,"cred":5,"Cred":5}',
        '{" Res ":1,"Cred":5}',
        '"[{\\"Res\\":1,\\"Cred\\":5}]"',
        "[{'Res':1,'Cred':5}]",
        "<pre>[{&quot;Res&quot;:1,&quot;Cred&quot;:5}]</pre>",
        "<code>{&#34;Res&#34;:1,&#x22;Cred&#x22;:5}</code>",
        '<!DOCTYPE html><html><head><style>p{a:b}</style><script>x={"Res":9}</script></head>'
        '<body><pre>{"Res":1,"Cred":5}</pre></body></html>',
        '<html><body><p>{"Res":1,</p><br/>"Cred":5}</body></html>',
        '<result>{"Res":1,"Cred":5}</result>',
    ],
)  # fmt: skip
def test_json_wherever_it_is(body: str) -> None:
    """Array, object, a text inside a text, tags around: it is one reply with casefolded keys."""
    assert decode(body.encode(), "text/html") == {"res": 1, "cred": 5}


def test_keys_and_numbers() -> None:
    """A key's case means nothing, however deep; a fraction is exact, and a whole number stays one."""
    reply = decode(b'{"RES":1,"Informe":[{"FECHA":"x","Otro":{"MAS":[{"Y":1}]}}]}')
    assert reply == {"res": 1, "informe": [{"fecha": "x", "otro": {"mas": [{"y": 1}]}}]}

    reply = decode(b'{"Res":1,"Cred":0.1,"CREDR":14970.00,"Msgid":12345678901234567,"x":1e3,"y":-0}')
    assert isinstance(reply["cred"], Decimal)
    assert list(reply.values()) == [1, Decimal("0.1"), 14970, 12345678901234567, 1000, 0]
    for digits in (100, 10_000):
        huge = decode(b'{"Res":1,"Cred":1%b,"CredR":1.%b}' % (b"0" * digits, b"0" * digits))
        assert decoding.number(huge, "Cred") is None


@each("body", ['{"Res":1,"Res":-1}', '{"Res":1,"RES":2}', '[{"Res":1},{"Res":2}]', "Res:1;RES:1;"])
def test_a_key_with_two_values_is_refused(body: str) -> None:
    """Of two results nobody knows which holds."""
    assert problems(body)[0].startswith("one key")


@each("body", ["-1", '"-1"', "[-1]", "[-1]\n", "'-1'", '["-1"]', "[[-1]]", " -1 \r\n", "-1;",
               "<html><body>-1</body></html>", "<result>-1</result>", "<p>&quot;-1&quot;</p>"])  # fmt: skip
def test_bare_code(body: str) -> None:
    """A bare negative number is a result code, in whatever it is wrapped."""
    assert decode(body.encode()) == {"res": -1}


# --- Key:value; ------------------------------------------------------------------------------------------------


@each("body, reply",
    [
        ("Saldo:14970,00;Res:1;", {"saldo": "14970,00", "res": "1"}),
        ("Saldo:14970,00;Res:1", {"saldo": "14970,00", "res": "1"}),
        ("Res:-1", {"res": "-1"}),
        ("RES : 1 ;\r\nCred: 5;\r\n", {"res": "1", "cred": "5"}),
        ("Res:1;<br>Cred:5;<br/>", {"res": "1", "cred": "5"}),
        ("<html><body>Res:1;<br>Cred:5;</body></html>", {"res": "1", "cred": "5"}),
        ("Res:1\nCred:5\n", {"res": "1", "cred": "5"}),
        ("Fecha:2021-09-04 19:37:21;Res:1;", {"fecha": "2021-09-04 19:37:21", "res": "1"}),
        ("Error:Faltan datos; falta Mensaje;Res:-3;", {"error": "Faltan datos; falta Mensaje", "res": "-3"}),
        ("Error:algo [raro] y ] más;Res:-3;", {"error": "algo [raro] y ] más", "res": "-3"}),
        ("Error:;Res:-3;", {"error": "", "res": "-3"}),
        ("Res:1;Informe:[ ];", {"res": "1", "informe": []}),
        ("Res:1;Informe:\n[\n]\n", {"res": "1", "informe": []}),
        ("Res:1;Informe:;", {"res": "1", "informe": []}),
        ("Res:1;Informe:[Telefono:34;Resultado:11];", {"res": "1", "informe": [{"telefono": "34", "resultado": "11"}]}),
        ("Res:1;Informe:[0:[A:1;]1:[A:2]];", {"res": "1", "informe": [{"a": "1"}, {"a": "2"}]}),
        ("Res:1;Informe:[1:[A:2;],0:[A:1;]];", {"res": "1", "informe": [{"a": "1"}, {"a": "2"}]}),
        ("Res:1;Informe:[{'A':'x:y;z'}];Cred:5;", {"res": "1", "informe": [{"a": "x:y;z"}], "cred": "5"}),
        ("Res:1;Informe:[0:[E:L'Hospitalet [norte];T:1]];",
         {"res": "1", "informe": [{"e": "L'Hospitalet [norte]", "t": "1"}]}),
    ]
)  # fmt: skip
def test_pairs(body: str, reply: dict[str, Any]) -> None:
    """Pairs on one line or many, nested reports, values with colons and brackets."""
    assert decode(body.encode(), "text/plain") == reply


@each("body",
    [
        "Res:1;Informe:[ 0: [ A:1;", "Res:1;Informe:[{'A':1};", "[Res:1]", "Res:1;[A:1]", "hola", "; hola; Res:1;",
        "Informe:[] algo;Res:1;", "Res:1;Informe:[hola];", "Res:1;" + "a:[" * 100,
        "Res:1;" + ";".join(f"k{n}:1" for n in range(1000)), "Res:1;" + "x;" * 1000, "Res:1;Informe:[0:[A:1;A:2;]];",
        "Res:1;\n];Cred:5;", '{"Res":1,"Movil":"34600111222"', "Res;34600111222", "<r><Res>34600111222<r>",
    ]
)  # fmt: skip
def test_broken_pairs(body: str) -> None:
    """A text that breaks off, or was never a reply, is refused; what is in it may be personal, so nothing is quoted."""
    assert problems(body)
    assert "34600111222" not in str(problems(body))


# --- XML -------------------------------------------------------------------------------------------------------


@each("body, reply",
    [
        ("<result><Res>1</Res><Cred>5</Cred></result>", {"res": "1", "cred": "5"}),
        ("<?xml version='1.0' encoding='ISO-8859-1'?>\n<x><RES> 1 </RES><Cred/></x>", {"res": "1", "cred": ""}),
        ("<result><item0><Res>1</Res></item0></result>", {"res": "1"}),
        ("<a:result xmlns:a='x'><a:Res>1</a:Res></a:result>", {"res": "1"}),
        ("<result><Res>1</Res><Error>a &amp; b &lt;c&gt;</Error></result>", {"res": "1", "error": "a & b <c>"}),
        ("<result><Res>1</Res><Error><![CDATA[a & b]]></Error></result>", {"res": "1", "error": "a & b"}),
        ("<r><Res>1</Res><Informe/></r>", {"res": "1", "informe": []}),
        ("<r><Res>1</Res><Informe><item0><A>1</A></item0><item1><A>2</A></item1></Informe></r>",
         {"res": "1", "informe": [{"a": "1"}, {"a": "2"}]}),
        ("<r><Res>1</Res><Informe><A>1</A></Informe><Informe><A>2</A></Informe></r>",
         {"res": "1", "informe": [{"a": "1"}, {"a": "2"}]}),
        ("<r><Res>1</Res><Informe>[{'A':1}]</Informe></r>", {"res": "1", "informe": [{"a": 1}]}),
        ("<r><Res>1</Res><Ficheros><fichero><A>1</A></fichero><fichero><A>2</A></fichero></Ficheros></r>",
         {"res": "1", "ficheros": [{"fichero": [{"a": "1"}, {"a": "2"}]}]}),
    ]
)  # fmt: skip
def test_xml(body: str, reply: dict[str, Any]) -> None:
    """Any root, items numbered or repeated, blanks."""
    assert decode(body.encode(), "text/xml") == reply


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<result><Res>1</Res><Error>&b;</Error></result>"
)


@each("body, problem",
    [
        (BOMB, "the XML has a document type"),
        ("<?xml version='1.0'?><!DOCTYPE r SYSTEM 'file:///x'><r><Res>1</Res></r>", "the XML has a document type"),
        ("<!-- --><!DOCTYPE r SYSTEM 'file:///x'><r><Res>1</Res></r>", "the XML has a document type"),
        (BOMB.partition("?>")[2], "the answer is a web page"),
        ("<?xml version='1.0'?><result><Res>1</Res>", "the XML is broken"),
        ("<?xml version='1.0'?><result>&undefined;</result>", "the XML is broken"),
        ("<?xml version='1.0'?>" + "<a>" * 100 + "1" + "</a>" * 100, "the XML is nested too deeply"),
    ]
)  # fmt: skip
def test_broken_or_dangerous_xml(body: str, problem: str) -> None:
    """Document types, and with them every entity, are refused; so is what breaks off or is too deep."""
    assert problems(body) == (problem,)


# --- lists spelt in a text ---------------------------------------------------------------------------------------


@each("spelt, value",
    [
        ("[{'Telefono':34601234567,'Cp':0034,'Cred':1.5,'N':-7}]",
         [{"telefono": 34601234567, "cp": "0034", "cred": Decimal("1.5"), "n": -7}]),
        ("[{'E':'L'Hospitalet','F':'d'en'}]", [{"e": "L'Hospitalet", "f": "d'en"}]),
        ("[{'E':'L\\'Hospitalet \\u00e9\\x41\\n\\\\ \\d'}]", [{"e": "L'Hospitalet éA\n\\ d"}]),
        ("[{'E':'\\ud83d\\ude00 \\ud83d'}]", [{"e": "😀 �"}]),
        ('[{"E":"a \\"b\\" c","F":\'say "x"\'}]', [{"e": 'a "b" c', "f": 'say "x"'}]),
        ('[{"E":"5" pantalla","F":1}]', [{"e": '5" pantalla', "f": 1}]),
        ("[{'A':true,'B':False,'C':null,'D':None,'E':TRUE,'F':undefined}]",
         [{"a": True, "b": False, "c": None, "d": None, "e": True, "f": None}]),
        ("[{Fecha:2021-09-04 19:37:21, 'Estado' : Entregado al Teléfono , 7:x,}]",
         [{"fecha": "2021-09-04 19:37:21", "estado": "Entregado al Teléfono", "7": "x"}]),
        ("[{'A':'\\U0001F600\\UFFFF'}]", [{"a": "😀UFFFF"}]),
        ("[{'A':'x, y','B':', '},{'A':''}]", [{"a": "x, y", "b": ", "}, {"a": ""}]),
        ("[{'A':[1,[2,'b'],{}]}]", [{"a": [1, [2, "b"], {}]}]),
        ("{'0':{'A':1},'1':{'A':2}}", [{"a": 1}, {"a": 2}]),
        ("{'A':1}", [{"a": 1}]),
        ("[{'A':12345678901234567890}]", [{"a": "12345678901234567890"}]),
        (" [ ] ", []),
        ("<code>[{'A':1}]</code>", [{"a": 1}]),
        ("[{&#39;A&#39;:&quot;B&quot;}]", [{"a": "B"}]),
        ('[{"A":1}]', [{"a": 1}]),
    ]
)  # fmt: skip
@each("name", ["Informe", "Ficheros"])
def test_list_in_a_text(spelt: str, value: list[Any], name: str) -> None:
    """Single quotes, bare numbers and words, apostrophes, tags and entities."""
    assert decode(json.dumps({"Res": 1, name: spelt}).encode())[name.casefold()] == value


@each(
    "spelt",
    ["[{'A':1}", "[{'A':'1}]", "[{'A' 1}]", "[{'A':1 'B':2}]", "[{'A':}]", "[{:1}]", "[1]]", "hola", "[,]", "[{'A':'\\",
     "[" * 100 + "]" * 100, "[{'A':NaN, 'A':1}]", "[{'A':1,'a':2}]", "&#9999999999999;[]"],
)  # fmt: skip
def test_broken_list_in_a_text(spelt: str) -> None:
    """A list that breaks off or was none is named by its place, without its content."""
    assert problems(json.dumps({"Res": 1, "Informe": spelt})) == ("expected a list @ Informe",)


NAMES = st.text("abcdefgh_", min_size=1, max_size=8).filter(lambda name: name.casefold() not in {"true"})
VALUES = (
    st.integers(-(10**17), 10**17)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.booleans()
    | st.none()
)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=4))
def test_a_list_reads_as_python_and_json_write_it(rows: list[dict[str, Any]]) -> None:
    """Whatever either spells, it reads back."""
    assert literal.parse(repr(rows)) == literal.parse(json.dumps(rows)) == rows


# --- no reply --------------------------------------------------------------------------------------------------


@each("body, problem",
    [
        ("", "the answer is empty"),
        (" \r\n\t", "the answer is empty"),
        ("\ufeff", "the answer is empty"),
        ("[]", "the answer is empty"),
        ("{}", "the answer is empty"),
        ("null", "the text has a value without a name"),
        ("[null]", "the answer is empty"),
        ('""', "the answer is empty"),
        ("5", "the text has a value without a name"),
        ("[5]", "expected an object"),
        ("[true]", "expected an object"),
        ('["hola"]', "expected an object"),
        ('[{"Res":1},5]', "expected an object"),
        ('[{"Res":1', "the JSON is broken or cut"),
        ('{"Res":1}}', "the JSON is broken or cut"),
        ('{"Res":1,"Error":"cor', "the JSON is broken or cut"),
        ('{"Cred":12000}', "missing @ Res"),
        ('{"Res":null}', "missing @ Res"),
        ('{"Res":""}', "missing @ Res"),
        ("Cred:12000;", "missing @ Res"),
        ("<result><Cred>5</Cred></result>", "missing @ Res"),
        ('{"Res":1,"Cred":NaN}', "a number is not finite"),
        ('{"Res":1,"Cred":-Infinity}', "a number is not finite"),
        ("<html><head><title>5</title></head><body><h1>Bad Gateway</h1></body></html>", "the answer is a web page"),
        ("<!DOCTYPE html><html><body>Service unavailable: try later</body></html>", "the answer is a web page"),
        ("<html></html>", "the answer is a web page"),
        ("<html><script>never closed Res:1;", "the answer is a web page"),
        ("<html><script>x</script", "the answer is a web page"),
        ("<html><body>&#99999999999;</body></html>", "an entity is too long"),
        ("<b>" * 5000, "the answer is a web page"),
        ("[" * 100_000, "the answer is nested too deeply"),
        ("[" * 500 + '{"Res":1}' + "]" * 500, "lists are nested too deeply"),
        ('{"Res":' * 100_000, "the answer is nested too deeply"),
        (reduce(lambda body, _: json.dumps(body), range(6), '{"Res":1}'), "the answer is wrapped too often"),
    ]
)  # fmt: skip
def test_no_reply(body: str, problem: str) -> None:
    """Each body that is no reply is said to be what it is."""
    assert problems(body, "application/json") == (problem,)


@each("body, reply", {
        "behind a warning": ('Warning: no x in /a.php\n{"Res":1,"Cred":5}', {"res": 1, "cred": 5}),
        "between words, in an array": ('Hola [{"Res":1}] fin', {"res": 1}),
        "behind code": ('function x(){ y(); } {"Res":1}', {"res": 1}),
        "beside one without a result": ('x {"a":1} {"Res":2} {"Res":""}', {"res": 2}),
        "the whole, not the beginning": ('x {"a":{"Res":1},"Res":2}', {"res": 2}),
        "two": ('x {"Res":1} {"Res":2}', None),
        "cut": ('x {"Res":1,"a":{"Res":2}', None),
        "inside what is no JSON": ('x {"a" {"Res":1}}', None),
        "no object": ("x [1, 2] y", None),
        "too many beginnings": ("{" * 100 + ' {"Res":1}', None),
    }.values()
)  # fmt: skip
def test_an_object_among_words(body: str, reply: dict[str, Any] | None) -> None:
    """The one with a result is the reply, wherever it stands; of two, or of one that is cut, nothing is guessed."""
    found = decoding.sole_object(body, "res")

    assert (found and {name: found[name] for name in reply or ()}) == reply


# --- single fields ---------------------------------------------------------------------------------------------


def test_single_fields() -> None:
    """What every reply is asked, in either notation; what is not there or cannot be read breaks no call."""
    full = {"res": "-2", "saldo": "1.234,5", "crednecesarios": "18", "duplicados": "2.0",
            "error": " Falta\n  algo\x1b[31m ", "nombre": "a.pdf"}  # fmt: skip
    odd: dict[str, Any] = {"cred": "mucho", "saldo": {}, "error": 5, "duplicados": "1,5"}

    assert decoding.result_code(full) == -2
    assert fields_of(full) == (Decimal("1234.5"), 18, 2, "Falta algo [31m", "a.pdf")
    for reply in ({}, {"cred": None, "error": None}, odd):
        assert fields_of(reply) == (None, None, None, "", "")
    words = decoding.words({"error": "palabra " * 1000}, names.ERROR)
    assert (len(words), words[-3:]) == (300, "...")


def fields_of(reply: dict[str, Any]) -> tuple[Any, ...]:
    left, needed = (decoding.number(reply, *wire) for wire in (names.CREDITS_LEFT, names.CREDITS_NEEDED))
    words = (decoding.words(reply, wire) for wire in (names.ERROR, names.FILE_NAME))
    return left, needed, decoding.whole_number(reply, names.REPEATED), *words


@each("res", [None, "", "OK", [1], True, "1.5", ["1", "2"]])
def test_result_that_is_none(res: object) -> None:
    """A result that is no whole number is an error with its place."""
    with pytest.raises(DecodeError, match="@ Res"):
        decoding.result_code({"res": res})


# --- any bytes ---------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [b"{", b"}", b"[", b"]", b"'", b'"', b":", b";", b",", b"\\", b"<", b">", b"&", b"<result>", b"</result>", b"<pre>",
     b"<item0>", b"Res", b'"Res":', b"Res:1;", b"1", b"-1", b"NaN", b"&quot;", b"&#", b"Informe", b'"Informe":"', b" ",
     b"\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"<!DOCTYPE", b"<![CDATA[", b"<script>", b"1e999", b"0034", b"\xc3\xa1"]
)  # fmt: skip


@given(st.binary(max_size=200) | st.lists(PIECES, max_size=40).map(b"".join), st.text(max_size=30))
@example(b"\xff\xfe\x00\xd8", "")
@example(b'{"Res":1e999999999}', "")
@example(b'{"Res":1,"Informe":"[' + b"[" * 50, "")
def test_any_bytes_give_a_reply_or_a_decode_error(body: bytes, content_type: str) -> None:
    """Nothing a server can send raises anything else."""
    with suppress(DecodeError):
        reply = decode(body, content_type)
        assert "res" in reply
        left = decoding.number(reply, *names.CREDITS_LEFT)
        assert left is None or left.is_finite()
        decoding.words(reply, names.ERROR)
        decoding.result_code(reply)


def test_rows_by_their_numbers_come_in_order() -> None:
    """As numbers: the tenth comes after the second."""
    rows = {str(at): {"Movil": str(at)} for at in (10, 2, 1, 0, *range(3, 10))}
    told = decode(json.dumps({"Res": 1, "Informe": rows}).encode())["informe"]
    assert [row["movil"] for row in told] == [str(at) for at in range(11)]


def test_a_field_of_a_reply_is_found_in_any_case() -> None:
    fields = ReplyFields({"RES": 1, "Otro": 2})
    assert [fields.get(name) for name in ("res", "Res", "OTRO", "none")] == [1, 1, 2, None]
    assert fields.get("none", 5) == 5


JUNK = ["[", "{", "'", '"', "<", ">", ":", ";", "&", "\\", "a", "a:", "a:b;", "['", "',", "', ", "[<a>", "<a>",
        "<a/>", "<script>", "&#", "&#9", "0", "\n", " ", "a\n", "a:[", "':", "[{", "<!--", "&amp;", '{"a":', "1,",
        ";:", "]"]  # fmt: skip


@each("before", ["", "[{'a':'", "a:b;", "<x>", "<html>", "Res:1;Informe:[{", '{"Res":1,"Informe":"'])
def test_junk_is_refused_fast(before: str) -> None:
    """A megabyte of nonsense costs time in proportion: no pattern grows with its square."""
    slowest = 0.0
    for piece in JUNK:
        best = float("inf")
        for _ in range(2):
            started = time.process_time()
            with suppress(DecodeError):
                decode((before + piece * (300_000 // len(piece))).encode())
            best = min(best, time.process_time() - started)
            if best < 0.3:
                break
        slowest = max(slowest, best)

    assert slowest < 5  # a square of 300,000 steps would take minutes; no claim of speed
