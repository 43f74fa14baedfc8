"""Changes, columns, messages and file lists: the pure parts of reading and writing metadata."""

from __future__ import annotations

import json

import numpy as np

from mere.lake.changes import parse_changes
from mere.lake.columns import ColumnRow, assemble_columns
from mere.lake.files import FOREVER, NONE, DeleteFile, FileColumns
from mere.lake.message import ColumnStats, CommitMessage, NewDelete, NewFile, TableChange


def test_changes_with_awkward_names() -> None:
    text = 'created_table:"s"."a:1,""dropped_table:7",inserted_into_table:3,inline_flush:4,created_schema:"x:9"'
    assert list(parse_changes(text)) == [(3, "inserted_into_table"), (4, "inline_flush")]
    assert list(parse_changes("")) == []


def test_nested_columns() -> None:
    rows = [
        ColumnRow(5, 4, "element", "decimal(10,2)", None, True),
        ColumnRow(4, None, "l", "list", None, True),
        ColumnRow(1, None, "k", "int64", "7", False),
        ColumnRow(2, None, "m", "map", None, True),
        ColumnRow(3, 2, "key", "varchar", None, True),
        ColumnRow(6, 2, "value", "timestamptz", None, True),
    ]
    columns = assemble_columns(rows)
    assert [(c.name, c.duckdb_type, c.initial_default, c.nulls_allowed) for c in columns] == [
        ("k", "BIGINT", "7", False),
        ("m", "MAP(VARCHAR, TIMESTAMPTZ)", None, True),
        ("l", "DECIMAL(10,2)[]", None, True),
    ]


def test_message() -> None:
    file = NewFile("p", 3, 10, 2, None, (ColumnStats(1, "a\0", "b", 0, 3, 9, None),))
    change = TableChange(5, 7, (file,), (NewDelete(1, None, "d", 1, 2, 3, 4),), (9,), True)
    sent = json.loads(CommitMessage("t", "me", (change,)).to_json())
    assert sent["tables"][0]["files"][0]["stats"] == [[1, None, "b", 0, 3, 9, None]]
    assert sent["tables"][0]["deletes"][0]["replaces"] == 4
    assert sent["tables"][0]["truncated"] is True
    assert sent["tables"][0]["removed_files"] == [9]


def columns(*files: tuple[int, int, int]) -> FileColumns:
    """Files as (id, begin, end)."""
    rows = [(i, begin, end, 10, 100, NONE, NONE, NONE, f"u{i}", NONE) for i, begin, end in files]
    return FileColumns.of(list(zip(*rows, strict=True)) if rows else [[]])


def test_file_list_is_brought_forward() -> None:
    first = columns((3, 1, FOREVER), (1, 1, 4), (2, 2, FOREVER))
    assert first.live_at(1).tolist() == [0, 1]
    later = first.extended(columns((2, 2, 6), (7, 6, FOREVER)))
    assert later.ids.tolist() == [3, 1, 2, 7]
    assert [f.id for f in later.data_files(later.live_at(5), 5, {}, {})] == [3, 2]
    assert [f.id for f in later.data_files(later.live_at(6), 6, {}, {})] == [3, 7]
    files = later.data_files(later.live_at(6), 6, {7: DeleteFile(1, "d", 4)}, {3: (5, 6)})
    assert [f.live_rows for f in files] == [8, 6]
    assert first.live_at(6).tolist() == [0, 2]
    assert columns().live_at(1).tolist() == []
    assert isinstance(later.end, np.ndarray)
