"""One answer read: a decoded reply, or the exception or failure it means."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mensatek_async import (
    APIError,
    AuthenticationError,
    BadParameters,
    FileNotFound,
    InsufficientCredits,
    NotYours,
    UploadFailed,
)
from mensatek_async._core.failures import Blocked, Cut, Failure, ToldToWait, Unreadable
from mensatek_async._core.operations import OPERATIONS
from mensatek_async._core.reading import Answer, read_answer
from mensatek_async._core.transport import Reply

HTML = b"<!DOCTYPE html><html><body>Oops</body></html>"
JSON, PAGE = "application/json", "text/html; charset=utf-8"


def read(
    body: bytes | str,
    operation: str = "EnviarSMS",
    status: int = 200,
    content_type: str = JSON,
    retry_after: float | None = None,
    credits: list[Decimal] | None = None,
) -> Answer:
    """Read one answer to one operation; `credits` collects what it says of them."""
    data = body.encode() if isinstance(body, str) else body
    told = [] if credits is None else credits
    return read_answer(OPERATIONS[operation], Reply(status, content_type, data, retry_after), told.append)


@pytest.mark.parametrize(
    ("operation", "code", "error"),
    [
        ("EnviarSMS", -1, AuthenticationError),
        ("EnviarSMS", -2, InsufficientCredits),
        ("EnviarSMS", -3, BadParameters),
        ("GetReportSMS", -2, NotYours),
        ("CargarFichero", -17, UploadFailed),
        ("BorrarFichero", -2, FileNotFound),
        ("EnviarSMS", -987, APIError),
    ],
)
def test_a_negative_result_is_the_error_of_that_operation(
    operation: str, code: int, error: type[APIError]
) -> None:
    """The class comes from the operation's own table; a code nobody listed is a plain APIError."""
    with pytest.raises(error) as caught:
        read(f'[{{"Res": "{code}", "Error": "palabras suyas"}}]', operation)

    assert type(caught.value) is error
    assert (caught.value.operation, caught.value.code, caught.value.detail) == (
        operation,
        code,
        "palabras suyas",
    )


def test_a_refusal_without_words_or_credits() -> None:
    """The meaning of its code; what is needed and left, in the older name and Spanish notation too."""
    with pytest.raises(BadParameters, match="mandatory parameter is missing"):
        read('{"Res": -3}')
    with pytest.raises(InsufficientCredits) as caught:
        read('{"Res": -2, "Cred": "1.234,50", "CredNecesarios": "2000,00"}')

    assert (caught.value.needed, caught.value.left) == (Decimal(2000), Decimal("1234.50"))


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ('[{"Res": 1, "Cred": "1.234,50"}]', 200, [Decimal("1234.50")]),
        ('{"Res": -3, "CRED": 7}', 200, [Decimal(7)]),
        ('{"Res": -3, "Saldo": 7}', 400, [Decimal(7)]),
        ('{"Res": 1}', 200, []),
        ('{"Res": 1, "Cred": "muchos"}', 200, []),
        (HTML, 200, []),
    ],
)
def test_every_answer_tells_the_credits_it_names(body: str | bytes, status: int, told: list[Decimal]) -> None:
    """Also a refusal, since `last_credits` is what the newest reply of any kind said."""
    credits: list[Decimal] = []
    try:
        read(body, "CancelarSMS", status=status, credits=credits)
    except (Failure, APIError):
        pass

    assert credits == told


@pytest.mark.parametrize("operation", ["CargarFichero", "BorrarFichero"])
def test_nothing_done_is_a_refusal_where_one_thing_is_asked(operation: str) -> None:
    """`Res` 0 of an upload or a deletion is no success; of a send it is a result like others."""
    with pytest.raises(APIError) as caught:
        read('{"Res": 0}', operation)

    assert caught.value.code == 0
    assert read('{"Res": 0}', "EnviarSMS").reply == {"res": 0}


# --- the HTTP status ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "bodies", "expected", "words"),
    [
        (401, [b"", HTML, b'{"Res": -1}'], AuthenticationError, "HTTP 401"),
        *((status, [HTML, b'{"Res": -3}'], Cut, str(status)) for status in (500, 502, 503, 504, 599, 408)),
        (403, [HTML, b"", b'{"Res": 1}', b"Forbidden"], Blocked, ""),
        (403, [b'{"Res": -2}'], InsufficientCredits, ""),
        (403, [b"-1"], AuthenticationError, ""),
        *(
            (status, [HTML], BadParameters, f"HTTP {status}; is base_url right")
            for status in (301, 302, 307, 308, 400, 404, 405, 413)
        ),
        (400, [b'{"Res": -2}'], InsufficientCredits, ""),
        (404, [b'{"Res": 1}'], Unreadable, "HTTP 404"),
    ],
)
def test_what_a_status_means(status: int, bodies: list[bytes], expected: type[Exception], words: str) -> None:
    """Credentials, a failing server, a block and a missing page by the status; a result that refuses says more."""
    for body in bodies:
        with pytest.raises(expected, match=words or None) as caught:
            read(body, status=status, content_type=PAGE, retry_after=9.0 if status == 403 else None)
        assert getattr(caught.value, "sent", False) is False
        assert status != 401 or getattr(caught.value, "code", 0) is None
        assert expected is not Blocked or getattr(caught.value, "wait", 0) == 9.0


@pytest.mark.parametrize(("status", "wait"), [(429, None), (429, 7.0), (503, 3.0)])
def test_being_told_to_wait(status: int, wait: float | None) -> None:
    """429, and 503 with a time, mean "not taken up"; the time is passed on."""
    with pytest.raises(ToldToWait) as caught:
        read(HTML, status=status, content_type=PAGE, retry_after=wait)

    assert caught.value.wait == wait


def test_other_statuses() -> None:
    """The body has the word; a missing page of a path that was never seen in live use names the remedy."""
    for status in (201, 202, 206):
        assert read('{"Res": 3}', status=status).reply == {"res": 3}
    with pytest.raises(BadParameters, match="paths= replaces it"):
        read(HTML, "CancelarSMSCERTIFICADO", status=404, content_type=PAGE)


# --- what nobody can read ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", HTML, b"[", b'[{"Cred": 5}]', b'{"Res": "abc"}', b"\xff\xfe\x00", b"null", b"[1, 2]", b"true"],
)
def test_an_answer_that_nobody_can_read_says_why(body: bytes) -> None:
    """Never the value, always a reason."""
    with pytest.raises(Unreadable) as caught:
        read(body)

    assert caught.value.problems
    assert all(caught.value.problems)
    assert "abc" not in caught.value.reason


# --- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/pdf", "Application/ZIP", "application/octet-stream; name=x"])
def test_a_file_is_taken_as_it_is(kind: str) -> None:
    """A certificate is not decoded, whatever it holds."""
    answer = read(b"-1", "GetSMSCERTIFICADO", content_type=kind)

    assert (answer.reply, answer.raw.body) == ({}, b"-1")


@pytest.mark.parametrize(
    ("body", "operation", "status", "error"),
    [
        ('{"Res": -4}', "GetSMSCERTIFICADO", 200, APIError),
        (b"%PDF", "GetSMSCERTIFICADO", 404, BadParameters),
        (b"%PDF-1.4", "EnviarSMS", 200, Unreadable),
    ],
)
def test_no_file(body: str | bytes, operation: str, status: int, error: type[Exception]) -> None:
    """A certificate that is not there is a refusal; a file where none can come is unreadable."""
    with pytest.raises(error):
        read(body, operation, status=status, content_type="application/pdf" if body[:1] == b"%" else JSON)
