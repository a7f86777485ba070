"""The forms an answer takes on the wire: every one that live replies have been seen in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

REPLY_STYLES = (
    "json-object",  # the bare object, as live replies are
    "json-array",  # [{...}], as the manuals show it
    "json-strings",  # every number a string
    "spanish",  # credits as "14.970,00"
    "spanish-plain",  # credits as "14970,00"
    "upper-keys",
    "lower-keys",
    "saldo",  # Saldo for Cred
    "old-names",  # CredNecesarios, and Msgid without idMensaje
    "bom",  # a byte order mark in front
    "html",  # JSON served as text/html
    "txt",  # TXT although JSON was asked for
    "txt-line",  # the same on one line, Saldo and decimal comma
    "xml",  # XML although JSON was asked for
    "bare",  # just -1 when the credentials are refused
    "report-string",  # Informe and Ficheros inside a string, single quotes
    "code-string",  # the same wrapped in <code>
)
"""The reply styles of `Sandbox.reply_style`; all of JSON but the first are in an array, as the manuals show it."""

Encoded = tuple[bytes, str]
_DETAIL = ("Destinatarios", "Enviados", "Duplicados", "Mensajes", "NoEnviados", "CreditosUsados", "idMensaje")
_OLD_NAMES = {"CreditosNecesarios": "CredNecesarios", "CRED": "Cred"}


def encode(fields: Mapping[str, Any], resp: str, style: str) -> Encoded:
    """A reply as bytes and content type, in the form that `Resp` asked for, or that of old versions."""
    form = resp.strip().upper()
    if style == "bare" and fields.get("Res") == -1:
        return b"-1", "text/html; charset=utf-8"
    if form not in ("JSON", "TXT", "XML"):
        fields, form, style = (
            {name: fields[name] for name in fields if name not in _DETAIL},
            "JSON",
            "txt-line",
        )
    if style == "old-names":
        fields = {name: value for name, value in fields.items() if name != "idMensaje"}
    shaped = _shape(fields, style)
    if form == "JSON" and style == "txt-line":
        return _txt(shaped).replace("\n", "").encode(), "text/html; charset=utf-8"
    if form == "JSON" and style in ("txt", "xml"):
        form = style.upper()
    if form == "TXT":
        return _txt(shaped).encode(), "text/plain; charset=utf-8"
    if form == "XML":
        return _xml(shaped).encode(), "text/xml; charset=utf-8"
    data = json.dumps(shaped if style == "json-object" else [shaped], ensure_ascii=False).encode()
    data = b"\xef\xbb\xbf" + data if style == "bom" else data
    return data, "text/html; charset=utf-8" if style == "html" else "application/json"


def _shape(fields: Mapping[str, Any], style: str) -> dict[str, Any]:
    key, decimal = _KEYS.get(style, str), _DECIMALS.get(style, _number)
    shaped: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, list):
            rows = [_shape(row, style) for row in value]
            shaped[key(name)] = _quoted(rows, style) if style in ("report-string", "code-string") else rows
        elif isinstance(value, Decimal):
            shaped[key(name)] = decimal(value)
        else:
            shaped[key(name)] = str(value) if style == "json-strings" else value
    return shaped


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _spanish(value: Decimal) -> str:
    return f"{value:,.2f}".translate({ord(","): ".", ord("."): ","})


def _spanish_plain(value: Decimal) -> str:
    return f"{value:.2f}".replace(".", ",")


def _saldo(name: str) -> str:
    return "Saldo" if name in ("Cred", "CRED") else name


_KEYS: dict[str, Callable[[str], str]] = {
    "upper-keys": str.upper,
    "lower-keys": str.lower,
    "saldo": _saldo,
    "txt-line": _saldo,
    "old-names": lambda name: _OLD_NAMES.get(name, name),
}
_DECIMALS: dict[str, Callable[[Decimal], Any]] = {
    "json-strings": lambda value: str(_number(value)),
    "spanish": _spanish,
    "spanish-plain": _spanish_plain,
    "txt-line": _spanish_plain,
}


def _quoted(rows: list[dict[str, Any]], style: str | None) -> str:
    """A list as the certified manual writes it: one string, single quotes, bare numbers."""

    def item(value: Any) -> str:
        if isinstance(value, str):
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        return str(value)

    inner = ",".join(
        "{" + ",".join(f"'{name}':{item(value)}" for name, value in row.items()) + "}" for row in rows
    )
    return f"<code>[{inner}]</code>" if style == "code-string" else f"[{inner}]"


def _txt(fields: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for name, value in fields.items():
        if isinstance(value, list):
            lines += [f"{name}:", "["]
            for index, row in enumerate(value):
                lines += [f"{index}:", "[", *(f"{key}:{item};" for key, item in row.items()), "]"]
            lines.append("]")
        else:
            lines.append(f"{name}:{value};")
    return "\n".join(lines) + "\n"


def _xml(fields: Mapping[str, Any]) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<result>{_xml_items(fields)}</result>'


def _xml_items(fields: Mapping[str, Any]) -> str:
    out: list[str] = []
    for name, value in fields.items():
        if isinstance(value, list):
            inner = "".join(
                f"<item{index}>{_xml_items(row)}</item{index}>" for index, row in enumerate(value)
            )
        else:
            inner = escape(str(value))
        out.append(f"<{name}>{inner}</{name}>")
    return "".join(out)
