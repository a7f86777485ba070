"""Tools for the tests of programs that send texts: a pytest plugin, and the payloads of callbacks.

The plugin needs no import: pytest loads it where this package is installed. Its fixtures are `mensatek_sandbox`,
`sent_messages`, `deliver`, `reply`, `post_callback` and `mensatek_webhook`. The names here are for annotations, and for
tests without pytest; they are loaded at first use, so that a test run without them pays nothing.
"""

# As in the package itself.
_STUB = __loader__.get_data(f"{__file__.rpartition('.')[0]}.pyi").decode()
_HOME_OF = {line.split()[3]: line.split()[1] for line in _STUB.splitlines()}  # from HOME import NAME as NAME

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name], __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
