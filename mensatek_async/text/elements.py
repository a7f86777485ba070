"""Builders of message elements: files, images, links, landings, codes and tickets inside a text."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, urlsplit

from ..errors import InvalidFile, InvalidRequest
from .syntax import has_elements, has_parenthesis

__all__ = [
    "datamatrix",
    "file",
    "has_elements",
    "image",
    "landing",
    "link",
    "pdf",
    "pdf417",
    "qrcode",
    "ticket",
]

MAX_PDF = 10 * 1024 * 1024
_HTTPS = 2
_URL_SAFE = "%/:?#[]@!$&'*+,;=~-._"
_template_field = re.compile(r"(\{[^{}]*\})")
_identifier = re.compile(r"[A-Za-z0-9_-]+")


def file(name: str) -> str:
    """Return the element that attaches a file of the library: "(FILE:2:contrato.pdf)".

    Args:
        name: its name in the library.

    Raises:
        InvalidFile: the name is empty, or holds a path or a character that would end the element.
    """
    return _element("FILE", _file_name(name))


def image(name: str) -> str:
    """Return the element that shows an image of the library: "(IMG:2:foto.jpg)".

    Args:
        name: its name in the library.

    Raises:
        InvalidFile: the name is empty, or holds a path or a character that would end the element.
    """
    return _element("IMG", _file_name(name))


def link(url: str) -> str:
    """Return the element of a link that the provider shortens: "(LINK:2:https://example.com)".

    Args:
        url: an http or https address. Parentheses, spaces and characters beyond ASCII are percent-encoded;
            fields in braces stay, so that a `Template` can fill them in.

    Raises:
        InvalidRequest: it is not an http or https address.
    """
    if not isinstance(url, str):
        raise InvalidRequest(f"A link is a str, not {type(url).__name__}.")
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        network = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode("ascii")
    except ValueError:
        raise InvalidRequest("The link is not a web address.") from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s()\\<>\"]", network):
        raise InvalidRequest("The link is not an http or https address.")
    if not url.isprintable():
        raise InvalidRequest("The link holds control or invisible characters.")
    rest = _template_field.split(parts._replace(scheme="", netloc="").geturl())
    # Every second piece is a template's field.
    rest[::2] = [quote(piece, safe=_URL_SAFE) for piece in rest[::2]]
    return _element("LINK", f"{parts.scheme}://{network}{''.join(rest)}")


def landing(landing_id: str | int) -> str:
    """Return the element of a landing page made in the panel: "(SMSLAND:2:id)".

    Args:
        landing_id: its id there.

    Raises:
        InvalidRequest: the id is not letters, digits, `_` and `-`.
    """
    text = str(landing_id)
    if isinstance(landing_id, bool) or not _identifier.fullmatch(text):
        raise InvalidRequest("A landing's id is letters, digits, _ and -.")
    return _element("SMSLAND", text)


def pdf(content: bytes, *, max_size: int = MAX_PDF) -> str:
    """Return the element of a PDF carried in the message itself, for certified and contract texts: "(BASE64:2:...)".

    Args:
        content: the PDF's bytes.
        max_size: the largest taken, in bytes.

    Raises:
        InvalidFile: the content is empty, too large, or not a PDF.
    """
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise InvalidFile(f"A PDF is given as bytes, not {type(content).__name__}.")
    data = bytes(content)
    if not data:
        raise InvalidFile("The PDF is empty.")
    if len(data) > max_size:
        raise InvalidFile(f"The PDF has {len(data)} bytes; {max_size} are taken at most.")
    if not data.startswith(b"%PDF-"):
        raise InvalidFile("The content is not a PDF: it does not begin with %PDF-.")
    return _element("BASE64", base64.b64encode(data).decode("ascii"))


def qrcode(text: str) -> str:
    """Return a QR code that shows `text`: "(QRCODE:text)".

    Raises:
        InvalidRequest: the text is empty or holds a parenthesis, which would end the element.
    """
    return _code("QRCODE", text)


def datamatrix(text: str) -> str:
    """Return a Data Matrix code that shows `text`: "(DATAMATRIX:text)".

    Raises:
        InvalidRequest: the text is empty or holds a parenthesis, which would end the element.
    """
    return _code("DATAMATRIX", text)


def pdf417(text: str) -> str:
    """Return a PDF417 code that shows `text`: "(PDF417:text)".

    Raises:
        InvalidRequest: the text is empty or holds a parenthesis, which would end the element.
    """
    return _code("PDF417", text)


def ticket(uses: int) -> str:
    """Return a ticket that can be used `uses` times (1 or more): "(TICKET:3)".

    Raises:
        InvalidRequest: `uses` is not a whole number of 1 or more.
    """
    if isinstance(uses, bool) or not isinstance(uses, int) or uses < 1:
        raise InvalidRequest("A ticket's uses are a whole number, 1 or more.")
    return f"(TICKET:{uses})"


def _element(kind: str, content: str) -> str:
    return f"({kind}:{_HTTPS}:{content})"


def _code(kind: str, text: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InvalidRequest("A code needs a text to show.")
    if has_parenthesis(text):
        raise InvalidRequest("A code's text may hold no parenthesis: it would end the element.")
    return f"({kind}:{text})"


def _file_name(name: str) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InvalidFile("The file has no name.")
    if has_parenthesis(name) or re.search(r"[/\\:*?\"<>|]", name) or not name.isprintable():
        raise InvalidFile("A file's name may hold no parenthesis, colon, slash or control character.")
    return name.strip()
