"""`mensatek opt-outs`: who must not be texted, in the store that campaigns send from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

from attrs import asdict
from cyclopts import App, Parameter

from .._wire.scalars import madrid
from ..models.opt_outs import LoadedOptOuts
from ..sources.text_files import shown
from ..sync.generated._opt_outs import SyncOptOuts
from .campaign.view import check_store, place, rows_as_json, say_rows
from .language import _, later
from .options import Force, Limit, Name, StoreOptions
from .output import Exit, Output, Stop, plural

opt_outs = App(name="opt-outs", help_format="plaintext")

Reason = Annotated[str, Parameter(help="Why, in a few words.")]
_OURS = later("command", "reply")  # reasons and sources that no user wrote


@contextmanager
def opt_outs_of(store: str) -> Iterator[SyncOptOuts]:
    """Give the opt-outs of a store."""
    with closing(SyncOptOuts(check_store(store))) as opened:
        yield opened


@opt_outs.command
def add(*phones: str, reason: Reason = "", options: StoreOptions = StoreOptions()) -> None:
    """Opt out one phone or several: campaigns of this store text them no more.

    Args:
        phones: Phones, such as 600000000 or +34600000000.
    """
    output = Output(json=options.json)
    with opt_outs_of(_some(phones, "add", options.store)) as opened:
        new = sum([opened.add(phone, reason, "command") for phone in phones])
    _say(output, options.store, _("{} opted out", plural(new, "phone")), len(phones) - new)
    output.answer({"added": new, "known": len(phones) - new})


@opt_outs.command
def remove(*phones: str, options: StoreOptions = StoreOptions()) -> Exit:
    """Let one phone or several be texted again.

    Args:
        phones: Phones, such as 600000000 or +34600000000.
    """
    output = Output(json=options.json)
    with opt_outs_of(_some(phones, "remove", options.store)) as opened:
        removed = sum([opened.remove(phone) for phone in phones])
    output.say("{:,} of {} removed.", removed, plural(len(phones), "phone"))
    output.answer({"removed": removed, "unknown": len(phones) - removed})
    return Exit.DONE if removed == len(phones) else Exit.SOME_NOT_SENT


@opt_outs.command
def load(file: Name, /, *, reason: Reason = "", options: StoreOptions = StoreOptions()) -> Exit:
    """Opt out everybody in a file: CSV, Excel (.xlsx), JSON Lines, or one phone a line.

    Args:
        file: The file. One of its first rows may name the columns.
    """
    output = Output(json=options.json)
    loaded = load_into(options.store, file, output, reason)
    code = Exit.SOME_NOT_SENT if loaded.invalid else Exit.DONE
    problems = rows_as_json({"invalid": loaded.invalid})
    output.answer(
        {"added": loaded.added, "known": loaded.known, "problems": problems, "exit_code": int(code)}
    )
    return code


@opt_outs.command
def export(file: Name, /, *, force: Force = False, options: StoreOptions = StoreOptions()) -> None:
    """Write all of them as CSV, which `load` reads.

    Args:
        file: The file to write; an earlier export is overwritten.
    """
    output = Output(json=options.json)
    with opt_outs_of(options.store) as opened:
        written = opened.export(file, force=force)
    output.say(f"{plural(written, 'phone')}: {shown(file, 300)}")
    output.answer({"phones": written, "path": file})


@opt_outs.command(name="list")
def list_command(*, limit: Limit = 100, options: StoreOptions = StoreOptions()) -> None:
    """List the newest ones, and say how many there are."""
    output = Output(json=options.json)
    with opt_outs_of(options.store) as opened:
        listed, count = opened.list(max(limit, 0)), opened.count()
    for one in listed:
        given = (_(part) if part in _OURS else shown(part, 100) for part in (one.reason, one.source) if part)
        when = f"{one.added_at.astimezone(madrid()):%Y-%m-%d %H:%M:%S}"
        output.say("  ".join((one.phone, when, *given)))
    output.say("{} opted out in {}.", plural(count, "phone"), shown(place(options.store), 300))
    output.answer({"count": count, "opt_outs": [asdict(one) for one in listed]})


def load_into(
    store: str, file: str, output: Output, reason: str = "", *, dry_run: bool = False
) -> LoadedOptOuts:
    """Add a file's phones to the opt-outs of a store, a temporary one in a dry run, and print how many they are."""
    with opt_outs_of(store) as opened:
        loaded = opened.load(file, reason=reason)
    if not loaded.added + loaded.known:
        raise Stop("There is no phone in {}: nobody was opted out.", shown(file, 300))
    what = _("{} of {}", plural(loaded.added, "phone"), shown(file, 300))
    if dry_run:
        output.say("{} would be opted out.", what)
    else:
        _say(output, store, _("{} opted out", what), loaded.known)
    say_rows(output, _("Rows without a phone"), loaded.invalid, len(loaded.invalid))
    return loaded


def _some(phones: tuple[str, ...], order: str, store: str) -> str:
    if not phones:
        raise Stop("Say whom: mensatek opt-outs {} 600000000", order)
    return store


def _say(output: Output, store: str, what: str, known: int) -> None:
    more = _(", {:,} known already", known) if known else ""
    output.say("{}{}, in {}.", what, more, shown(place(store), 300))
