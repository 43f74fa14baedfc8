"""From the scans of a slice to DuckDB SELECTs over files: which files, which columns, what the transaction has changed.

Lives in the coordinator process; reads the lake's metadata, never data.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from mere.errors import UndefinedObject
from mere.execute.compose import with_constants
from mere.execute.constants import constant_text
from mere.lake.bucket import bucket_of
from mere.lake.columns import LakeColumn
from mere.lake.files import DataFile, DeleteFile, InlinedTable, TableFiles, layout_of
from mere.lake.inlined import InlinedRows
from mere.lake.metadata import Metadata, Snapshot
from mere.lake.overlay import Overlay, TableOverlay, conflict
from mere.lake.prune import Bound, order_of
from mere.lake.scan import POSITION, MappedColumn, scan_sql
from mere.segment.workspace import Workspace
from mere.sql.bind.bound import Predicate, Scan
from mere.sql.relations import Column, Relation
from mere.sql.types import BPCHAR, TYPES, duckdb_type

_KEPT = 256
_PRUNING = frozenset({"=", "<", "<=", ">", ">=", "in", "is null", "is not null"})


@dataclass(frozen=True, slots=True)
class LakeView:
    """What a statement sees of the lake: one snapshot, and its own transaction's changes on top."""

    metadata: Metadata
    snapshot: Snapshot
    overlay: Overlay
    data_url: str


@dataclass(frozen=True, slots=True)
class LakeSource:
    """A scan of a lake table, opened: the files that it reads after pruning, and `every` file that there is."""

    scan: Scan
    snapshot: Snapshot
    columns: tuple[LakeColumn, ...]
    bounds: tuple[Bound, ...]
    files: TableFiles
    every: TableFiles
    overlay: TableOverlay | None
    mappings: Mapping[int, Mapping[int, MappedColumn]]

    def inlined_name(self, table: InlinedTable) -> str:
        """The table in which the query finds the rows that a plain DuckDB left in PostgreSQL."""
        return f"{self.scan.name}_{table.name}"


# By a scan's id, what it was opened to, and the columns that its table had: right for as long as the table's kept lists
# of files and columns are the very same.
_opened: OrderedDict[int, tuple[LakeSource, tuple[LakeColumn, ...]]] = OrderedDict()


async def open_source(view: LakeView, scan: Scan, snapshot: Snapshot) -> LakeSource:
    """`snapshot` is the view's, or that of the scan's AT clause."""
    relation = scan.relation
    overlay = view.overlay.table(relation.oid) if snapshot is view.snapshot else None
    if scan.at is not None:
        await _require_existence(view.metadata, relation, snapshot)
    stored = await _stored_columns(view.metadata, relation, snapshot)
    every = files = await table_files(view, relation, snapshot, overlay)
    simple = overlay is None and not scan.row_identity
    if simple and (known := _opened.get(id(scan))) is not None and known[0].every is every and known[1] is stored:
        _opened.move_to_end(id(scan))
        return known[0]
    columns = _as_stored(scan.columns, stored)
    bounds = [bound for predicate in scan.predicates if (bound := _bound(relation, predicate, columns)) is not None]
    if bounds or scan.row_identity:
        files = await table_files(view, relation, snapshot, overlay, bounds, scan.row_identity)
    mappings = await view.metadata.mappings(files) if relation.table_id is not None and files.table_id >= 0 else {}
    source = LakeSource(scan, snapshot, columns, tuple(bounds), files, every, overlay, mappings)
    if simple:
        _opened[id(scan)] = source, stored
        if len(_opened) > _KEPT:
            _opened.popitem(last=False)
    return source


async def inlined_rows(view: LakeView, source: LakeSource) -> list[InlinedRows]:
    """The rows of the source that PostgreSQL holds, without those that this transaction has deleted."""
    table_id = source.scan.relation.table_id
    if table_id is None or source.files.table_id < 0:
        return []
    found = []
    for table in source.files.inlined:
        rows = await view.metadata.inlined_rows(table, table_id, source.snapshot.id)
        found.append(replace(rows, data=_without_deleted(rows, source.overlay)))
    return found


def source_sql(
    source: LakeSource,
    files: Sequence[DataFile],
    inlined: Sequence[InlinedRows] = (),
    held: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The SELECT over some of the source's files, and over inlined rows, loaded under their `inlined_name`.

    `held` has the tables in which the engine keeps files, by their addresses.
    """
    relations = [rows.relation(source.inlined_name(rows.table)) for rows in inlined]
    return scan_sql(files, source.columns, source.scan.row_identity, relations, source.mappings, held)


async def lake_scan_sql(view: LakeView, scan: Scan, snapshot: Snapshot, workspace: Workspace) -> str:
    """The SELECT that stands for one scan, whole, with what it needs loaded in the workspace."""
    source = await open_source(view, scan, snapshot)
    inlined = await inlined_rows(view, source)
    for rows in inlined:
        await workspace.load(source.inlined_name(rows.table), rows.data)
    files = source.files.files
    held = {} if scan.row_identity else workspace.held(files, source.columns)
    return source_sql(source, files, inlined, held)


async def _require_existence(metadata: Metadata, relation: Relation, snapshot: Snapshot) -> None:
    if relation.table_id is None or not await metadata.columns_at(relation.table_id, snapshot.id):
        raise UndefinedObject(f'relation "{relation.name}" does not exist at version {snapshot.id}')


def _without_deleted(rows: InlinedRows, overlay: TableOverlay | None) -> pa.Table:
    gone = [
        row
        for delete in (overlay.inlined if overlay else ())
        if delete.inlined_table == rows.table.name
        for row in delete.row_ids
    ]
    if not gone:
        return rows.data
    deleted = pc.is_in(rows.data.column(POSITION), value_set=pa.array(gone, pa.int64()))
    return rows.data.filter(pc.invert(deleted))


async def table_files(
    view: LakeView,
    relation: Relation,
    snapshot: Snapshot,
    overlay: TableOverlay | None,
    bounds: Sequence[Bound] = (),
    for_change: bool = False,
) -> TableFiles:
    """The table's files as the transaction sees them. `for_change` raises 40001 where a commit of others has changed
    what it deleted from; a statement that only reads sees what both have done."""
    if relation.table_id is None or (overlay is not None and overlay.truncated):
        base = TableFiles(-1, snapshot.id, ())
    else:
        base = await view.metadata.table_files(relation.table_id, snapshot.id, bounds)
    return base if overlay is None else replace(base, files=_overlaid(view, relation, base, overlay, for_change))


def _overlaid(
    view: LakeView, relation: Relation, base: TableFiles, overlay: TableOverlay, for_change: bool
) -> tuple[DataFile, ...]:
    files: list[DataFile] = []
    for file in base.files:
        if file.id is not None and file.id in overlay.removed:
            # The commit checks this only from the snapshot on that the transaction read last.
            known = overlay.removed[file.id]
            if for_change and (file.inlined_deletes or known != (file.delete.id if file.delete is not None else None)):
                raise conflict(relation.name)
            continue
        delete = overlay.deletes.get(file.url)
        if delete is not None:
            own = DeleteFile(None, own_url(view, relation, delete.path), delete.count)
            if delete.replaces == (file.delete.id if file.delete is not None else None):
                file = replace(file, delete=own)
            elif for_change:
                raise conflict(relation.name)
            else:  # the commit will be refused, but reads see what both have deleted
                file = replace(file, delete=own, other_delete=file.delete)
        files.append(file)
    for new in overlay.files:
        url = own_url(view, relation, new.path)
        delete = overlay.deletes.get(url)
        deleted = None if delete is None else DeleteFile(None, own_url(view, relation, delete.path), delete.count)
        files.append(DataFile(None, url, new.rows, new.size, new.bucket, deleted, layout=table_layout(relation)))
    return tuple(files)


def own_url(view: LakeView, relation: Relation, path: str) -> str:
    """The absolute address of a file of the table, from its path relative to the table's prefix."""
    return table_prefix(view.data_url, relation) + path


def table_prefix(data_url: str, relation: Relation) -> str:
    location = relation.path or ""
    return location if location.startswith("/") or "://" in location else data_url + location


async def lake_columns(
    metadata: Metadata, relation: Relation, columns: tuple[Column, ...], snapshot: Snapshot
) -> tuple[LakeColumn, ...]:
    """The columns as the files hold them, under the names that the statement uses."""
    return _as_stored(columns, await _stored_columns(metadata, relation, snapshot))


async def _stored_columns(metadata: Metadata, relation: Relation, snapshot: Snapshot) -> tuple[LakeColumn, ...]:
    return () if relation.table_id is None else await metadata.columns_at(relation.table_id, snapshot.id)


# By the id of a scan's columns: these, what the table had, and what came of it. A statement for any values has the same
# columns at each execution.
_matched: OrderedDict[int, tuple[tuple[Column, ...], tuple[LakeColumn, ...], tuple[LakeColumn, ...]]] = OrderedDict()


def _as_stored(columns: tuple[Column, ...], stored: tuple[LakeColumn, ...]) -> tuple[LakeColumn, ...]:
    known = _matched.get(id(columns))
    if known is not None and known[0] is columns and known[1] is stored:
        _matched.move_to_end(id(columns))
        return known[2]
    matched = tuple(_match(columns, stored))
    _matched[id(columns)] = columns, stored, matched
    if len(_matched) > _KEPT:
        _matched.popitem(last=False)
    return matched


def _match(columns: Sequence[Column], stored: Sequence[LakeColumn]) -> list[LakeColumn]:
    by_id = {column.column_id: column for column in stored}
    found = []
    for column in columns:
        assert column.field_id is not None
        known = by_id.get(column.field_id)
        duckdb = duckdb_type(column.type)
        if known is not None:
            found.append(replace(known, name=column.name, duckdb_type=duckdb or known.duckdb_type))
        else:  # added by this transaction
            lake_type = TYPES[column.type.oid].ducklake
            found.append(LakeColumn(column.field_id, column.name, lake_type, duckdb, column.initial_default))
    return found


def _bound(relation: Relation, predicate: Predicate, columns: Sequence[LakeColumn]) -> Bound | None:
    """The predicate in the form that pruning reads; None where a value is not a plain constant."""
    if predicate.op not in _PRUNING or predicate.column.field_id is None:
        return None
    column = next((c for c in columns if c.column_id == predicate.column.field_id), None)
    if column is None:
        return None
    texts = [constant_text(value) for value in predicate.values]
    if any(text is None or not _fits(text, column.type) for text in texts):
        return None
    # Files have a char(n) without its padding. The value may be compared with padding or without: as the bound that
    # rules out less.
    trimmed = predicate.column.type.oid == BPCHAR and predicate.op not in ("<", "<=")
    values = tuple(t.rstrip(" ") if trimmed else t for t in texts if t is not None)
    buckets = _buckets(relation, predicate, column, values)
    layout = table_layout(relation)
    return Bound(column.column_id, column.type, predicate.op, values, buckets, layout)  # type: ignore[arg-type]


def table_layout(relation: Relation) -> int | None:
    """How files of the table are bucketed under its policy; None when they are not."""
    if relation.policy.kind != "hash" or not relation.policy.keys:
        return None
    key = next((column for column in relation.columns if column.attnum == relation.policy.keys[0]), None)
    return None if key is None or key.field_id is None else layout_of(key.field_id, relation.policy.buckets)


def _buckets(
    relation: Relation, predicate: Predicate, column: LakeColumn, values: Sequence[str]
) -> frozenset[int] | None:
    """The buckets that can hold the values, when the column is the table's hash key."""
    policy = relation.policy
    if policy.kind != "hash" or policy.keys[:1] != (predicate.column.attnum,) or predicate.op not in ("=", "in"):
        return None
    found = [bucket_of(value, column.type, policy.buckets) for value in values]
    return None if None in found else frozenset(bucket for bucket in found if bucket is not None)


def _fits(text: str, lake_type: str) -> bool:
    return order_of(lake_type) != "i" or text.lstrip("+-").isdigit()


def fill(predicate: Predicate, constants: Mapping[str, exp.Expression]) -> Predicate:
    """The predicate with the placeholders of evaluated constants replaced."""
    return replace(predicate, values=tuple(with_constants(value, constants) for value in predicate.values))


async def scanned_files(view: LakeView, scan: Scan) -> tuple[TableFiles, TableFiles]:
    """The files that a scan reads after pruning, and all of the table's, for EXPLAIN."""
    relation = scan.relation
    overlay = view.overlay.table(relation.oid)
    columns = await lake_columns(view.metadata, relation, scan.columns, view.snapshot)
    bounds = [bound for predicate in scan.predicates if (bound := _bound(relation, predicate, columns)) is not None]
    pruned = await table_files(view, relation, view.snapshot, overlay, bounds)
    return pruned, await table_files(view, relation, view.snapshot, overlay)
