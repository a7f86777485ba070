"""The catalogue: every word that an operator can read is in it, in Spanish, with the same places."""

from __future__ import annotations

import re
from collections import Counter

from mensatek_async.language.spanish import CATALOGUE, entries
from tests import catalogue

ENTRIES = list(entries(CATALOGUE.read_text(encoding="utf-8")))


def test_whatever_an_operator_can_read_is_in_the_catalogue_and_nothing_else() -> None:
    """`python -m tests.catalogue` puts in what is missing and takes out what nobody says any more."""
    found = catalogue.texts()
    there = Counter(key for key, _ in ENTRIES if key != ("", ""))

    assert not [f"{place}: {key}" for key, place in found.items() if key not in there]
    assert not there.keys() - found.keys()
    assert max(there.values()) == 1


def test_no_words_of_the_command_escape_the_catalogue() -> None:
    """What is printed is looked up or marked; what the library says goes through `reason()`, from its source."""
    assert not catalogue.unmarked()


def test_every_entry_has_its_spanish_with_the_same_places() -> None:
    """A place that is lost loses a value; one too many ends the command with a traceback."""
    places = re.compile(r"\{[^{}\s]*(?::[^{}]*)?\}")

    assert not [key for key, spanish in ENTRIES if not spanish.strip()]
    assert not [
        (english, spanish)
        for (_, english), spanish in ENTRIES
        if english and Counter(places.findall(english)) != Counter(places.findall(spanish))
    ]
