"""Whether a reply asks for no more texts, as people write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

KEYWORDS: Final = (
    *(
        "BAJA",
        "BAJAS",
        "STOP",
        "CANCELAR",
        "NO MAS",
        "UNSUBSCRIBE",
        "STOPALL",
        "STOP ALL",
        "QUIT",
        "END",
        "OPT OUT",
    ),
    *("OPTOUT", "REMOVE", "ELIMINAR", "BORRAR", "DESUSCRIBIR", "DESUSCRIBIRME", "DARSE DE BAJA", "NO MORE"),
)
"""The words that opt out, when they are all that is said; case, accents and punctuation do not matter."""

_POLITE = (
    *(
        "hola",
        "buenas",
        "buenos dias",
        "buen dia",
        "buenas tardes",
        "buenas noches",
        "ok",
        "vale",
        "si",
        "gracias",
    ),
    *(
        "muchas gracias",
        "mil gracias",
        "por favor",
        "porfavor",
        "porfa",
        "un saludo",
        "saludos",
        "ya",
        "ahora",
    ),
    *(
        "inmediatamente",
        "urgente",
        "cuanto antes",
        "senores",
        "hi",
        "hello",
        "please",
        "pls",
        "thanks",
        "thank you",
    ),
    *("now", "yes", "sms", "mensaje", "texto"),
)
_LONGEST = 200  # characters; who writes more says something else
_MESSAGES = r"(?:mensajes?|mensajitos|sms|textos?|publicidad|promociones|ofertas|nada|messages?|texts?|ads|advertising)"
_SENT = (
    rf"(?:servicios?|listas?|newsletter|boletin|envios|comunicaciones|base de datos|suscripcion|{_MESSAGES})"
)
_DROP = (
    r"(?:dar|darme|darnos|darse|den|denme|dennos|de|deme|da|dame|dan|doy|damos|dad|dadme|tramiten|gestionen|pongan) "
    r"(?:(?:de|la|mi|ya) )*baja"
)
# What is asked for in a sentence: to be taken off, or to get no more.
_ASKED = (
    # With a verb the thing may be anything, such as a brand; without one it has to be what is sent.
    rf"(?:que )?(?:me |nos )?{_DROP}(?: (?:de|en|del|a)(?: \w+){{1,5}})?",
    r"(?:(?:la|mi|de) )*bajas?(?: (?:definitiva|inmediata|total|completa))?"
    rf"(?: (?:de|del|en|a)(?: (?:la|el|los|las|su|sus|este|esta))? {_SENT})?",
    r"(?:dejen|dejad|deje|deja|paren|parad|para) (?:ya )?de (?:enviar|mandar|escribir|molestar)\w*(?: \w+){0,4}",
    r"(?:por favor )?no (?:me |nos )?(?:volvais a |vuelvan a |sigan |sigais )?(?:envi\w+|mand\w+|escrib\w+|molest\w+)"
    rf"(?: (?:mas|otro|ningun|ninguna|ningunos|a|de|este|estos|tipo|sus|{_MESSAGES}))*",
    r"(?:ya )?no (?:quiero|deseo|queremos|deseamos) (?:recibir |que me (?:envien|manden|escriban) )?(?:mas |sus )?"
    rf"{_MESSAGES}(?: (?:mas|suyos?|vuestros?))?",
    rf"no (?:quiero|deseo) (?:recibir )?mas(?: {_MESSAGES})?",
    rf"no mas {_MESSAGES}",
    r"(?:borr|elimin|quit|sac)(?:ar|en|a|ad|enme|adme|arme|ame)(?: mi (?:numero|telefono|movil))?"
    r"(?: de (?:la|su|vuestra|esta) (?:lista|base de datos|agenda))",
    rf"(?:please )?(?:stop|do not|dont|don t) (?:send(?:ing)?|text(?:ing)?|messag(?:e|ing)|contact(?:ing)?)(?: me)?"
    rf"(?: (?:any ?more|any|these|more|again|{_MESSAGES}))*",
    r"(?:please )?(?:remove|unsubscribe|take) me(?: (?:off|from) (?:your|this|the) list)?",
)
_WISH = (
    r"(?:(?:yo )?(?:quiero|quisiera|querria|deseo|solicito|pido|exijo|ruego|necesito|me gustaria|i want to|i wish to)"
    r" )?"
)
_SPACED = re.compile(r"\w(?: \w)+")  # B A J A
_polite = re.compile(rf"(?:{'|'.join(sorted(_POLITE, key=len, reverse=True))})\b ?")
_polite_end = re.compile(rf" ?\b(?:{'|'.join(sorted(_POLITE, key=len, reverse=True))})$")
_asks = re.compile(f"{_WISH}(?:{'|'.join(_ASKED)})").fullmatch
# Before a keyword these say the opposite, or something else: "no baja", "planta baja".
_DENIED = frozenset(
    (
        *(
            "no",
            "nunca",
            "ni",
            "sin",
            "jamas",
            "tampoco",
            "not",
            "never",
            "dont",
            "don",
            "non",
            "estoy",
            "esta",
        ),
        *("planta", "temporada", "tension", "voz", "calidad", "gama"),
    )
)


def opt_out_rule(keywords: Iterable[str] = KEYWORDS) -> Callable[[str], bool]:
    """Return a function that says whether a text asks for no more texts.

    It does when nothing but a keyword is left of it without accents, punctuation, greetings and thanks, or a keyword
    after one other word ("promo baja"; not "no baja"), or a sentence such as "no me envien mas mensajes".

    Args:
        keywords: what counts when it stands alone.
    """
    words = frozenset(_plain(keyword) for keyword in keywords) - {""}

    def asks(text: str) -> bool:
        if len(text) > _LONGEST:
            return False
        said = _plain(text)
        bare = _bare(said)
        first, _, rest = bare.partition(" ")
        return (
            said in words
            or bare in words
            or (first not in _DENIED and rest in words)
            or _asks(bare) is not None
        )

    return asks


def _plain(text: str) -> str:
    """Return a text's words in lower case, with nothing but a space between them."""
    split = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in split if not unicodedata.combining(c))
    words = " ".join(re.findall(r"[^\W_]+", letters))
    return words.replace(" ", "") if _SPACED.fullmatch(words) else words


def _bare(said: str) -> str:
    """Return a text without greetings and thanks before and after it."""
    while (match := _polite.match(said)) is not None and match.end():
        said = said[match.end() :]
    while (match := _polite_end.search(said)) is not None:
        said = said[: match.start()]
    return said
