"""`mensatek campaign`: durable campaigns, the commands and their options."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from .options import (
    DEFAULT_STORE,
    AccountOptions,
    CertifiedOptions,
    DryRun,
    FileOptions,
    Json,
    LegalOptions,
    PaceOptions,
    SendingOptions,
    TestTo,
    Yes,
    amount,
)

campaign = App(name="campaign", help_format="plaintext")

Name = Annotated[str, Parameter(allow_leading_hyphen=True)]
Store = Annotated[str, Parameter(help="SQLite file, or postgresql:// address, that keeps the campaigns.")]
Watch = Annotated[bool, Parameter(negative="", show_default=False, help="Watch it live, until it ends.")]
Concurrency = Annotated[int, Parameter(help="Requests at once, 1 to 64.")]

_NO_ACCOUNT, _NO_LEGAL = AccountOptions(), LegalOptions()
_NO_FILE, _NO_PACE, _PLAIN = FileOptions(), PaceOptions(), CertifiedOptions()
_NOTHING_SAID = SendingOptions()


@campaign.command
def start(
    name: Name,
    recipients: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    text: Annotated[
        str, Parameter(help="The text; {Column} is replaced by each row's cell, {phone} by its phone.")
    ],
    sending: SendingOptions = _NOTHING_SAID,
    file: FileOptions = _NO_FILE,
    pace: PaceOptions = _NO_PACE,
    certified: CertifiedOptions = _PLAIN,
    legal: LegalOptions = _NO_LEGAL,
    store: Annotated[
        str | None,
        Parameter(
            help="SQLite file, or postgresql:// address, that keeps the campaigns; default: campaigns.db, "
            "with --sandbox a temporary one."
        ),
    ] = None,
    run: Annotated[
        bool, Parameter(help="Send at once; without it, `run` and `work` do, here or elsewhere.")
    ] = True,
    watch: Watch = False,
    concurrency: Concurrency = 8,
    dry_run: DryRun = False,
    test_to: TestTo = None,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Start a campaign, or go on with the one of this name: the same command again loses and doubles nobody.

    Parameters
    ----------
    name:
        Its name in the store.
    recipients:
        The file: CSV, Excel (.xlsx) or JSON Lines; or - for standard input. One of its first rows names the columns.
    """
    from .campaign_start import StartOptions, start_campaign

    return start_campaign(
        StartOptions(
            name=name,
            recipients=recipients,
            text=text,
            sending=sending,
            file=file,
            pace=pace,
            certified=certified,
            legal=legal,
            store=store,
            run=run,
            watch=watch,
            concurrency=concurrency,
            dry_run=dry_run,
            test_to=test_to,
            account=account,
        )
    )


@campaign.command(name="run")
def run_command(
    name: Name,
    /,
    *,
    store: Store = DEFAULT_STORE,
    watch: Watch = False,
    concurrency: Concurrency = 8,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send what is left of a campaign whose rows have been read."""
    from .campaign_commands import run_campaign

    return run_campaign(name, store, account, watch=watch, concurrency=concurrency, json=json, resume=False)


@campaign.command
def resume(
    name: Name,
    /,
    *,
    store: Store = DEFAULT_STORE,
    run: Annotated[bool, Parameter(help="Send at once; without it, `run` and `work` do.")] = True,
    watch: Watch = False,
    concurrency: Concurrency = 8,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Let a paused campaign go on."""
    from .campaign_commands import change_campaign, run_campaign

    if not run:
        return change_campaign("resume", name, store, json=json)
    return run_campaign(name, store, account, watch=watch, concurrency=concurrency, json=json, resume=True)


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
    from .campaign_commands import work_campaigns

    return work_campaigns(budget, store, account, concurrency=concurrency, json=json)


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
    from .campaign_commands import list_campaigns, show_status

    if name is None:
        return list_campaigns(store, json=json)
    return show_status(name, store, watch=watch, json=json)


@campaign.command(name="list")
def list_command(*, store: Store = DEFAULT_STORE, json: Json = False) -> int:
    """List the campaigns of a store. Only looks; needs no account."""
    from .campaign_commands import list_campaigns

    return list_campaigns(store, json=json)


@campaign.command
def pause(name: Name, /, *, store: Store = DEFAULT_STORE, json: Json = False) -> int:
    """Stop a campaign wherever it runs; `resume` lets it go on."""
    from .campaign_commands import change_campaign

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
    from .campaign_commands import cancel_campaign

    return cancel_campaign(name, store, account, json=json, yes=yes)


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
    from .campaign_commands import export_campaign

    return export_campaign(name, file, store, force=force, json=json)


@campaign.command
def unknown(name: Name, /, *, store: Store = DEFAULT_STORE, json: Json = False) -> int:
    """List who may have been texted: their request left and no answer came."""
    from .campaign_commands import show_unknown

    return show_unknown(name, store, json=json)


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
    from .campaign_commands import resolve_unknown

    return resolve_unknown(name, policy, store, yes=yes, json=json)


@campaign.command
def reconcile(
    name: Name, /, *, store: Store = DEFAULT_STORE, json: Json = False, account: AccountOptions = _NO_ACCOUNT
) -> int:
    """Ask the provider once where every recipient stands."""
    from .campaign_commands import reconcile_campaign

    return reconcile_campaign(name, store, account, json=json)
