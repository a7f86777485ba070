"""Reads a table of codes: JSON beside this file, structured by cattrs when it is first needed."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, TypeVar

from .. import errors
from ..errors import APIError

Row = TypeVar("Row")


def _error_named(name: Any, _: Any) -> type[APIError]:
    error: type[APIError] = getattr(errors, name)
    return error


def load(file: str, row: type[Row]) -> tuple[Row, ...]:
    """Return the rows of a file in this package, as an attrs class; a key it does not know is an error."""
    import cattrs  # here: importing it costs more than most programs ever need of these tables

    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(lambda cls: cls == type[APIError], _error_named)
    table = json.loads(resources.files("mensatek_async.codes").joinpath(file).read_text(encoding="utf-8"))
    return tuple(converter.structure(entry, row) for entry in table)
