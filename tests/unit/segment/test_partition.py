"""How rows leave a slice: every row once, in its target's part, in order, and parts of bounded size."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mere.segment.partition import PART_BYTES, Leave, Partitioner, with_target


def batches_of(targets: list[list[int]]) -> list[pa.RecordBatch]:
    """Batches as `with_target` makes them: a number that says where the row was, and the target."""
    made, row = [], 0
    for batch in targets:
        numbers = pa.array(range(row, row + len(batch)), pa.int64())
        row += len(batch)
        made.append(pa.record_batch([numbers, pa.array(batch, pa.uint16())], names=["row", "mere_target"]))
    return made


@given(st.lists(st.lists(st.integers(0, 4), max_size=30), max_size=8))
def test_every_row_leaves_once_for_its_target_and_in_order(targets: list[list[int]]) -> None:
    parts = Partitioner(Leave(5, "anything"))
    left = [part for batch in batches_of(targets) for part in parts.add(batch)] + parts.finish()
    expected: dict[int, list[int]] = {}
    for row, target in enumerate([target for batch in targets for target in batch]):
        expected.setdefault(target, []).append(row)
    assert {target: table.column("row").to_pylist() for target, table in left} == expected
    assert all(table.column_names == ["row"] for _, table in left)


def test_no_rows_are_no_parts() -> None:
    parts = Partitioner(Leave())
    assert parts.add(pa.record_batch([pa.array([], pa.int64())], names=["row"])) == []
    assert parts.finish() == []


@pytest.mark.parametrize("targets", [1, 2, 64])
def test_parts_stay_small_and_so_does_what_is_held_back(targets: int) -> None:
    destination = None if targets == 1 else "anything"
    parts = Partitioner(Leave(targets, destination))
    columns = {"row": pa.array(np.arange(100_000))}
    if destination:
        columns["mere_target"] = pa.array((np.arange(100_000) % targets).astype("uint16"))
    batch = pa.record_batch(columns)
    left = [part for _ in range(200) for part in parts.add(batch)]
    rest = parts.finish()
    assert all(part.nbytes <= PART_BYTES + batch.nbytes for _, part in left + rest)
    assert sum(part.nbytes for _, part in rest) <= 5 * PART_BYTES
    assert sum(part.num_rows for _, part in left + rest) == 200 * 100_000


def test_a_part_does_not_drag_the_memory_of_others_along() -> None:
    parts = Partitioner(Leave(2, "anything"))
    targets = np.zeros(100_000, "uint16")
    targets[0] = 1
    parts.add(pa.record_batch({"row": pa.array(np.arange(100_000)), "mere_target": pa.array(targets)}))
    small = next(part for target, part in parts.finish() if target == 1)
    assert small.get_total_buffer_size() < 1000


def test_the_query_is_left_alone_where_there_is_no_choice() -> None:
    assert with_target("SELECT 1 AS a", Leave()) == "SELECT 1 AS a"
    assert with_target("SELECT 1 AS a", Leave(1, "a")) == "SELECT 1 AS a"
    assert with_target("SELECT 1 AS a", Leave(3, "a")) != "SELECT 1 AS a"
