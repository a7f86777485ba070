"""A double of the Mensatek API over real HTTP: build and test without an account, a phone or a credit."""

from .callbacks import Callbacks
from .clock import Clock
from .faults import ERROR_KINDS, Fault
from .operations import OPERATIONS
from .posting import Post
from .recorder import Recorder
from .records import Call, Incoming, LibraryFile, Text
from .replies import REPLY_STYLES

try:
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
