"""Every public signature and field, as in tests/public_api.json, which `python -m tests.public_api` writes anew."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import attrs

from tests.markdown import ROOT

SNAPSHOT = ROOT / "tests/public_api.json"
# Those that users import from.
MODULES = (
    "mensatek_async",
    *(
        f"mensatek_async.{name}"
        for name in ("text", "text.elements", "webhooks", "testing", "sandbox", "otel")
    ),
)


def current() -> dict[str, str]:
    """What the package promises, by dotted name; a name given out twice stands where it is first."""
    found: dict[str, str] = {}
    seen: set[int] = set()
    for module in map(importlib.import_module, MODULES):
        for name in sorted(module.__all__):
            value = getattr(module, name)
            if not isinstance(value, ModuleType) and name != "__version__" and id(value) not in seen:
                seen.add(id(value))
                found |= _entry(f"{module.__name__}.{name}", value)
    return found


def _entry(name: str, value: Any) -> dict[str, str]:
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        return {name: f"class({bases})", **{f"{name}.{key}": told for key, told in _members(value)}}
    if inspect.isroutine(value):
        return {name: _function(value)}
    return {name: ", ".join(sorted(value)) if isinstance(value, dict) else repr(value)}


def _members(cls: type) -> Iterator[tuple[str, str]]:
    fields = {one.name: one for one in attrs.fields(cls)} if attrs.has(cls) else {}
    for name, one in fields.items():
        if not name.startswith("_"):
            alias = f" as {one.alias}" if one.init and one.alias != name else ""
            default = "" if one.default is attrs.NOTHING else f" = {_default(one.default)}"
            said = "" if not one.init else ", by keyword" if one.kw_only else ", in order"
            yield name, f"field{alias}: {_annotation(cls, name)}{default}{said}"
    for name, value in sorted(vars(cls).items()):
        if name == "__init__" and not fields:
            yield name, _function(value)
        elif name.startswith("_") or name in fields:
            continue
        elif isinstance(value, property):
            yield (
                name,
                f"property -> {inspect.signature(value.fget).return_annotation}"
                if value.fget
                else "property",
            )
        elif isinstance(value, classmethod | staticmethod):
            yield name, f"{type(value).__name__} {_function(value.__func__)}"
        elif inspect.isroutine(value):
            yield name, _function(value)
        elif not inspect.ismemberdescriptor(value):
            yield name, repr(getattr(value, "value", value))


def _annotation(cls: type, name: str) -> Any:
    # As it is written: `attrs.Attribute.type` is what it stands for, once a converter has met the class.
    return next(told[name] for base in cls.__mro__ if name in (told := inspect.get_annotations(base)))


def _function(value: Any) -> str:
    kind = "async def" if inspect.iscoroutinefunction(value) else "def"
    signature = inspect.signature(value)
    parameters = [
        one.replace(
            default=one.empty if one.default is one.empty else _Shown(_default(one.default)),
            annotation=_Shown(one.annotation) if isinstance(one.annotation, str) else one.annotation,
        )
        for one in signature.parameters.values()
    ]
    return f"{kind} {signature.replace(parameters=parameters)}"


class _Shown(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _default(value: Any) -> str:
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        return f"{value.factory.__qualname__}()"
    told = repr(value)
    return "..." if " at 0x" in told else told


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(current(), indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
