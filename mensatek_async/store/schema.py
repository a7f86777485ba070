"""Schemas: the tables of those who use a store, and the steps from each version of them to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from ..errors import StoreError
from .transaction import Tx

_VERSIONS = "CREATE TABLE IF NOT EXISTS mensatek_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"


@frozen
class Schema:
    """The tables of one user of a store. Several may share the store.

    Attributes:
        suffix: added to the names under which the store keeps what it knows of these tables, such as ":outbox";
            "" for those of the first release.
        steps: for each version, the statements that lead to it from the one before; those released never change.
            `{serial}`, `{real}`, `{bytes}` and `{rowless}` stand for what each database has of its own.
        recover: called when no other process uses the store, to free what the dead had claimed; its second argument
            says whether the machine has started anew, and the store's clock with it. None for tables that need no such
            proof: who uses them alone is not among those who are looked for.
    """

    suffix: str
    steps: Sequence[Sequence[str]]
    recover: Callable[[Tx, bool], None] | None = None

    @property
    def name(self) -> str:
        """Under which the store keeps their version."""
        return f"schema{self.suffix}"

    def create(self, tx: Tx, version: int, dialect: Mapping[str, str]) -> bool:
        """Bring tables of a version, 0 for none, to the newest one; return whether anything was to do."""
        for statement in (one for step in self.steps[version:] for one in step):
            tx.run(statement.format(**dialect))
        if version < len(self.steps):
            tx.run("DELETE FROM mensatek_meta WHERE name = ?", self.name)
            tx.run("INSERT INTO mensatek_meta VALUES (?, ?)", self.name, str(len(self.steps)))
        return version < len(self.steps)


def create_tables(tx: Tx, schemas: Sequence[Schema], dialect: Mapping[str, str], shown: str) -> bool:
    """Create or migrate the tables of every schema; return whether anything was to do.

    Raises:
        StoreError: a newer version of this package has written some.
    """
    tx.run(_VERSIONS)
    versions = read_versions(tx, schemas, shown)
    created = [schema.create(tx, versions.get(schema.name, 0), dialect) for schema in schemas]
    return any(created)


def read_versions(tx: Tx, schemas: Sequence[Schema], shown: str) -> dict[str, int]:
    """Return the version of each schema that has tables in the store.

    Raises:
        StoreError: one is newer than this package knows.
    """
    versions = {}
    for schema in schemas:
        row = tx.one("SELECT value FROM mensatek_meta WHERE name = ?", schema.name)
        if row is None:
            continue
        versions[schema.name] = int(row[0])
        if versions[schema.name] > len(schema.steps):
            raise StoreError(
                f"The store {shown} is of version {row[0]}; this version of mensatek-async knows "
                f"{len(schema.steps)}.",
                advice="Use the newer version of mensatek-async that wrote it.",
            )
    return versions
