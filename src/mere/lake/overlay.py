"""What a transaction has done to the lake and not committed yet: files added, deleted from, removed.

Owns no I/O; lives in the coordinator process, one immutable value per savepoint, so ROLLBACK TO is an assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mere.errors import SerializationFailure
from mere.lake.message import InlinedDelete, NewDelete, NewFile, TableChange


@dataclass(frozen=True, slots=True)
class TableOverlay:
    """Uncommitted changes to one table. `deletes` is keyed by the data file's absolute path; `removed` are data files
    that lost every row, each with the delete file (or None) that it had when we last looked."""

    relid: int
    read_snapshot: int
    files: tuple[NewFile, ...] = ()
    deletes: Mapping[str, NewDelete] = field(default_factory=dict)
    removed: Mapping[int, int | None] = field(default_factory=dict)
    truncated: bool = False
    inlined: tuple[InlinedDelete, ...] = ()

    def change(self) -> TableChange:
        return TableChange(
            relid=self.relid,
            read_snapshot=self.read_snapshot,
            files=self.files,
            deletes=tuple(self.deletes.values()),
            removed_files=tuple(sorted(self.removed)),
            truncated=self.truncated,
            inlined_deletes=self.inlined,
        )


@dataclass(frozen=True, slots=True)
class Overlay:
    """All tables' uncommitted changes; a new value per statement."""

    tables: Mapping[int, TableOverlay] = field(default_factory=dict)

    @property
    def dirty(self) -> bool:
        return bool(self.tables)

    def table(self, relid: int) -> TableOverlay | None:
        return self.tables.get(relid)

    def with_table(self, table: TableOverlay) -> Overlay:
        return Overlay({**self.tables, table.relid: table})

    def without(self, relid: int) -> Overlay:
        return Overlay({relation: table for relation, table in self.tables.items() if relation != relid})

    def append(self, relid: int, snapshot: int, files: Iterable[NewFile]) -> Overlay:
        table = self.tables.get(relid) or TableOverlay(relid, snapshot)
        return self.with_table(replace(table, files=table.files + tuple(files)))

    def truncate(self, relid: int, snapshot: int) -> Overlay:
        return self.with_table(TableOverlay(relid, snapshot, truncated=True))

    def delete(
        self,
        relid: int,
        snapshot: int,
        deletes: Mapping[str, NewDelete],
        removed: Mapping[int, int | None],
        removed_new: frozenset[str],
        inlined: tuple[InlinedDelete, ...] = (),
    ) -> Overlay:
        """Deletes positions from files; `removed` are committed files that lost every row, `removed_new` own ones."""
        table = self.tables.get(relid) or TableOverlay(relid, snapshot)
        kept = {
            path: delete
            for path, delete in {**table.deletes, **deletes}.items()
            if delete.data_file_id not in removed and delete.data_file_path not in removed_new
        }
        return self.with_table(
            replace(
                table,
                read_snapshot=snapshot,
                files=tuple(file for file in table.files if file.path not in removed_new),
                deletes=kept,
                removed={**table.removed, **removed},
                inlined=table.inlined + inlined,
            )
        )


def conflict(relation: str) -> SerializationFailure:
    """A file that this transaction deleted from was changed by a committed one."""
    return SerializationFailure(
        f'could not serialize access to table "{relation}" due to concurrent update',
        hint="Run the transaction again.",
    )
