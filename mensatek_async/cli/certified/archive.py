"""`mensatek certified archive` and `verify`: certificates kept as evidence in a folder."""

from __future__ import annotations

from attrs import asdict, fields_dict

from ...archive.verify import verify_certificates
from ...errors import NotYours
from ...language import ENGLISH
from ...models.archive import ArchiveSummary
from ...sources.text_files import shown
from ...sync.generated._archive import SyncCertificateArchive
from ...sync.generated._client import Mensatek
from ..account import call, parse_when
from ..language import _, later, reason_of
from ..options import CallOptions, Flag, Json, Name
from ..output import Exit, Output, Stop, plural, text_of

_KINDS = later("missing", "changed", "unrecorded", "unreadable")


def archive(
    *message_ids: int,
    into: str,
    start: str | None = None,
    end: str | None = None,
    catch_up: Flag = False,
    reference: str = "",
    options: CallOptions = CallOptions(),
) -> Exit:
    """Fetch certificates into a folder that keeps them as evidence, each once, with a record beside it.

    Args:
        message_ids: Messages: every certificate of theirs that is ready. The others stay pending, for --catch-up.
        into: The archive's folder, made when it is not there.
        start: With --end: the ZIP of a period, such as 2027-01-01T00:00; rarely.
        end: The period's end.
        catch_up: Fetch what is pending, also from interrupted runs.
        reference: The reference the messages were sent with, for the records.
    """
    if not (message_ids or start or end or catch_up):
        raise Stop("Say what to fetch: MESSAGE_ID..., --start with --end, or --catch-up.")
    output = Output(json=options.json)
    since, until = parse_when(start, "--start"), parse_when(end, "--end")
    problems: dict[int, NotYours] = {}

    def work(client: Mensatek) -> list[ArchiveSummary]:
        kept = SyncCertificateArchive(client, into)
        done = [kept.collect(start=since, end=until)] if since or until else []
        done += [kept.catch_up()] if catch_up else []
        for number in message_ids:
            try:
                done.append(kept.collect(number, reference=reference))
            except NotYours as error:
                problems[number] = error
        return done

    try:
        done = call(options, work)
    except OSError as error:
        raise Stop("{} cannot be written: {}.", shown(into), reason_of(error)) from None
    counts = {name: sum(getattr(one, name) for one in done) for name in fields_dict(ArchiveSummary)}
    for number, problem in problems.items():
        output.say("Message {}: {}", number, text_of(problem))
    said = (counts[name] for name in ("fetched", "known", "pending", "without"))
    output.say(
        "{:,} fetched, {:,} there already, {:,} pending, {:,} without a certificate: {}", *said, shown(into)
    )
    whys = {str(one): text_of(why, ENGLISH) for one, why in problems.items()}
    output.answer({**counts, "folder": into, "problems": whys})
    return Exit.SOME_NOT_SENT if problems or counts["pending"] else Exit.DONE


def verify(folder: Name, /, *, json: Json = False) -> Exit:
    """Check an archive: every certificate against the SHA-256 in its record.

    Args:
        folder: The archive's folder.
    """
    output = Output(json=json)
    found = verify_certificates(folder)
    for problem in found.problems:
        output.say(f"{_(problem.kind)}: {shown(problem.file, 300)}")
    problems = plural(len(found.problems), "problem")
    output.say("{:,} intact, {:,} pending, {}: {}", found.intact, found.pending, problems, shown(folder))
    output.answer(asdict(found))
    return Exit.DONE if found.ok else Exit.SOME_NOT_SENT
