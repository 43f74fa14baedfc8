"""The SQL text with which DuckDB scans a table: files, their deletes, evolution of columns, and row identity.

Pure text, no I/O. A scan is a UNION ALL of at most a few branches, each one read_parquet over many files, so that
DuckDB pushes filters and projections into every one and skips row groups and late columns as over plain files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mere.errors import FeatureNotSupported
from mere.lake.columns import LakeColumn, quote_identifier, quote_literal
from mere.lake.files import DataFile, DeleteFile

FILE = "mere_file"
POSITION = "mere_pos"
INLINED_PREFIX = "inlined:"
# Parquet field id of the snapshot that a row of a merged file came with (Iceberg's last updated sequence number)
SNAPSHOT_FIELD_ID = 2147483539
_SNAPSHOT = "_ducklake_internal_snapshot_id"


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """How a file added by name holds a column: under `source_name`, or in its path (a hive partition)."""

    source_name: str
    is_partition: bool


@dataclass(frozen=True, slots=True)
class InlinedRelation:
    """Rows fetched from PostgreSQL and registered with DuckDB under `relation`: columns c<id> as text (blobs as bytes),
    mere_pos, of the inlined table `table`."""

    relation: str
    table: str
    column_ids: frozenset[int]


def scan_sql(
    files: Sequence[DataFile],
    columns: Sequence[LakeColumn],
    row_identity: bool = False,
    inlined: Sequence[InlinedRelation] = (),
    mappings: Mapping[int, Mapping[int, MappedColumn]] | None = None,
    held: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A SELECT of `columns`, by their names, over `files`; with `row_identity` also mere_file and mere_pos.

    `mappings` has, by mapping id and column id, the columns of files that a plain DuckDB added as they were.
    `held` has, by address, the tables that hold the live rows of files, under the names of `held_column`.
    """
    kinds: dict[_Kind, list[DataFile]] = {}
    branches: list[str] = []
    for file in files:
        if file.url in held and file.positions is None:
            branches.append(_held(held[file.url], columns))
            continue
        has_deletes = file.delete is not None or bool(file.inlined_deletes)
        kinds.setdefault((file.mapping_id, file.snapshot_filter, has_deletes, file.positions), []).append(file)
    branches += [_branch(group, kind, columns, row_identity, mappings or {}) for kind, group in kinds.items()]
    branches += [_inlined(relation, columns, row_identity) for relation in inlined]
    return " UNION ALL ".join(branches) if branches else _empty(columns, row_identity)


# What files must share to be read by one read_parquet: mapping, snapshot filter, whether they have deletes, positions.
_Kind = tuple[int | None, int | None, bool, tuple[int, int] | None]


def _branch(
    files: Sequence[DataFile],
    kind: _Kind,
    columns: Sequence[LakeColumn],
    row_identity: bool,
    mappings: Mapping[int, Mapping[int, MappedColumn]],
) -> str:
    mapping_id, snapshot_filter, has_deletes, positions = kind
    if mapping_id is not None:
        selected = _mapped_columns(columns, mappings[mapping_id])
        options = "union_by_name => true, hive_partitioning => true, hive_types_autocast => false"
        source = f"read_parquet({_list(files)}, {options})"
    else:
        selected = [quote_identifier(column.name) for column in columns]
        source = _by_field_id(files, columns, snapshot_filter is not None)
    if row_identity:
        selected += [f"filename AS {FILE}", f"file_row_number AS {POSITION}"]
    sql = f"SELECT {', '.join(selected) or 'NULL'} FROM {source} AS mere_f"
    if has_deletes:
        sql += (
            f" ANTI JOIN ({_deleted(files)}) AS mere_d"
            " ON mere_d.mere_i = mere_f.file_index::BIGINT AND mere_d.mere_p = mere_f.file_row_number"
        )
    conditions = []
    if snapshot_filter is not None:
        conditions.append(f"{_SNAPSHOT} <= {snapshot_filter}")
    if positions is not None:  # DuckDB skips the row groups outside
        conditions.append(f"mere_f.file_row_number BETWEEN {positions[0]} AND {positions[1] - 1}")
    return f"{sql} WHERE {' AND '.join(conditions)}" if conditions else sql


def _by_field_id(files: Sequence[DataFile], columns: Sequence[LakeColumn], with_snapshots: bool) -> str:
    entries = [
        f"{column.column_id}: {{name: {quote_literal(column.name)}, type: {quote_literal(column.duckdb_type)}, "
        f"default_value: {_default(column.initial_default)}}}"
        for column in columns
    ]
    if with_snapshots:
        entries.append(f"{SNAPSHOT_FIELD_ID}: {{name: '{_SNAPSHOT}', type: 'BIGINT', default_value: NULL}}")
    if not entries:  # count(*): a field that no file has costs nothing to read
        entries.append("2147483000: {name: 'mere_nothing', type: 'BOOLEAN', default_value: NULL}")
    rows = max(1, sum(file.rows if file.positions is None else file.live_rows for file in files))
    return f"read_parquet({_list(files)}, schema => MAP {{{', '.join(entries)}}}, explicit_cardinality => {rows})"


def _list(files: Sequence[DataFile]) -> str:
    return f"[{', '.join(quote_literal(file.url) for file in files)}]"


def _default(text: str | None) -> str:
    return "NULL" if text is None else quote_literal(text)


def _deleted(files: Sequence[DataFile]) -> str:
    """(mere_i, mere_p): the ordinal of the data file in its branch, and a deleted position."""
    parts = []
    deletes = [
        (ordinal, delete)
        for ordinal, file in enumerate(files)
        for delete in (file.delete, file.other_delete)
        if delete is not None
    ]
    for limit in sorted({_limit(delete.snapshot_filter) for _, delete in deletes}):
        members = [(ordinal, delete) for ordinal, delete in deletes if _limit(delete.snapshot_filter) == limit]
        parts.append(_delete_positions(members, limit, len(files)))
    for ordinal, file in enumerate(files):
        if file.inlined_deletes:
            parts.append(
                f"SELECT {ordinal}::BIGINT AS mere_i, unnest({list(file.inlined_deletes)}::BIGINT[]) AS mere_p"
            )
    return " UNION ALL ".join(parts)


def _delete_positions(members: Sequence[tuple[int, DeleteFile]], limit: int, count: int) -> str:
    for _, delete in members:
        if delete.format != "parquet":
            raise FeatureNotSupported(f"delete files of format {delete.format} are not supported")
    # the n-th delete file belongs to the data file with the n-th of these ordinals
    ordinals = [ordinal for ordinal, _ in members]
    ordinal = "file_index::BIGINT" if ordinals == list(range(count)) else f"{ordinals}[file_index::BIGINT + 1]"
    urls = ", ".join(quote_literal(delete.url) for _, delete in members)
    if limit < 0:
        return f"SELECT {ordinal} AS mere_i, pos::BIGINT AS mere_p FROM read_parquet([{urls}])"
    # Only the extension's own delete files say which snapshot deleted a row, and not in the metadata.
    return (
        f"SELECT mere_i, pos::BIGINT AS mere_p FROM (SELECT NULL::BIGINT AS {_SNAPSHOT} WHERE false UNION ALL BY NAME"
        f" SELECT *, {ordinal} AS mere_i FROM read_parquet([{urls}], union_by_name => true))"
        f" WHERE coalesce({_SNAPSHOT}, 0) <= {limit}"
    )


def _limit(snapshot_filter: int | None) -> int:
    return -1 if snapshot_filter is None else snapshot_filter


def _mapped_columns(columns: Sequence[LakeColumn], mapping: Mapping[int, MappedColumn]) -> list[str]:
    return [
        _cast(quote_identifier(mapping[column.column_id].source_name), column)
        if column.column_id in mapping
        else _cast(_default(column.initial_default), column)
        for column in columns
    ]


def _cast(value: str, column: LakeColumn) -> str:
    return f"CAST({value} AS {column.duckdb_type}) AS {quote_identifier(column.name)}"


def held_column(column: LakeColumn) -> str:
    return f"c{column.column_id}"


def _held(table: str, columns: Sequence[LakeColumn]) -> str:
    selected = [f"{held_column(column)} AS {quote_identifier(column.name)}" for column in columns]
    return f"SELECT {', '.join(selected) or 'NULL'} FROM {table}"


def _inlined(relation: InlinedRelation, columns: Sequence[LakeColumn], row_identity: bool) -> str:
    selected = [
        _cast(f"c{column.column_id}", column)
        if column.column_id in relation.column_ids
        else _cast(_default(column.initial_default), column)
        for column in columns
    ]
    if row_identity:
        selected += [f"{quote_literal(INLINED_PREFIX + relation.table)} AS {FILE}", POSITION]
    return f"SELECT {', '.join(selected) or 'NULL'} FROM {quote_identifier(relation.relation)}"


def _empty(columns: Sequence[LakeColumn], row_identity: bool) -> str:
    selected = [f"NULL::{column.duckdb_type} AS {quote_identifier(column.name)}" for column in columns]
    if row_identity:
        selected += [f"NULL::VARCHAR AS {FILE}", f"NULL::BIGINT AS {POSITION}"]
    return f"SELECT {', '.join(selected) or 'NULL'} WHERE false"
