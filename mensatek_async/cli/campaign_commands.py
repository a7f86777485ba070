"""What the commands for durable campaigns do, but for `start`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import anyio

from ..campaigns.campaigns import Campaigns
from ..campaigns.progress_stream import Pace
from ..errors import MensatekError
from ..models.campaign import Progress, Resolution, UnknownRecipient
from ..sources.text_files import shown
from .account import connect, needs_answer
from .campaign_run import Session, offline, run_to_the_end, tell
from .campaign_view import View, advice, as_json, exit_of, line, place, scheduled_for, viewing
from .options import AccountOptions
from .output import Exit, Output, Stop, plural, stop_for

T = TypeVar("T")
_LOOK = 0.5  # seconds between two looks


def run_campaign(
    name: str,
    store: str,
    account: AccountOptions,
    *,
    watch: bool,
    concurrency: int,
    json: bool,
    resume: bool,
) -> Exit:
    """Send what is left of a campaign; `resume` lets a paused one go on first."""
    output = Output(json=json)
    _ask(store, lambda campaigns: campaigns.get(name))
    with connect(account, output) as connection, viewing(output, live=watch) as view:
        session = Session(connection, store, output, concurrency)

        async def work(campaigns: Campaigns) -> None:
            campaign = await campaigns.get(name)
            if resume:
                await campaign.resume()
            await run_to_the_end(campaign, view)

        session.do(work)
    return tell(session, name)


def work_campaigns(
    budget: float | None, store: str, account: AccountOptions, *, concurrency: int, json: bool
) -> Exit:
    """Send for every campaign that runs in a store."""
    output = Output(json=json)
    found: list[Progress] = []
    with connect(account, output) as connection:
        session = Session(connection, store, output, concurrency)

        async def work(campaigns: Campaigns) -> None:
            found.extend(await campaigns.work(budget))

        session.do(work)
    if session.error is not None:
        raise stop_for(session.error)
    code = Exit.INTERRUPTED if session.interrupted else _worst(found)
    for one in found:
        output.say(line(one) + ".")
    if not found:
        output.say("Interrupted." if session.interrupted else "No campaign was running.")
    output.answer({"campaigns": [as_json(one) for one in found], "exit_code": int(code)})
    return code


def list_campaigns(store: str, *, json: bool) -> Exit:
    """Print every campaign of a store."""
    output = Output(json=json)
    found = _ask(store, lambda campaigns: campaigns.list())
    for one in found:
        output.say(line(one) + ".")
    if not found:
        output.say(f"There is no campaign in {shown(place(store), 300)}.")
    output.answer({"campaigns": [as_json(one) for one in found]})
    return Exit.DONE


def show_status(name: str, store: str, *, watch: bool, json: bool) -> Exit:
    """Print how a campaign stands, once or until it ends."""
    output = Output(json=json)
    seen: list[Progress] = []

    async def ask(campaigns: Campaigns) -> None:
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
                _do(store, look_on)
        else:
            _do(store, ask)
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


def cancel_campaign(name: str, store: str, account: AccountOptions, *, json: bool, yes: bool) -> Exit:
    """Cancel a campaign, and what the provider still holds of it."""
    output = Output(json=json)
    if not yes:
        _confirm(output, f"Cancel {shown(name, 60)} for good?")

    async def stands(campaigns: Campaigns) -> Progress:
        return await (await campaigns.get(name)).progress()

    before = _ask(store, stands)
    if not (before.sent or before.pending) or not scheduled_for(before.scheduled_at):
        return change_campaign("cancel", name, store, json=json)

    async def cancel(campaigns: Campaigns) -> None:
        await (await campaigns.get(name)).cancel()

    with connect(account, output) as connection:
        session = Session(connection, store, output)
        session.do(cancel)
    if session.error is not None:
        output.say("Nothing more is sent, but the provider may still hold some texts: cancel it again.")
        raise stop_for(session.error)
    progress = _ask(store, stands)
    output.say(line(progress) + ".")
    if progress.note:
        output.say(f"{progress.note}.")
    output.answer(as_json(progress))
    return Exit.DONE


def change_campaign(
    order: Literal["pause", "resume", "cancel"], name: str, store: str, *, json: bool
) -> Exit:
    """Pause, resume or cancel a campaign, wherever it runs."""
    output = Output(json=json)

    async def change(campaigns: Campaigns) -> Progress:
        campaign = await campaigns.get(name)
        changed: Progress = await getattr(campaign, order)()
        return changed

    progress = _ask(store, change)
    output.say(line(progress) + ".")
    output.answer(as_json(progress))
    return Exit.DONE


def export_campaign(name: str, path: str, store: str, *, force: bool, json: bool) -> Exit:
    """Write what became of every row."""
    output = Output(json=json)

    async def write(campaigns: Campaigns) -> int:
        return await (await campaigns.get(name)).export(path, force=force)

    rows = _ask(store, write)
    output.say(f"{plural(rows, 'row')}: {shown(path, 300)}")
    output.answer({"rows": rows, "path": path})
    return Exit.DONE


def show_unknown(name: str, store: str, *, json: bool) -> Exit:
    """List who may have been texted."""
    output = Output(json=json)

    async def ask(campaigns: Campaigns) -> list[UnknownRecipient]:
        return await (await campaigns.get(name)).unknown()

    found = _ask(store, ask)
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


def resolve_unknown(name: str, policy: Resolution, store: str, *, yes: bool, json: bool) -> Exit:
    """Decide about who may have been texted."""
    output = Output(json=json)
    if policy == "resend" and not yes:
        _confirm(output, "Text them with the next run, some of them perhaps twice?")

    async def settle(campaigns: Campaigns) -> tuple[int, Progress]:
        campaign = await campaigns.get(name)
        return await campaign.resolve(policy), await campaign.progress()

    count, progress = _ask(store, settle)
    output.say(f"Decided about {plural(count, 'recipient')}. {line(progress)}.")
    output.answer({"resolved": count, **as_json(progress)})
    return Exit.DONE


def reconcile_campaign(name: str, store: str, account: AccountOptions, *, json: bool) -> Exit:
    """Ask the provider once where every recipient stands."""
    output = Output(json=json)
    _ask(store, lambda campaigns: campaigns.get(name))
    with connect(account, output) as connection:
        session = Session(connection, store, output)

        async def ask(campaigns: Campaigns) -> None:
            await (await campaigns.get(name)).reconcile()

        session.do(ask)
    return tell(session, name)


def _ask(store: str, work: Callable[[Campaigns], Awaitable[T]]) -> T:
    found: list[T] = []

    async def ask(campaigns: Campaigns) -> None:
        found.append(await work(campaigns))

    _do(store, ask)
    return found[0]


def _do(store: str, work: Callable[[Campaigns], Awaitable[None]]) -> None:
    try:
        offline(store, work)
    except MensatekError as error:
        raise stop_for(error) from None


def _confirm(output: Output, question: str) -> None:
    try:
        needs_answer(AccountOptions(), yes=False)
    except Stop:
        raise Stop("There is no terminal to ask on; add --yes.") from None
    output.confirm(question)


def _worst(found: list[Progress]) -> Exit:
    return max((exit_of(one) for one in found), default=Exit.DONE)
