"""Async and typed SDK for the Mensatek messaging API v7.

Public names stand in `__init__.pyi`, once each; they are loaded at first use, so that importing the package costs next
to nothing.
"""

# Read through the loader, so that it works from an archive too.
_STUB = __loader__.get_data(f"{__file__.rpartition('.')[0]}.pyi").decode()
_LINES = (line.split() for line in _STUB.splitlines() if line.startswith("from "))
_HOME_OF = {name: home for _, home, _, name, *_ in _LINES}  # from HOME import NAME as NAME

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> object:
    from importlib import import_module

    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = (
        import_module(f".{name}", __name__) if home == "." else getattr(import_module(home, __name__), name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
