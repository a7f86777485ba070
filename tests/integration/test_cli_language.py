"""The command in Spanish: whatever is shown, and what stays as it is for programs."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from mensatek_async import InvalidPhone, InvalidSender
from mensatek_async.cli.app import app
from mensatek_async.language import choose, language
from tests.catalogue import commands
from tests.command_line import Command, Said
from tests.markdown import ROOT, blocks

ENGLISH = re.compile(
    r"\b(the|is|are|was|were|not|with|and|of|to|for|its|cannot|given|needs|takes|Unknown|Invalid|Usage|default|"
    r"required|Commands|Parameters|Did you mean|row|rows|phone|text|texts|sent|pending|file|nothing)\b"
)
# What is typed, and names that have no other.
NAMES = re.compile(
    r"\[valores[^\]]*\]|--?[\w-]+|https?:\S+|\[\w+\]|'[^']*'|\"[^\"]*\"|\{\w+\}|`[^`]*`|mensatek [a-z -]+"
    r"|pip install \S+|\S+\.\w{2,4}\b"
)
ROWS = "nombre;móvil\nAna;600000001\nLuis;600000002\nEva;6000\nEva;600000001\nMax;\n"


def english(*shown: str) -> list[str]:
    """The English words in what was shown, but for names."""
    return ENGLISH.findall(NAMES.sub("", " ".join(shown)))


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({}, "en"),
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "est_EE.UTF-8"}, "en"),
        ({"LANG": "es_ES.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "es_MX.UTF-8", "LC_MESSAGES": "en_GB"}, "es"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "fr:es:en"}, "es"),
        ({"LANG": "es_ES.UTF-8", "LANGUAGE": "en:es"}, "en"),
        ({"LANG": "C", "LANGUAGE": "es"}, "en"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "es"}, "es"),
    ],
    ids=lambda value: " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value,
)
def test_the_environment_chooses_the_language(
    environ: dict[str, str], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As gettext reads it; C is English whatever LANGUAGE says."""
    for name in ("LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert choose() == code


def test_every_page_of_the_help_is_spanish(command: Command) -> None:
    """Headings, descriptions, defaults and all; a word that is left in English is half a translation."""
    for path, _ in commands(app, "mensatek"):
        said = command(*path.split()[1:], "--help", "--lang", "es")

        assert said.code == 0
        assert "Uso: mensatek" in said.out
        assert not english(said.out), (path, said.out)


@pytest.mark.parametrize(
    "arguments",
    [
        "campain",
        "nonsense",
        "send 600000000 --txt x",
        "send --text",
        "segments",
        "segments hola sobra",
        "credits --sandbox --sandbox --base-url",
        "bulk r.csv --text x --concurrency many",
        "bulk r.csv --text x --encoding-text utf8",
        "bulk r.csv --text x --price -1",
        "bulk r.csv --text {apellido} --sandbox",
        "bulk r.csv --text x --rows 9-3",
        "bulk missing.csv --text x --sandbox",
        "bulk . --text x --sandbox",
        "send 6000 --text x --sandbox",
        "send 600000000 --text x --sandbox --sender UnNombreMuyLargo",
        "send 600000000 --text x --sandbox --at 2020-01-01T10:00",
        "send 600000000 --text x --sandbox --at ayer",
        "credits --user a --token-file missing.txt",
        "credits",
        "campaign status navidad",
        "campaign start a r.csv --text x --identify y",
        "campaign export navidad x.pdf",
        "certified send 600000000 --text x --sandbox",
        "outbox status k --user a",
        "opt-outs add",
        "certified archive abc --into x",
        "campaign report navidad",
        "sandbox --error-rate 7",
        "webhooks listen --username a",
        "send 600000000 --text x --lang fr",
    ],
)
def test_what_is_wrong_is_said_in_spanish(
    arguments: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cyclopts' words, the command's and the library's, with what they are about filled in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    monkeypatch.delenv("LANGUAGE")
    (tmp_path / "r.csv").write_text(ROWS, encoding="utf-8")

    said = command(*arguments.split())

    assert said.code in (1, 2)
    assert said.err.startswith("mensatek: ")
    assert not english(said.out, said.err), said


def test_a_send_is_shown_in_spanish_and_programs_read_what_they_always_did(
    command: Command, tmp_path: Path
) -> None:
    """Summaries, reasons and exports are Spanish with its numbers; JSON, columns and outcomes are as in English."""
    rows, store, report = tmp_path / "r.csv", tmp_path / "c.db", tmp_path / "e.csv"
    rows.write_text(ROWS, encoding="utf-8")

    def start(*more: str) -> Said:
        given = (
            "campaign",
            "start",
            "navidad",
            rows,
            "--text",
            "Hola {nombre}",
            "--sandbox",
            "--store",
            store,
        )
        return command(*given, "--lang", "es", *more)

    shown = start()
    counts = start("--json")
    exported = command("campaign", "export", "navidad", report, "--store", store, "--lang=es")
    with report.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    english_counts = command("campaign", "status", "navidad", "--store", store, "--json")

    assert "Enviadas: 2 de 5 filas." in shown.out
    assert "créditos: 2 usados, 9.999.998 restantes" in shown.out
    assert not english(shown.out, shown.err, exported.out, counts.err)
    assert {**json.loads(counts.out), "elapsed": 0}.items() >= {"state": "done", "error": None}.items()
    assert english_counts.json.keys() <= {*counts.json, "exit_code"}
    assert [one["outcome"] for one in written] == ["sent", "sent", "invalid", "invalid", "invalid"]
    assert [one["reason"] for one in written][2:] == [
        "El teléfono 6*** es demasiado corto para un número español.",
        "repite el teléfono de una fila anterior",
        "el teléfono está vacío",
    ]


@pytest.mark.parametrize(
    ("english_text", "spanish"),
    [
        ("its phone holds letters", "su teléfono contiene letras"),
        (
            "the provider asked to slow down; everybody waits, until 2027-01-08 10:00:00 Spanish time",
            "el proveedor pidió ir más despacio; todos esperan, hasta el 2027-01-08 10:00:00, hora española",
        ),
        (
            "EnviarSMS refused -3: the call's data is wrong or a mandatory parameter is missing. Nothing was sent. "
            "Correct the call; repeating it as it is counts as spam.",
            "EnviarSMS rechazada -3: los datos de la llamada son incorrectos o falta un parámetro obligatorio. "
            "No se ha enviado nada. Corrija la llamada; repetirla tal cual cuenta como spam.",
        ),
        ("EnviarSMS refused -3: Faltan datos.", "EnviarSMS rechazada -3: Faltan datos."),
        ("a reason of a program's own", "a reason of a program's own"),
        (
            "EnviarSMS refused -2: there are not enough credits; it waits until it is resumed",
            "EnviarSMS rechazada -2: no hay créditos suficientes; espera hasta que se reanude",
        ),
        (
            "The recipient has no field 'hora'. Each recipient needs every field of the text",
            "El destinatario no tiene el campo 'hora'. Cada destinatario necesita todos los campos del texto",
        ),
        (
            "The voice caller nob***dy holds letters. Write it as +34 ...",
            "El número que llama nob***dy contiene letras. Escríbalo como +34 ...",
        ),
        ("The phone is empty.", "El teléfono está vacío."),
        (
            "The file cannot be read: No such file or directory.",
            "El archivo no se puede leer: no existe el archivo o la carpeta.",
        ),
        (
            "The callback could not be read: expected a number, got a text @ Rep[0].Movil; missing @ Estado.",
            "La notificación no se pudo leer: se esperaba un número, llegó un texto @ Rep[0].Movil; falta @ Estado.",
        ),
    ],
    ids=[
        "one within another",
        "a note with a date",
        "message and advice",
        "the provider's own words",
        "unknown",
        "within a note, without its point",
        "advice without its point",
        "a phone of two kinds",
        "a phone that is empty",
        "two sentences with a file",
        "several problems, each with its place",
    ],
)
def test_a_reason_that_was_written_down_in_english_is_read_in_spanish(
    english_text: str, spanish: str
) -> None:
    """Journals keep English, whoever wrote them; what is no text of ours stays as it is."""
    assert language("es").reason(english_text) == spanish


def test_an_error_is_looked_up_by_its_code(command: Command) -> None:
    """The library's error stays English; its Spanish has the values that it holds."""
    error = InvalidPhone("The phone 600***01 is too long.", advice="Write it as +34 ...")
    same = InvalidSender("The sender has 12 characters; 11 are taken at most.")

    assert str(error).startswith("The phone 600***01")
    assert language("es").error(error) == (
        "El teléfono 600***01 es demasiado largo.",
        "Escríbalo como +34 ...",
    )
    assert language("es").error(same)[0] == "El remitente tiene 12 caracteres; se aceptan 11 como máximo."


def test_the_spanish_pages_quote_what_the_command_says(command: Command, tmp_path: Path) -> None:
    """The preview of docs/es/campaigns.md, of the list that it stands for."""
    (path := tmp_path / "clientes.csv").write_text(
        "Nombre;Movil\nAna;600000001\nLuis;600000002\nEva;600\nAna;600000001\n", encoding="utf-8"
    )
    (quoted,) = [one.text for one in blocks(ROOT / "docs/es/campaigns.md") if one.language == "text"]
    said = command("--lang", "es", "bulk", path, "--text", "Feliz 2027, {Nombre}", "--dry-run")

    assert quoted in said.out
