"""Reads a contract's `Variables`, and the signer's position in them, whose form no manual tells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..models.events import Location
from . import names, shape
from .problems import DecodeError, Missing, WrongValue, kind

_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:[.,][0-9]{1,15})?")
_PAIR = re.compile(r"\(?\s*([+-]?[0-9.]{1,20})\s*[,;\s]\s*([+-]?[0-9.]{1,20})\s*\)?")


def variables(value: Any) -> Mapping[str, Any]:
    """Read `Variables`: an object, or a text that spells one in JSON."""
    spelt = value
    for _ in range(2):  # PHP that encodes twice gives a text in a text
        if not isinstance(spelt, str):
            break
        if not spelt.strip():
            raise Missing("missing")
        try:
            spelt = shape.bounded(json.loads(spelt))
        except (ValueError, RecursionError, DecodeError):
            raise WrongValue("expected JSON, got a text") from None
    spelt = shape.whole_characters(spelt)
    if isinstance(spelt, Mapping):
        return spelt
    if spelt is None or spelt == []:
        raise WrongValue("expected an object, got an empty list", instead={})
    if isinstance(spelt, list) and len(spelt) == 1 and isinstance(spelt[0], Mapping):
        raise WrongValue("expected an object, got a list of one", instead=spelt[0])
    raise WrongValue(f"expected an object, got {kind(spelt)}")


def location_of(variables: Mapping[str, Any]) -> Location | None:
    """Return the position that the variables name; None when there is none, or none that can be read."""
    place = _named(variables, names.PLACE)
    pairs = [
        (_named(one, names.LATITUDE), _named(one, names.LONGITUDE))
        for one in (variables, place)
        if isinstance(one, Mapping)
    ]
    if isinstance(place, str) and (pair := _PAIR.fullmatch(place.strip())):
        pairs.append((pair[1], pair[2]))
    for latitude, longitude in pairs:
        north, east = _degrees(latitude), _degrees(longitude)
        if north is not None and east is not None and abs(north) <= 90 and abs(east) <= 180:
            return Location(north, east)
    return None


def _named(values: Mapping[Any, Any], wanted: tuple[str, ...]) -> Any:
    folded = {str(name).strip().casefold(): value for name, value in values.items()}
    return next((folded[name] for name in wanted if name in folded), None)


def _degrees(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value.strip().replace(",", ".")) if _DEGREES.fullmatch(value.strip()) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 180 else None
