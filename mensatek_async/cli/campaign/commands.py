"""`mensatek campaign`: run, resumed, looked at, and given orders while it runs elsewhere."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Literal

from cyclopts import App

from ..._wire.scalars import madrid
from ...campaigns.progress_stream import Pace
from ...models.campaign import Progress
from ...sources.text_files import shown
from ...sync.generated._campaigns import SyncCampaigns
from ..account import connect, parse_when
from ..language import _, reason, spoken
from ..options import (
    AccountOptions,
    At,
    Force,
    Metrics,
    Name,
    Number,
    StoreOptions,
    Watch,
    WorkOptions,
    Yes,
)
from ..output import Exit, Output, Stop, can_ask, plural
from .report import report
from .run import LOOK, Session, conclude, offline, run_to_the_end, say_when, start
from .view import as_json, exit_of, line, place, say_state, scheduled_for, viewing

_LONGEST = 36_500  # days

campaign = App(name="campaign", help_format="plaintext")
campaign.command(start)
campaign.command(report)


@campaign.command(name="run")
def run_command(name: Name, /, *, watch: Watch = False, options: WorkOptions = WorkOptions()) -> Exit:
    """Send what is left of a campaign whose rows have been read."""
    return _run(name, options, watch=watch)


@campaign.command
def resume(
    name: Name, /, *, run: bool = True, watch: Watch = False, options: WorkOptions = WorkOptions()
) -> Exit | None:
    """Let a paused campaign go on.

    Args:
        run: Send at once; without it, `run` and `work` do.
    """
    return _run(name, options, watch=watch, resume=True) if run else _change("resume", name, options)


def _run(name: str, options: WorkOptions, *, watch: bool, resume: bool = False) -> Exit:
    output = Output(json=options.json)
    _progress(name, options.store)  # a wrong name is said before anybody is asked for a token
    with connect(options.account) as connection, viewing(output, watch=watch) as view:
        session = Session(connection, options.store, output, options.concurrency)
        with session.campaigns() as campaigns:
            campaign = campaigns.get(name)
            if resume:
                campaign.resume()
            say_when(campaign.progress(), options.store, output)
            run_to_the_end(campaign, view)
    return conclude(session, name)


@campaign.command
def status(
    name: Name | None = None, /, *, watch: Watch = False, options: StoreOptions = StoreOptions()
) -> Exit | None:
    """Show how a campaign stands, or all of them. Only looks; needs no account."""
    if name is None:
        return list_command(options=options)
    output = Output(json=options.json)
    progress: Progress | None = None
    pace, interrupted = Pace(), False
    try:
        with viewing(output, watch=watch) as view, offline(options.store) as campaigns:
            campaign = campaigns.get(name)
            while progress is None or (watch and progress.state == "running"):
                time.sleep(0 if progress is None else LOOK)
                progress = pace.add(campaign.progress())
                view.show(progress)
    except KeyboardInterrupt:
        interrupted = True
        output.note("Stopped watching; the campaign goes on wherever it runs.")
    if progress is None:
        return Exit.INTERRUPTED
    say_state(output, progress, options.store)
    code = Exit.INTERRUPTED if interrupted else exit_of(progress)
    output.answer({**as_json(progress), "exit_code": int(code)})
    return code


@campaign.command(name="list")
def list_command(*, options: StoreOptions = StoreOptions()) -> None:
    """List the campaigns of a store. Only looks; needs no account."""
    output = Output(json=options.json)
    with offline(options.store) as campaigns:
        listed = campaigns.list()
    for one in listed:
        output.say(line(one) + ".")
    if not listed:
        output.say("There is no campaign in {}.", shown(place(options.store), 300))
    output.answer({"campaigns": [as_json(one) for one in listed]})


@campaign.command
def pause(name: Name, /, *, options: StoreOptions = StoreOptions()) -> None:
    """Stop a campaign wherever it runs; `resume` lets it go on."""
    _change("pause", name, options)


@campaign.command
def cancel(
    name: Name,
    /,
    *,
    yes: Yes = False,
    options: StoreOptions = StoreOptions(),
    account: AccountOptions = AccountOptions(),
) -> None:
    """Send nothing more of a campaign, ever; what the provider holds of a scheduled one is cancelled there."""
    output, store = Output(json=options.json), options.store
    if not yes:
        _confirm("Cancel {} for good?", shown(name, 60), output=output)
    before = _progress(name, store)
    if not (before.sent or before.pending) or not scheduled_for(before.scheduled_at):
        _change("cancel", name, options)
        return
    with connect(account) as connection:
        session = Session(connection, store, output)
        with session.campaigns() as campaigns:
            campaigns.get(name).cancel()
    if session.error is not None:
        output.say("Nothing more is sent, but the provider may still hold some texts: cancel it again.")
        raise session.error
    progress = _progress(name, store)
    output.say(line(progress) + ".")
    if progress.note:
        output.say(f"{reason(progress.note)}.")
    output.answer(as_json(progress))


@campaign.command
def reschedule(
    name: Name,
    /,
    *,
    start_at: str | None = None,
    at: At = None,
    options: StoreOptions = StoreOptions(),
    account: AccountOptions = AccountOptions(),
) -> None:
    """Move the date on which a campaign begins to send, or the one (--at) on which the provider delivers it.

    Args:
        start_at: When to begin, or to go on with what is left, written as --at; or now.
    """
    output, store = Output(json=options.json), options.store
    begins, when = parse_when(start_at, "--start-at"), parse_when(at)
    _progress(name, store)

    def move(campaigns: SyncCampaigns) -> Progress:
        return campaigns.get(name).reschedule(start_at=begins, scheduled_at=when)

    if when is None:
        with offline(store) as campaigns:
            progress = move(campaigns)
    else:
        with connect(account) as connection:
            progress = connection.do(lambda client: move(client.campaigns(store)))
    say_state(output, progress, store)
    output.answer(as_json(progress))


@campaign.command
def export(
    name: Name, file: Name, /, *, force: Force = False, options: StoreOptions = StoreOptions()
) -> None:
    """Write what became of every row.

    Args:
        file: The file to write: CSV, or JSON Lines when its name ends in .jsonl; an earlier export is overwritten.
    """
    output = Output(json=options.json)
    with offline(options.store) as campaigns:
        rows = campaigns.get(name).export(file, lang=spoken().code, force=force)
    output.say(f"{plural(rows, 'row')}: {shown(file, 300)}")
    output.answer({"rows": rows, "path": file})


@campaign.command
def unknown(name: Name, /, *, options: StoreOptions = StoreOptions()) -> Exit:
    """List who may have been texted: their request left and no answer came."""
    output = Output(json=options.json)
    with offline(options.store) as campaigns:
        listed = campaigns.get(name).unknown()
    for one in listed:
        when = f"{one.since.astimezone(madrid()):%Y-%m-%d %H:%M:%S}"
        output.say("row {}  {}  {}  {}", one.row, one.phone, when, shown(reason(one.reason), 200))
    if not listed:
        output.say("Nobody is unknown.")
    names = ("row", "phone", "since", "reference", "reason")
    output.answer({"unknown": [{name: getattr(one, name) for name in names} for one in listed]})
    return Exit.SOME_NOT_SENT if listed else Exit.DONE


@campaign.command
def resolve(
    name: Name,
    policy: Literal["keep", "assume_sent", "resend"],
    /,
    *,
    yes: Yes = False,
    options: StoreOptions = StoreOptions(),
) -> None:
    """Decide about unknown recipients.

    Args:
        policy: keep leaves them, assume_sent counts them as sent, resend texts them with the next run: some perhaps
            twice.
    """
    output = Output(json=options.json)
    if policy == "resend" and not yes:
        _confirm("Text them with the next run, some of them perhaps twice?", output=output)
    with offline(options.store) as campaigns:
        campaign = campaigns.get(name)
        count, progress = campaign.resolve(policy), campaign.progress()
    output.say("Decided about {}. {}.", plural(count, "recipient"), line(progress))
    output.answer({"resolved": count, **as_json(progress)})


@campaign.command
def reconcile(
    name: Name, /, *, options: StoreOptions = StoreOptions(), account: AccountOptions = AccountOptions()
) -> Exit:
    """Ask the provider once where every recipient stands."""
    output = Output(json=options.json)
    _progress(name, options.store)
    with connect(account) as connection:
        session = Session(connection, options.store, output)
        with session.campaigns() as campaigns:
            campaigns.get(name).reconcile()
    return conclude(session, name)


@campaign.command
def purge(
    name: Name | None = None,
    /,
    *,
    older_than: Number | None = None,
    options: StoreOptions = StoreOptions(),
) -> None:
    """Take phones and texts out of a campaign that has ended, or of all that ended before; counts stay.

    Args:
        older_than: Days since their end: all of those.
    """
    output = Output(json=options.json)
    if (name is None) == (older_than is None):
        raise Stop("Give the name of one campaign, or --older-than DAYS for all that ended before.")
    with offline(options.store) as campaigns:
        if name is not None:
            campaigns.get(name).purge()
        count = 1
        if older_than is not None:
            count = campaigns.purge(timedelta(days=min(older_than, _LONGEST)) + timedelta.resolution)
    output.say("Purged {}.", plural(count, "campaign"))
    output.answer({"purged": count})


@campaign.command
def forget(phone: Name, /, *, options: StoreOptions = StoreOptions()) -> None:
    """Take a phone out of every campaign and text of a store; what waits for it is not sent. An opt-out is kept."""
    output = Output(json=options.json)
    with offline(options.store) as campaigns:
        count = campaigns.forget(phone)
    where = _("Taken out of {}.", plural(count, "place"))
    output.say(where if count else _("It was in no campaign and no text."))
    output.answer({"forgotten": count})


@campaign.command
def work(
    *, budget: Number | None = None, metrics: Metrics = None, options: WorkOptions = WorkOptions()
) -> Exit:
    """Send for every campaign that runs in the store: on further machines, and from cron.

    Args:
        budget: Seconds after which to stop, as for cron; default: when all is sent.
    """
    output = Output(json=options.json)
    worked: list[Progress] = []
    with connect(options.account) as connection:
        session = Session(connection, options.store, output, options.concurrency, metrics=metrics)
        with session.campaigns() as campaigns:
            worked = campaigns.work(budget)
    if session.error is not None:
        raise session.error
    code = max((session.code(one) for one in worked), default=session.code(None))
    for one in worked:
        output.say(line(one) + ".")
    if not worked:
        output.say("Interrupted." if session.interrupted else "No campaign was running.")
    output.answer({"campaigns": [as_json(one) for one in worked], "exit_code": int(code)})
    return code


def _progress(name: str, store: str) -> Progress:
    with offline(store) as campaigns:
        return campaigns.get(name).progress()


def _change(order: Literal["pause", "resume", "cancel"], name: str, options: StoreOptions) -> Exit:
    """Pause, resume or cancel a campaign, wherever it runs."""
    output = Output(json=options.json)
    with offline(options.store) as campaigns:
        progress: Progress = getattr(campaigns.get(name), order)()
    output.say(line(progress) + ".")
    output.answer(as_json(progress))
    return Exit.DONE


def _confirm(question: str, *values: str, output: Output) -> None:
    if not can_ask():
        raise Stop("There is no terminal to ask on; add --yes.")
    output.confirm(question, *values)
