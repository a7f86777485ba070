"""Which replies ask for no more texts: as people write them, in Spanish and in English."""

from __future__ import annotations

import pytest

from mensatek_async.text import opt_out_rule

ASKED = """
Baja.|BAJA POR FAVOR|¡BAJA!|bája|  baja  |B A J A|"BAJA"|Baja, gracias|baja ya|Baja 🙏|BAJA BAJA BAJA
baja 12345|BAIXA|Buenos días. Baja|promo baja|Hola, baja|baja publicidad|la baja por favor
Hola quiero darme de baja|Me quiero dar de baja de vuestra lista|Quiero que me den de baja por favor
den de baja este numero|Solicito la baja|deseo la baja del servicio|le ruego me den de baja|stop|Stop!!
STOP SMS|STOP ALL|please stop|Cancelar|cancelar suscripción|NO MÁS|no más mensajes por favor|no mas, gracias
no me envien mas|No me enviéis más publicidad|no me mandes nada más|NO ME ESCRIBÁIS MÁS
no vuelvan a enviarme mensajes|No quiero recibir más mensajes|no quiero que me escriban mas
no quiero más publicidad|basta de mensajes|dejen de enviarme mensajes|Dejad de molestar|borrenme de la lista
quita mi número|elimínenme|unsubscribe|Unsubscribe me please|opt-out|remove me from your list
stop sending me messages|do not text me again|no more texts
"""
NOT_ASKED = """
ok gracias, no baja nunca el precio|no baja|el precio baja mañana|baja el precio|baja la persiana
baja temporada|baja California|en la planta baja|tensión baja|marea baja|Baja que ya estoy
¿cuando baja el pedido?|voy bajando|sin baja|no quiero la baja|Estoy de baja|la baja de mi madre
necesito la baja médica|me dan la baja mañana|una baja de 3 dias|da de baja a mi hermano
no quiero darme de baja|no me den de baja|¿Me puedo dar de baja?|Cancelar cita|cancelar mi reserva
no cancelar|anular pedido|gracias|si|no|no gracias|ok|vale|ALTA|Confirmo|1|para|nada mas gracias
no quiero mas pan|no mas tarde de las 10|no molestar|no me ha llegado|no me llegan los mensajes
no me envien el pedido hasta el lunes|no envíes el paquete hoy|quiero recibir mas mensajes
no me escribas, llamame|para de llover|dont stop|non stop|next stop|bus stop|stop it with the music
I will stop by at 5|the end|remove the old one|no more than two|quit smoking|
"""


def _each(texts: str) -> list[str]:
    return [text for line in texts.strip().split("\n") for text in line.split("|")]


@pytest.mark.parametrize(("texts", "asked"), [(ASKED, True), (NOT_ASKED, False)], ids=["asked", "not asked"])
def test_replies_as_people_write_them(texts: str, asked: bool) -> None:
    """At least fifty of each: none that asks is passed over, and none that does not opts anybody out."""
    asks = opt_out_rule()
    replies = _each(texts)
    assert len(replies) >= 50
    assert [reply for reply in replies if asks(reply) is not asked] == []


def test_whoever_writes_a_letter_says_something_else() -> None:
    """Only short replies are looked at."""
    assert not opt_out_rule()("Baja " + "de la lista " * 30)
    assert (opt_out_rule()("Baja".ljust(200)), opt_out_rule()("Baja".ljust(201))) == (True, False)


def test_a_keyword_without_letters_opts_nobody_out() -> None:
    """Nor does an empty reply, or one of thanks alone, then."""
    asks = opt_out_rule(["¡!", "", "ALTO"])
    assert [asks(text) for text in ("", " ...", "¡!", "Gracias", "Hola 5", "alto")] == [False] * 5 + [True]


@pytest.mark.parametrize("keywords", [("ALTO", "Fuera de aquí"), "ALTO"], ids=["several", "one as it is"])
def test_keywords_of_your_own(keywords: tuple[str, ...] | str) -> None:
    """They count in any writing, the others do not; sentences count as ever."""
    asks = opt_out_rule(keywords)
    assert asks("¡Alto, por favor!")
    assert asks("no me envien mas")
    assert asks("fuera de AQUI") is (keywords != "ALTO")
    assert not asks("STOP")
