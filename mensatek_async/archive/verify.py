"""Checking an archive: every file against its record."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from .._core.sink import SUFFIXES
from ..errors import InvalidRequest
from ..models.archive import ArchiveProblem, ProblemKind, Verification
from .tree import PENDING, PERIODS, Tree, find, inside, read_record


def verify_certificates(folder: str | os.PathLike[str]) -> Verification:
    """Check every certificate of an archive: whether it is there, and whether it is what came, by its SHA-256.

    No account is needed, and nothing is changed. It reads every file.

    Args:
        folder: the folder of a `CertificateArchive`, or a copy of one.

    Returns:
        How many are intact, how many are awaited, and what is missing or was changed.

    Raises:
        InvalidRequest: there is no such folder, or it is no archive.
        OSError: a folder in it cannot be read, so that nobody knows what is in it.
    """
    root = Path(folder)
    tree = Tree(root)
    if not tree.is_there():
        what = "holds no archive of certificates" if root.is_dir() else "is no folder"
        raise InvalidRequest(f"{str(root)!r} {what}: there is nothing to check.")
    pending = sum(1 for _ in tree.waiting())
    intact, problems = 0, []
    for base in _bases(root):
        problem = _problem(tree, base)
        if problem is None:
            intact += 1
        elif not (_may_be_on_its_way(problem, base) and tree.pending(base.name).exists()):
            problems.append(problem)
    return Verification(intact=intact, pending=pending, problems=tuple(problems))


def _may_be_on_its_way(problem: ArchiveProblem, base: Path) -> bool:
    """Return whether a file may be one whose record is still to come; the ZIP of a period may take another's place."""
    return problem.kind == "unrecorded" or (problem.kind == "changed" and base.parent.name == PERIODS)


def _bases(root: Path) -> Iterator[Path]:
    """Give the path of each certificate without its ending, in order; one with a file or a record alone, too."""
    ends = (".json", *SUFFIXES.values())
    for bucket in inside(root):
        if bucket.name == PENDING:
            continue
        for folder in [bucket] if bucket.name == PERIODS else inside(bucket):
            found = (one for one in inside(folder) if one.suffix in ends and one.name[0] != ".")
            yield from sorted({one.with_suffix("") for one in found})


def _problem(tree: Tree, base: Path) -> ArchiveProblem | None:
    """Return what is wrong with a certificate; None where nothing is."""
    file, path = find(base), base.with_name(f"{base.name}.json")
    record = read_record(path)

    def problem(kind: ProblemKind, at: Path) -> ArchiveProblem:
        return ArchiveProblem(file=at.relative_to(tree.folder).as_posix(), kind=kind)

    if record is None:
        return problem("unreadable", path) if path.exists() else problem("unrecorded", file or base)
    if file is None:
        return problem("missing", path.with_name(record.file.rpartition("/")[2]))
    try:
        with file.open("rb") as opened:
            same = file_digest(opened, "sha256").hexdigest() == record.sha256
    except OSError:
        return problem("unreadable", file)
    return None if same else problem("changed", file)
