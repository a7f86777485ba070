"""Makes clinic-appointments.csv: 5,000 appointments as a clinic's program exports them, the same bytes each run.

Nobody in it exists. The phones come from the block that the provider's own manuals use in their samples.
Run it as `python docs/examples/make_clinic_appointments.py [FILE]`.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

T = TypeVar("T")

ROWS = 5_000
FIRST_DAY = date(2027, 1, 11)
HEADINGS = ("Nombre", "Apellidos", "Teléfono móvil", "Fecha", "Hora", "Doctor", "Centro")
FILE = Path(__file__).with_name("clinic-appointments.csv")

NAMES = """María Carmen Josefa Isabel Lucía Ana Cristina Marta Sofía Paula Laura Elena Sara Irene Begoña Rocío Ángela
Inés Noelia Nuria Montserrat Itziar Ainhoa Leire Mercè Núria Uxía Iria Antía Antonio José Manuel Francisco David Juan
Javier Daniel Carlos Jesús Alejandro Miguel Rafael Pedro Ángel Pablo Sergio Fernando Jorge Luis Alberto Álvaro Diego
Adrián Raúl Iván Rubén Óscar Andrés Joaquín Íñigo Iñaki Ramón Martín Hugo Mateo Tomás Agustín Xoán Jordi Toni""".split()  # noqa: SIM905
TWO_NAMES = (
    "María José",
    "José Luis",
    "Ana Belén",
    "Juan Carlos",
    "María Ángeles",
    "José Ramón",
    "María del Mar",
)
SELDOM = ("Gonçal", "Loïc", "João", "Zoë")  # letters that GSM has not: their texts travel as Unicode
SURNAMES = """García González Rodríguez Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández Díaz
Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ramírez Serrano Blanco Molina
Morales Suárez Ortega Delgado Castro Ortiz Rubio Marín Sanz Núñez Iglesias Medina Garrido Cortés Castillo Santos Lozano
Guerrero Cano Prieto Méndez Cruz Calvo Gallego Vidal León Márquez Herrera Peña Flores Cabrera Campos Vega Fuentes Díez
Carrasco Caballero Nieto Reyes Aguilar Pascual Herrero Santana Lorenzo Hidalgo Montero Ibáñez Giménez Ferrer Durán
Vicente Benítez Mora Arias Vargas Carmona Crespo Román Pastor Soto Sáez Velasco Soler Moya Esteban Parra Bravo Gallardo
Ibarretxe Etxeberria Puigdomènech Agüero Argüelles Piñeiro Mariño Castaño Ordóñez Zúñiga Logroño""".split()  # noqa: SIM905
CENTRES: dict[str, tuple[str, ...]] = {
    "Clínica Alameda": ("Dra. Núñez Ariza", "Dr. Sáez Ocaña", "Dra. Peña Royo", "Dr. Muñoz Lara"),
    "Centro Médico El Ángel": ("Dra. Ibáñez Coll", "Dr. Castaño Vela", "Dr. Ureña Sanz", "Dra. Gómez Piñol"),
    "Policlínica Miño": ("Dr. Argüelles Rey", "Dra. Souto Mariño", "Dra. Vázquez Leal", "Dr. Seoane Gil"),
}
SLOTS = [f"{hour:02}:{minute:02}" for hour in (9, 10, 11, 12, 13, 16, 17, 18) for minute in (0, 15, 30, 45)]

WRITINGS = (  # how receptionists write a phone, and out of how many
    (34, "{0}{1}{2}{3}"),
    (22, "{0} {1} {2} {3}"),
    (14, "{0} {1}{2:.1} {4}{3}"),
    (10, "+34{0}{1}{2}{3}"),
    (7, "+34 {0} {1} {2} {3}"),
    (4, "0034{0}{1}{2}{3}"),
    (3, "34{0}{1}{2}{3}"),
    (3, "{0}-{1}-{2}-{3}"),
    (2, "{0}.{1}{2:.1}.{4}{3}"),
    (1, "(+34) {0} {1} {2} {3}"),
)
EMPTY, SHORT, WORDS, TWO, LANDLINE, REPEATED = 12, 8, 6, 5, 5, 14  # broken rows: one in a hundred


def pick(random: Random, options: Sequence[T]) -> T:
    """One of them, by the one method whose results no version of Python has changed."""
    return options[int(random.random() * len(options))]


def written(random: Random, phone: str) -> str:
    """A phone in one of the ways people write it."""
    form = pick(random, [form for weight, form in WRITINGS for _ in range(weight)])
    return form.format(phone[:3], phone[3:5], phone[5:7], phone[7:], phone[6])


def name(random: Random) -> str:
    """A first name."""
    kind = random.random()
    return pick(random, SELDOM if kind < 0.004 else TWO_NAMES if kind < 0.1 else NAMES)


def phones(random: Random) -> Iterator[str]:
    """Different mobile phones in no order, 600 000 000 to 600 009 999."""
    numbers = list(range(10_000))
    for last in range(len(numbers) - 1, 0, -1):
        other = int(random.random() * (last + 1))
        numbers[last], numbers[other] = numbers[other], numbers[last]
    return (f"60000{number:04}" for number in numbers)


def appointments(random: Random) -> Iterator[list[str]]:
    """Rows in the order of the diary: day, time, centre."""
    fresh = phones(random)
    day = FIRST_DAY
    while True:
        for slot in SLOTS if day.weekday() < 5 else ():
            for centre, doctors in CENTRES.items():
                for doctor in doctors:
                    if random.random() < 0.86:
                        surnames = f"{pick(random, SURNAMES)} {pick(random, SURNAMES)}"
                        phone = written(random, next(fresh))
                        yield [name(random), surnames, phone, f"{day:%d/%m/%Y}", slot, doctor, centre]
        day += timedelta(days=1)


def damage(random: Random, rows: list[list[str]]) -> None:
    """Break as many rows as real lists have broken, anywhere but in the first."""
    places: list[int] = []
    while len(places) < EMPTY + SHORT + WORDS + TWO + LANDLINE + REPEATED:
        place = 1 + int(random.random() * (len(rows) - 1))
        if place not in places:
            places.append(place)
    phone = HEADINGS.index("Teléfono móvil")
    take = iter(places)
    for _ in range(EMPTY):
        rows[next(take)][phone] = ""
    for _ in range(SHORT):
        rows[next(take)][phone] = f"60000{int(random.random() * 1000):03}"
    for _ in range(WORDS):
        rows[next(take)][phone] = pick(random, ("no tiene", "PREGUNTAR", "tel. de la hija", "6OO OOO 123"))
    for _ in range(TWO):
        row = rows[next(take)]
        row[phone] = f"{row[phone]} / 6000{int(random.random() * 100_000):05}"
    for _ in range(LANDLINE):
        rows[next(take)][phone] = f"91000{int(random.random() * 1000):03}"
    for place in take:  # a patient with a second appointment, or entered twice
        source = rows[int(random.random() * place)]
        rows[place] = [*source[:3], *rows[place][3:]]


def make() -> bytes:
    """The whole file."""
    random = Random(2027)
    diary = appointments(random)
    rows = [next(diary) for _ in range(ROWS)]
    damage(random, rows)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADINGS)
    writer.writerows(rows)
    return text.getvalue().encode("cp1252")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.write_bytes(make())
    print(f"{target}: {ROWS:,} rows")
