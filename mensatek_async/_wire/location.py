"""Reads a contract's `Variables`, and the signer's position in them, whose form no manual tells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..models.events import Location
from . import names, shape
from .problems import DecodeError, Missing, WrongValue, kind

_NUMBER = r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?"
_COMMA_NUMBER = re.compile(r"[+-]?[0-9]{1,3},[0-9]{1,15}")
_PAIR = re.compile(rf"\s*\(?\s*({_NUMBER})\s*[,;\s]\s*({_NUMBER})\s*\)?\s*")


def variables(value: Any) -> Mapping[str, Any]:
    """Read `Variables`: an object, or a text that spells one in JSON.

    Raises:
        WrongValue: it is neither; `instead` is what PHP means by it: no variables for an empty list or null, the
            object in a list of one.
    """
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
    """The position that the variables name; None when there is none, or none that can be read."""
    folded = {name.strip().casefold(): value for name, value in variables.items() if isinstance(name, str)}
    found = _location(_first(folded, names.LATITUDE), _first(folded, names.LONGITUDE))
    if found is not None:
        return found
    place = _first(folded, names.PLACE)
    if isinstance(place, Mapping):
        inner = {name.strip().casefold(): value for name, value in place.items() if isinstance(name, str)}
        return _location(_first(inner, names.LATITUDE), _first(inner, names.LONGITUDE))
    pair = _PAIR.fullmatch(place) if isinstance(place, str) else None
    return _location(pair[1], pair[2]) if pair else None


def _first(folded: Mapping[str, Any], wanted: tuple[str, ...]) -> Any:
    return next((folded[name] for name in wanted if name in folded), None)


def _location(latitude: Any, longitude: Any) -> Location | None:
    north, east = _degrees(latitude), _degrees(longitude)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:
        return None
    return Location(north, east)


def _degrees(value: Any) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        text = text.replace(",", ".") if _COMMA_NUMBER.fullmatch(text) else text
        return float(text) if re.fullmatch(_NUMBER, text) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 180 else None
