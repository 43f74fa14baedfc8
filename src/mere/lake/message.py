"""What a commit carries: the frozen dataclasses of the commit message and their JSON form, which `commit.sql` reads.

Pure data, built by `execute` in the gateway process; the gateway's own role puts the JSON into `mere.ticket`.
Statistics travel as arrays, not objects, so that a message with ten thousand files stays small.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnStats:
    """One column of one file, as DuckDB's RETURN_STATS gives it: `values` counts NULLs too; min and max are text."""

    column_id: int
    min: str | None
    max: str | None
    nulls: int
    values: int
    size: int = 0
    has_nan: bool | None = None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A data file that segments wrote. `path` is relative to the table's prefix."""

    path: str
    rows: int
    size: int
    footer_size: int
    bucket: int | None = None
    stats: tuple[ColumnStats, ...] = ()


@dataclass(frozen=True, slots=True)
class NewDelete:
    """A delete file that holds every deleted position of one data file, the earlier ones too.

    The data file is a committed one (`data_file_id`) or one of the same message (`data_file_path`). `replaces` is the
    delete file that was read with it: if another has come since, the commit is refused with 40001.
    """

    data_file_id: int | None
    data_file_path: str | None
    path: str
    count: int
    size: int
    footer_size: int
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class InlinedDelete:
    """Rows that a plain DuckDB wrote into PostgreSQL and that this transaction deletes there."""

    inlined_table: str
    row_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TableChange:
    """All that one transaction did to one table, `relid` being its shell."""

    relid: int
    read_snapshot: int | None
    files: tuple[NewFile, ...] = ()
    deletes: tuple[NewDelete, ...] = ()
    removed_files: tuple[int, ...] = ()
    truncated: bool = False
    inlined_deletes: tuple[InlinedDelete, ...] = ()


@dataclass(frozen=True, slots=True)
class CommitMessage:
    """`token` is unique to the transaction: it tells, after a lost connection, whether the commit happened."""

    token: str
    author: str
    tables: tuple[TableChange, ...] = ()
    comment: str | None = None

    def to_json(self) -> str:
        return json.dumps(
            {
                "token": self.token,
                "author": self.author,
                "comment": self.comment,
                "tables": [_table(table) for table in self.tables],
            },
            separators=(",", ":"),
            ensure_ascii=False,
        )


def _table(change: TableChange) -> dict[str, object]:
    return {
        "relid": change.relid,
        "read_snapshot": change.read_snapshot,
        "truncated": change.truncated,
        "removed_files": list(change.removed_files),
        "files": [file_json(file) for file in change.files],
        "deletes": [_delete(delete) for delete in change.deletes],
        "inlined_deletes": [{"table": d.inlined_table, "row_ids": list(d.row_ids)} for d in change.inlined_deletes],
    }


def file_json(file: NewFile) -> dict[str, object]:
    """The JSON of a data file; maintenance sends the same."""
    return {
        "path": file.path,
        "rows": file.rows,
        "size": file.size,
        "footer_size": file.footer_size,
        "bucket": file.bucket,
        "stats": [
            [s.column_id, _bound(s.min), _bound(s.max), s.nulls, s.values, s.size, s.has_nan] for s in file.stats
        ],
    }


def _bound(text: str | None) -> str | None:
    """PostgreSQL's text has no NUL: a bound with one is unknown."""
    return None if text is None or "\0" in text else text


def _delete(delete: NewDelete) -> dict[str, object]:
    return {
        "data_file_id": delete.data_file_id,
        "data_file_path": delete.data_file_path,
        "path": delete.path,
        "count": delete.count,
        "size": delete.size,
        "footer_size": delete.footer_size,
        "replaces": delete.replaces,
    }
