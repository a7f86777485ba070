"""`mensatek campaign`: how campaigns stand, work on all of them, and orders to those that run."""

from __future__ import annotations

from typing import Annotated, Literal

import anyio
from cyclopts import Parameter

from ..campaigns.campaigns import Campaigns
from ..campaigns.progress_stream import Pace
from ..models.campaign import Progress, UnknownRecipient
from ..sources.text_files import shown
from .account import connect, needs_answer
from .campaign import Concurrency, Name, Store, Watch, campaign, change_campaign
from .campaign_run import Session, ask, do, tell
from .campaign_view import View, advice, as_json, exit_of, line, place, scheduled_for, viewing
from .options import (
    DEFAULT_STORE,
    AccountOptions,
    Json,
    Yes,
    amount,
)
from .output import Exit, Output, Stop, plural, stop_for

_LOOK = 0.5  # seconds between two looks
_NO_ACCOUNT = AccountOptions()


@campaign.command
def status(
    name: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    store: Store = DEFAULT_STORE,
    watch: Watch = False,
    json: Json = False,
) -> int:
    """Show how a campaign stands, or all of them. Only looks; needs no account."""
    if name is None:
        return list_command(store=store, json=json)
    output = Output(json=json)
    seen: list[Progress] = []

    async def once(campaigns: Campaigns) -> None:
        campaign = await campaigns.get(name)
        seen.append(await campaign.progress())

    async def look_on(campaigns: Campaigns) -> None:
        campaign, pace = await campaigns.get(name), Pace()
        while True:
            seen[:] = [pace.add(await campaign.progress())]
            view.show(seen[0])
            if seen[0].state != "running":
                return
            await anyio.sleep(_LOOK)

    interrupted = False
    view: View
    try:
        if watch:
            with viewing(output, live=True) as view:
                do(store, look_on)
        else:
            do(store, once)
    except KeyboardInterrupt:
        interrupted = True
        output.note("Stopped watching; the campaign goes on wherever it runs.")
    if not seen:
        return Exit.INTERRUPTED
    progress = seen[0]
    output.say(line(progress) + ".")
    if progress.note:
        output.say(progress.note)
    if told := advice(progress, store):
        output.say(told)
    code = Exit.INTERRUPTED if interrupted else exit_of(progress)
    output.answer({**as_json(progress), "exit_code": int(code)})
    return code


@campaign.command(name="list")
def list_command(*, store: Store = DEFAULT_STORE, json: Json = False) -> int:
    """List the campaigns of a store. Only looks; needs no account."""
    output = Output(json=json)
    found = ask(store, lambda campaigns: campaigns.list())
    for one in found:
        output.say(line(one) + ".")
    if not found:
        output.say(f"There is no campaign in {shown(place(store), 300)}.")
    output.answer({"campaigns": [as_json(one) for one in found]})
    return Exit.DONE


@campaign.command
def pause(name: Name, /, *, store: Store = DEFAULT_STORE, json: Json = False) -> int:
    """Stop a campaign wherever it runs; `resume` lets it go on."""
    return change_campaign("pause", name, store, json=json)


@campaign.command
def cancel(
    name: Name,
    /,
    *,
    store: Store = DEFAULT_STORE,
    yes: Yes = False,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send nothing more of a campaign, ever; what the provider holds of a scheduled one is cancelled there."""
    output = Output(json=json)
    if not yes:
        _confirm(output, f"Cancel {shown(name, 60)} for good?")

    async def stands(campaigns: Campaigns) -> Progress:
        return await (await campaigns.get(name)).progress()

    before = ask(store, stands)
    if not (before.sent or before.pending) or not scheduled_for(before.scheduled_at):
        return change_campaign("cancel", name, store, json=json)

    async def stop(campaigns: Campaigns) -> None:
        await (await campaigns.get(name)).cancel()

    with connect(account, output) as connection:
        session = Session(connection, store, output)
        session.do(stop)
    if session.error is not None:
        output.say("Nothing more is sent, but the provider may still hold some texts: cancel it again.")
        raise stop_for(session.error)
    progress = ask(store, stands)
    output.say(line(progress) + ".")
    if progress.note:
        output.say(f"{progress.note}.")
    output.answer(as_json(progress))
    return Exit.DONE


@campaign.command
def export(
    name: Name,
    file: Name,
    /,
    *,
    force: Annotated[
        bool, Parameter(negative="", show_default=False, help="Overwrite a file that is no export.")
    ] = False,
    store: Store = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Write what became of every row.

    Parameters
    ----------
    file:
        The file to write: CSV, or JSON Lines when its name ends in .jsonl; an earlier export is overwritten.
    """
    output = Output(json=json)

    async def write(campaigns: Campaigns) -> int:
        return await (await campaigns.get(name)).export(file, force=force)

    rows = ask(store, write)
    output.say(f"{plural(rows, 'row')}: {shown(file, 300)}")
    output.answer({"rows": rows, "path": file})
    return Exit.DONE


@campaign.command
def unknown(name: Name, /, *, store: Store = DEFAULT_STORE, json: Json = False) -> int:
    """List who may have been texted: their request left and no answer came."""
    output = Output(json=json)

    async def listed(campaigns: Campaigns) -> list[UnknownRecipient]:
        return await (await campaigns.get(name)).unknown()

    found = ask(store, listed)
    for one in found:
        when = f"{one.since.astimezone():%Y-%m-%d %H:%M:%S}"
        output.say(f"row {one.row}  {one.phone}  {when}  {shown(one.reason, 200)}")
    if not found:
        output.say("Nobody is unknown.")
    output.answer(
        {
            "unknown": [
                {
                    "row": one.row,
                    "phone": one.phone,
                    "since": one.since.isoformat(),
                    "reference": one.reference,
                    "reason": one.reason,
                }
                for one in found
            ]
        }
    )
    return Exit.SOME_NOT_SENT if found else Exit.DONE


@campaign.command
def resolve(
    name: Name,
    policy: Literal["keep", "assume_sent", "resend"],
    /,
    *,
    store: Store = DEFAULT_STORE,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Decide about unknown recipients.

    Parameters
    ----------
    policy:
        keep leaves them, assume_sent counts them as sent, resend texts them with the next run: some perhaps twice.
    """
    output = Output(json=json)
    if policy == "resend" and not yes:
        _confirm(output, "Text them with the next run, some of them perhaps twice?")

    async def settle(campaigns: Campaigns) -> tuple[int, Progress]:
        campaign = await campaigns.get(name)
        return await campaign.resolve(policy), await campaign.progress()

    count, progress = ask(store, settle)
    output.say(f"Decided about {plural(count, 'recipient')}. {line(progress)}.")
    output.answer({"resolved": count, **as_json(progress)})
    return Exit.DONE


@campaign.command
def reconcile(
    name: Name, /, *, store: Store = DEFAULT_STORE, json: Json = False, account: AccountOptions = _NO_ACCOUNT
) -> int:
    """Ask the provider once where every recipient stands."""
    output = Output(json=json)
    ask(store, lambda campaigns: campaigns.get(name))
    with connect(account, output) as connection:
        session = Session(connection, store, output)

        async def look(campaigns: Campaigns) -> None:
            await (await campaigns.get(name)).reconcile()

        session.do(look)
    return tell(session, name)


def _confirm(output: Output, question: str) -> None:
    try:
        needs_answer(AccountOptions(), yes=False)
    except Stop:
        raise Stop("There is no terminal to ask on; add --yes.") from None
    output.confirm(question)


@campaign.command
def work(
    *,
    budget: Annotated[
        float | None,
        Parameter(
            converter=amount, help="Seconds after which to stop, as for cron; default: when all is sent."
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    concurrency: Concurrency = 8,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send for every campaign that runs in the store: on further machines, and from cron."""
    output = Output(json=json)
    found: list[Progress] = []
    with connect(account, output) as connection:
        session = Session(connection, store, output, concurrency)

        async def send(campaigns: Campaigns) -> None:
            found.extend(await campaigns.work(budget))

        session.do(send)
    if session.error is not None:
        raise stop_for(session.error)
    code = (
        Exit.INTERRUPTED if session.interrupted else max((exit_of(one) for one in found), default=Exit.DONE)
    )
    for one in found:
        output.say(line(one) + ".")
    if not found:
        output.say("Interrupted." if session.interrupted else "No campaign was running.")
    output.answer({"campaigns": [as_json(one) for one in found], "exit_code": int(code)})
    return code
