"""The step that follows where segments find rows to remove: their positions meet by data file, and each segment writes
the delete files of those that came to it. Pure plans and lists; coordinator process.

A data file has one delete file, so all its positions have to be in one place, wherever joins have carried its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from mere.execute.dispatch import root_inputs
from mere.execute.dispatch_tasks import Store
from mere.lake.files import DataFile, TableFiles
from mere.lake.scan import INLINED_PREFIX
from mere.plan.nodes import DistributedPlan, Motion, MotionColumn, MotionKind, SegmentSlice, Slice, Where
from mere.runtime.base import Load, Part
from mere.segment.deletes import FILE_COLUMNS, FILES, LOST_COLUMNS, POSITION_COLUMNS, LosingFile, numbered
from mere.segment.task import Change, Removal


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """`finds` is the slice that finds the rows, `removes` the one that gets their positions, `lost` the motion that
    tells what became of the files."""

    plan: DistributedPlan
    finds: int
    removes: int
    lost: Motion


def removal_plan(plan: DistributedPlan) -> RemovalPlan | None:
    """A plan that only passes on the rows of one Gather, with the removal behind that Gather's sender. None for
    another, whose rows the coordinator has to see."""
    if not plan.plain:
        return None
    (number,) = root_inputs(plan)
    found = next(motion for motion in plan.motions if motion.number == number)
    if any(number in slice_.inputs for slice_ in plan.slices):
        return None
    moved = replace(
        found,
        kind=MotionKind.REDISTRIBUTE,
        columns=_columns(POSITION_COLUMNS),
        destination=exp.column("mere_number", quoted=True),
        keys=("file",),
        order=(),
    )
    removes = max(slice_.number for slice_ in plan.slices) + 1
    rows = next(slice_.rows for slice_ in plan.slices if slice_.number == found.sender)
    removing = SegmentSlice(removes, _all_of(moved.table), Where.EVERY, (), (moved.number,), rows)
    lost = Motion(max(motion.number for motion in plan.motions) + 1, MotionKind.GATHER, removes, _columns(LOST_COLUMNS))
    motions = [moved if motion is found else motion for motion in plan.motions]
    root = Slice(0, _all_of(lost.table), (), (), ())
    extended = replace(plan, slices=(*plan.slices, removing), motions=(*motions, lost), root=root)
    return RemovalPlan(extended, found.sender, removes, lost)


def removal_stores(
    removal: RemovalPlan, prefix: str, files: Part, change: Change | None, once: bool
) -> tuple[Store, ...]:
    """What both slices do. `prefix` is the table's absolute URL, `files` the rows of the table FILES. `change` writes
    rows that take the place of others, and leaves positions itself; without one the rows are only removed."""
    load = Load(FILES, FILE_COLUMNS, (files,))
    found = _positions if change is None else _same
    return (
        Store(removal.finds, change, found, (load,)),
        Store(removal.removes, Removal(prefix, once), _same, (load,)),
    )


def _positions(text: str) -> str:
    return numbered(f"({text})")


def _same(text: str) -> str:
    return text


def losing_files(files: TableFiles) -> list[LosingFile]:
    """What a scan with row identity reads, as those that look for its rows must know it."""
    inlined = [LosingFile(INLINED_PREFIX + table.name) for table in files.inlined]
    return [losing_file(file) for file in files.files] + inlined


def losing_file(file: DataFile) -> LosingFile:
    """A file that holds rows of later snapshots too, or deletions noted elsewhere, cannot be dropped as a whole."""
    partial = file.snapshot_filter is not None or bool(file.inlined_deletes)
    old = None if file.delete is None else file.delete.url
    return LosingFile(file.url, old, None if partial else file.rows)


def _columns(pairs: Sequence[tuple[str, str]]) -> tuple[MotionColumn, ...]:
    return tuple(MotionColumn(*pair) for pair in pairs)


def _all_of(table: str) -> exp.Select:
    return exp.select("*").from_(exp.to_table(table))
