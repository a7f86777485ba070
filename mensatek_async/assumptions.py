"""What a client assumes of the provider that its account may need otherwise; `mensatek doctor` finds out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from .errors import ConfigurationError
from .settings import variable

RequestFormat = Literal["json", "form"]

_FORMATS: Mapping[str, RequestFormat] = {"json": "json", "form": "form"}
_YES, _NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


@frozen(kw_only=True)
class Assumptions:
    """The settings of a client that say how the provider behaves."""

    request_format: RequestFormat  # how parameters travel
    # whether sends that do not say ask for delivery reports; None leaves it to the account
    report: bool | None
    # whether a message keeps a second text from a phone, so that what joins it can be repeated
    assume_grouping: bool
    paths: Mapping[str, str]  # other paths of operations, by name


def load_assumptions(
    request_format: RequestFormat | None,
    report: bool | None,
    assume_grouping: bool | None,
    paths: Mapping[str, str] | None,
) -> Assumptions:
    """Fill what is None from the environment, else with what the manuals say."""
    asked = request_format or variable("MENSATEK_REQUEST_FORMAT") or "json"
    form = _FORMATS.get(asked) if isinstance(asked, str) else None
    if form is None:
        raise ConfigurationError(f"request_format is 'json' or 'form', not {asked!r}.")
    report = _flag("report", report, "MENSATEK_REPORT")
    grouping = _flag("assume_grouping", assume_grouping, "MENSATEK_ASSUME_GROUPING")
    return Assumptions(
        request_format=form,
        report=report,
        assume_grouping=grouping is not False,
        paths=_named(variable("MENSATEK_PATHS") or "") if paths is None else paths,
    )


def _flag(name: str, given: object, name_there: str) -> bool | None:
    if given is None:
        written = (variable(name_there) or "").strip().casefold()
        if written not in ("", *_YES, *_NO):
            raise ConfigurationError(f"{name_there} is 1 or 0, not {written!r}.")
        return None if not written else written in _YES
    if not isinstance(given, bool):
        raise ConfigurationError(f"{name} is True, False or None, not {type(given).__name__}.")
    return given


def _named(written: str) -> dict[str, str]:
    """Read "NAME=PATH,NAME=PATH"."""
    pairs = [part.partition("=") for part in written.split(",") if part.strip()]
    if not all(path.strip() for _, _, path in pairs):
        raise ConfigurationError("MENSATEK_PATHS is written NAME=PATH,NAME=PATH.")
    return {name.strip(): path.strip() for name, _, path in pairs}
