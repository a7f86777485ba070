"""Whether a reply asks for no more texts, as people write it in Spanish and in English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

OPT_OUT_KEYWORDS: Final = (
    "BAJA",
    "BAJAS",
    "BAIXA",
    "DARSE DE BAJA",
    "CANCELAR",
    "NO MAS",
    "DESUSCRIBIR",
    "DESUSCRIBIRME",
    "ELIMINAR",
    "BORRAR",
    "STOP",
    "STOPALL",
    "STOP ALL",
    "NO MORE",
    "UNSUBSCRIBE",
    "OPT OUT",
    "OPTOUT",
    "REMOVE",
    "QUIT",
    "END",
)
"""The words that opt out, when they are all that is said; case, accents and punctuation do not matter."""

_LONGEST = 200  # characters; who writes more says something else
_POLITE = (
    "hola|buenas|buenos dias|buen dia|buenas tardes|buenas noches|ok|vale|si|gracias|muchas gracias|mil gracias|"
    "por favor|porfavor|porfa|un saludo|saludos|ya|ahora|inmediatamente|urgente|cuanto antes|senores|hi|hello|please|"
    "pls|thanks|thank you|now|yes|sms|mensaje|texto"
)
# Before a keyword these say the opposite, or something else: "no baja", "planta baja", "bus stop".
_DENIED = (
    "no|nunca|ni|sin|jamas|tampoco|not|never|dont|don|non|estoy|esta|planta|temporada|tension|voz|calidad|gama|marea|"
    "clase|presion|cuota|zona|parte|cabeza|bus|next|one|the|week|month|weekend|puedo|quiere|debo"
)
_MESSAGES = (
    r"(?:mensajes?|mensajitos|sms|textos?|publicidad|promociones|ofertas|messages?|texts?|ads|advertising)"
)
_SENT = (
    rf"(?:servicios?|listas?|newsletter|boletin|envios|comunicaciones|base de datos|suscripcion|{_MESSAGES})"
)
_NUMBER = r"(?:(?:a )?(?:mi|este|el) (?:numero|telefono|movil))"
_DROP = (
    r"(?:dar|darme|darnos|darse|den|denme|dennos|de|deme|da|dame|dan|doy|damos|dad|dadme|tramiten|gestionen|pongan) "
    r"(?:(?:de|la|mi|ya) )*baja"
)
_WISH = (
    r"(?:(?:yo )?(?:me )?(?:quiero|queria|quisiera|querria|deseo|solicito|pido|exijo|le ruego|les ruego|ruego|necesito|"
    r"me gustaria|i want to|i wish to) )?"
)
# What is asked for in a sentence: to be taken off, or to get no more. Where a verb asks for it the thing may be
# anything, such as a brand; without one it has to be what is sent.
_ASKED = (
    rf"(?:que )?(?:me |nos )?{_DROP}(?: {_NUMBER})?(?: (?:de|en|del)(?: \w+){{1,5}})?",
    r"(?:(?:la|mi|de) )*bajas?(?: (?:definitiva|inmediata|total|completa))?"
    rf"(?: (?:(?:de|del|en|a) )?(?:(?:la|el|los|las|su|sus|este|esta) )?{_SENT})?",
    rf"(?:cancelar|anular|cancelen|anulen) (?:la |mi )?{_SENT}",
    r"(?:dejen|dejad|deje|deja|paren|parad|para) (?:ya )?de (?:enviar|mandar|escribir|molestar)\w*(?: \w+){0,4}",
    r"no (?:me |nos )?(?:volvais a |vuelvan a |volver a |vuelva a |sigan |sigais )?"
    r"(?:envi\w+|mand\w+|escrib\w+|moleste\w+|molesteis)"
    rf"(?: (?:mas|otro|ningun|ninguna|ningunos|a|de|este|estos|tipo|sus|nada|{_MESSAGES}))*",
    rf"(?:ya )?no (?:quiero|deseo|queremos|deseamos) (?:recibir )?(?:mas |sus )?{_MESSAGES}"
    rf"(?: (?:mas|suyos?|vuestros?|de {_MESSAGES}))?",
    r"(?:ya )?no (?:quiero|deseo) que (?:me|nos) (?:envi\w+|mand\w+|escrib\w+|molest\w+)"
    rf"(?: (?:mas|nada|{_MESSAGES}))*",
    rf"no (?:quiero|deseo) (?:recibir )?mas(?: {_MESSAGES})?",
    r"no (?:quiero|deseo) recibir nada(?: mas)?",
    rf"(?:no mas|no more|basta de) {_MESSAGES}",
    rf"(?:borr|elimin|quit|sac)(?:ar|en|a|ad)(?:me)? (?:{_NUMBER}|{_NUMBER} ?de .*)",
    r"(?:borr|elimin|quit|sac)(?:arme|enme|adme|ame)",
    rf"(?:borr|elimin|quit|sac)(?:ar|en|a|ad|enme|adme|arme|ame)(?: {_NUMBER})?"
    r" de (?:la|su|vuestra|esta) (?:lista|base de datos|agenda)",
    r"(?:please )?(?:stop|do not|dont|don t) (?:send(?:ing)?|text(?:ing)?|messag(?:e|ing)|contact(?:ing)?)(?: me)?"
    rf"(?: (?:any ?more|any|these|more|again|{_MESSAGES}))*",
    r"(?:please )?(?:remove|unsubscribe|take) me(?: (?:off|from) (?:your|this|the) list)?",
)
_SPACED = re.compile(r"\w(?: \w)+")  # B A J A


def opt_out_rule(keywords: Iterable[str] = OPT_OUT_KEYWORDS) -> Callable[[str], bool]:
    """Return a function that says whether a text asks for no more texts.

    It does when nothing but a keyword, perhaps several times, is left of it without accents, punctuation, greetings,
    thanks and numbers; or a keyword after one other word ("promo baja"; not "no baja"); or a sentence such as "no me
    envien mas mensajes".

    Args:
        keywords: what counts when it stands alone; sentences count whatever they are.
    """
    given = [keywords] if isinstance(keywords, str) else keywords
    words = frozenset(map(_plain, given)) - {""}
    before, after, sentence = _patterns()
    denied = frozenset(_DENIED.split("|"))

    def is_keyword(said: str) -> bool:
        parts = said.split()
        return said in words or (len(set(parts)) == 1 and parts[0] in words)

    def asks(text: str) -> bool:
        if len(text) > _LONGEST:
            return False
        said = _plain(text)
        bare = after.sub("", before.sub("", said))
        first, _, rest = bare.partition(" ")
        kept = first not in denied and is_keyword(rest)
        return is_keyword(said) or is_keyword(bare) or kept or sentence.fullmatch(bare) is not None

    return asks


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return what is polite before and after, and what a sentence asks; not made before they are needed."""
    polite = "|".join(sorted(_POLITE.split("|"), key=len, reverse=True))
    return (
        re.compile(rf"^(?:(?:{polite})\b ?)+"),
        re.compile(rf"(?: ?\b(?:{polite}|\d+))+$"),
        re.compile(f"{_WISH}(?:{'|'.join(_ASKED)})"),
    )


def _plain(text: str) -> str:
    """Return a text's words in lower case, with nothing but a space between them."""
    split = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(c for c in split if not unicodedata.combining(c))
    words = " ".join(re.findall(r"[^\W_]+", letters))
    return words.replace(" ", "") if _SPACED.fullmatch(words) else words
