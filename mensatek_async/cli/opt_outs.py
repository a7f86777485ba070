"""`mensatek opt-outs`: who must not be texted, in the store that campaigns send from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated

from attrs import asdict
from cyclopts import App, Parameter

from ..models.opt_outs import LoadedOptOuts
from ..sources.text_files import shown
from ..sync.generated._opt_outs import SyncOptOuts
from .campaign.view import check_store, place, rows_as_json, say_rows
from .options import ONE_STORE, Flag, Name, StoreOptions
from .output import Exit, Output, Stop, plural

opt_outs = App(name="opt-outs", help_format="plaintext")

Reason = Annotated[str, Parameter(help="Why, in a few words.")]


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
    _say(output, options.store, f"{plural(new, 'phone')} opted out", len(phones) - new)
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
    output.say(f"{removed:,} of {plural(len(phones), 'phone')} removed.")
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
        why = "  ".join(shown(part, 100) for part in (one.reason, one.source) if part)
        output.say(f"{one.phone}  {one.added_at.astimezone():%Y-%m-%d %H:%M:%S}  {why}".rstrip())
    output.say(f"{plural(count, 'phone')} opted out in {shown(place(options.store), 300)}.")
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
        raise Stop(f"There is no phone in {shown(file, 300)}: nobody was opted out.")
    what = f"{plural(loaded.added, 'phone')} of {shown(file, 300)}"
    if dry_run:
        output.say(f"{what} would be opted out.")
    else:
        _say(output, store, f"{what} opted out", loaded.known)
    say_rows(output, "Rows without a phone", loaded.invalid, len(loaded.invalid))
    return loaded


def _some(phones: tuple[str, ...], order: str, store: str) -> str:
    if not phones:
        raise Stop(f"Say whom: mensatek opt-outs {order} 600000000")
    return store


def _say(output: Output, store: str, what: str, known: int) -> None:
    more = f", {known:,} known already" if known else ""
    output.say(f"{what}{more}, in {shown(place(store), 300)}.")
