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
from .options import ONE_STORE, Flag, Name, StoreOptions
from .output import Exit, Output, Stop, plural

opt_outs = App(name="opt-outs", help_format="plaintext")

Reason = Annotated[str, Parameter(help="Why, in a few words.")]
_OURS = later("command", "reply")  # reasons and sources that no user wrote


@contextmanager
def opt_outs_of(store: str) -> Iterator[SyncOptOuts]:
    """Give the opt-outs of a store.

    Raises:
        Stop: the store is a directory.
    """
    check_store(store)
    with closing(SyncOptOuts(store)) as opened:
        yield opened


@opt_outs.command
def add(*phones: str, reason: Reason = "", options: StoreOptions = ONE_STORE) -> None:
    """Opt out one phone or several: campaigns of this store text them no more.

    Parameters
    ----------
    phones:
        Phones, such as 600000000 or +34600000000.
    """
    output = Output(json=options.json)
    with opt_outs_of(_some(phones, "add", options.store)) as opened:
        new = sum([opened.add(phone, reason, "command") for phone in phones])
    _say(output, options.store, _("{} opted out", plural(new, "phone")), len(phones) - new)
    output.answer({"added": new, "known": len(phones) - new})


@opt_outs.command
def remove(*phones: str, options: StoreOptions = ONE_STORE) -> Exit:
    """Let one phone or several be texted again.

    Parameters
    ----------
    phones:
        Phones, such as 600000000 or +34600000000.
    """
    output = Output(json=options.json)
    with opt_outs_of(_some(phones, "remove", options.store)) as opened:
        removed = sum([opened.remove(phone) for phone in phones])
    output.say(_("{:,} of {} removed.", removed, plural(len(phones), "phone")))
    output.answer({"removed": removed, "unknown": len(phones) - removed})
    return Exit.DONE if removed == len(phones) else Exit.SOME_NOT_SENT


@opt_outs.command
def load(file: Name, /, *, reason: Reason = "", options: StoreOptions = ONE_STORE) -> Exit:
    """Opt out everybody in a file: CSV, Excel (.xlsx), JSON Lines, or one phone a line.

    Parameters
    ----------
    file:
        The file. One of its first rows may name the columns.
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
def export(
    file: Name,
    /,
    *,
    force: Annotated[Flag, Parameter(help="Overwrite a file that is no export.")] = False,
    options: StoreOptions = ONE_STORE,
) -> None:
    """Write all of them as CSV, which `load` reads.

    Parameters
    ----------
    file:
        The file to write; an earlier export is overwritten.
    """
    output = Output(json=options.json)
    with opt_outs_of(options.store) as opened:
        written = opened.export(file, force=force)
    output.say(f"{plural(written, 'phone')}: {shown(file, 300)}")
    output.answer({"phones": written, "path": file})


@opt_outs.command(name="list")
def list_command(
    *,
    limit: Annotated[int, Parameter(help="How many at most.")] = 100,
    options: StoreOptions = ONE_STORE,
) -> None:
    """List the newest ones, and say how many there are."""
    output = Output(json=options.json)
    with opt_outs_of(options.store) as opened:
        listed, count = opened.list(max(limit, 0)), opened.count()
    for one in listed:
        given = (_(part) if part in _OURS else shown(part, 100) for part in (one.reason, one.source) if part)
        when = f"{one.added_at.astimezone(madrid()):%Y-%m-%d %H:%M:%S}"
        output.say("  ".join((one.phone, when, *given)))
    output.say(_("{} opted out in {}.", plural(count, "phone"), shown(place(options.store), 300)))
    output.answer({"count": count, "opt_outs": [asdict(one) for one in listed]})


def load_into(
    store: str, file: str, output: Output, reason: str = "", *, dry_run: bool = False
) -> LoadedOptOuts:
    """Add a file's phones to the opt-outs of a store, and print how many they are; in a dry run it is a temporary one.

    Raises:
        InvalidFile: the file cannot be read.
        Stop: it holds no phone at all.
    """
    with opt_outs_of(store) as opened:
        loaded = opened.load(file, reason=reason)
    if not loaded.added + loaded.known:
        raise Stop(_("There is no phone in {}: nobody was opted out.", shown(file, 300)))
    what = _("{} of {}", plural(loaded.added, "phone"), shown(file, 300))
    if dry_run:
        output.say(_("{} would be opted out.", what))
    else:
        _say(output, store, _("{} opted out", what), loaded.known)
    say_rows(output, _("Rows without a phone"), loaded.invalid, len(loaded.invalid))
    return loaded


def _some(phones: tuple[str, ...], order: str, store: str) -> str:
    if not phones:
        raise Stop(_("Say whom: mensatek opt-outs {} 600000000", order))
    return store


def _say(output: Output, store: str, what: str, known: int) -> None:
    more = _(", {:,} known already", known) if known else ""
    output.say(_("{}{}, in {}.", what, more, shown(place(store), 300)))
