"""A double of the Mensatek API over real HTTP: build and test without an account, a phone or a credit."""

try:
    from .account.records import Call, Incoming, LibraryFile, Text
    from .api.faults import ERROR_KINDS, Fault
    from .api.operations import OPERATIONS
    from .api.replies import REPLY_STYLES
    from .callbacks.callbacks import Callbacks, Recorder
    from .callbacks.poster import Post
    from .clock import Clock
    from .sandbox import Sandbox
except ModuleNotFoundError as _missing:
    if (_missing.name or "").partition(".")[0] not in ("starlette", "uvicorn", "h11"):
        raise
    raise ImportError("The sandbox needs more packages: pip install 'mensatek-async[sandbox]'") from _missing

__all__ = [
    "ERROR_KINDS",
    "OPERATIONS",
    "REPLY_STYLES",
    "Call",
    "Callbacks",
    "Clock",
    "Fault",
    "Incoming",
    "LibraryFile",
    "Post",
    "Recorder",
    "Sandbox",
    "Text",
]
