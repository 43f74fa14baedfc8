"""Which files of a table are worth rewriting, and the SQL that does it. Pure: plans and text, no I/O.

Used by `maintenance` in the coordinator process.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mere.lake.columns import ColumnRow, LakeColumn, quote_identifier, quote_literal
from mere.lake.files import PARQUET, DataFile
from mere.lake.message import ColumnStats, NewFile
from mere.lake.scan import FILE, POSITION, InlinedRelation, scan_sql

ROW_ID = "_ducklake_internal_row_id"
ROW_ID_FIELD_ID = 2147483540
_NULL_BUCKET = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class RewritePolicy:
    """Sizes in bytes. A file smaller than `small` is merged with its like, up to `target`, when there are `least` of
    them; one that is more than `heavier` times as large as all its like together waits for more of them, so that a
    byte is written again a few times only. One with a share of at least `deleted` of its rows deleted is rewritten."""

    target: int = 256 * 1024 * 1024
    small: int = 64 * 1024 * 1024
    least: int = 5
    heavier: float = 4.0
    deleted: float = 0.3


# Of VACUUM FULL: whatever can be better becomes so.
EVERYTHING = RewritePolicy(least=2, heavier=math.inf, deleted=0.0)


def choose_rewrites(
    files: Iterable[DataFile], policy: RewritePolicy, *, merge: bool = True, worn: bool = True
) -> list[tuple[DataFile, ...]]:
    """Groups of files of one bucket; the live rows of each group shall become one file. Groups of several are `merge`d
    small files, one alone is a `worn` file."""
    groups: list[tuple[DataFile, ...]] = []
    small: dict[int | None, list[DataFile]] = {}
    for file in files:
        if file.mapping_id is not None or file.id is None:
            continue  # files that a plain DuckDB added as they were stay so
        if file.size < policy.small:
            small.setdefault(file.bucket, []).append(file)
        elif _is_worn(file, policy):
            groups.append((file,))
    for members in small.values():
        merged = _packed(members, policy)
        covered = {file.id for group in merged for file in group}
        groups += merged
        groups += [(file,) for file in members if file.id not in covered and _is_worn(file, policy)]
    return [group for group in groups if (merge if len(group) > 1 else worn)]


def _is_worn(file: DataFile, policy: RewritePolicy) -> bool:
    return file.live_rows < file.rows and file.live_rows <= (1 - policy.deleted) * file.rows


def _packed(members: Sequence[DataFile], policy: RewritePolicy) -> list[tuple[DataFile, ...]]:
    groups: list[list[DataFile]] = [[]]
    for file in _alike(members, policy):
        if sum(f.size for f in groups[-1]) + file.size > policy.target:
            groups.append([])
        groups[-1].append(file)
    return [tuple(group) for group in groups if len(group) >= policy.least]


def _alike(members: Sequence[DataFile], policy: RewritePolicy) -> Sequence[DataFile]:
    """Without those that are too heavy for the rest, in the order that they have."""
    rest = sum(file.size for file in members)
    too_heavy = set()
    for file in sorted(members, key=lambda each: each.size, reverse=True):
        rest -= file.size
        if file.size <= policy.heavier * rest:
            break
        too_heavy.add(file.id)
    return [file for file in members if file.id not in too_heavy]


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How a table's files are written: below `prefix`, and when hashed, by `bucket(key_id, buckets)`."""

    table_id: int
    prefix: str
    columns: tuple[LakeColumn, ...]
    fields: Mapping[str, str]  # for FIELD_IDS, by column name
    leaves: Mapping[str, int]  # column ids by the names in RETURN_STATS
    key_id: int | None = None
    buckets: int = 0


def rewrite_sql(layout: TableLayout, files: Sequence[DataFile], row_id_starts: Mapping[int, int]) -> str:
    """COPY of the live rows of files of one bucket into one file.

    It streams: nothing of it grows with the files. So rows keep their order within a row group only, which is what
    skipping by statistics needs; to sort them by their ids took four times as long, and all the memory there was.
    """
    row_id = LakeColumn(ROW_ID_FIELD_ID, ROW_ID, "int64", "BIGINT")
    starts = ", ".join(f"({quote_literal(file.url)}, {row_id_starts.get(file.id or 0) or 0})" for file in files)
    names = ", ".join(quote_identifier(column.name) for column in layout.columns)
    scan = scan_sql(files, [*layout.columns, row_id], row_identity=True)
    source = (
        f"SELECT {names}, coalesce({ROW_ID}, mere_start + {POSITION}) AS {ROW_ID} FROM ({scan}) AS mere_rows"
        f" JOIN (VALUES {starts}) AS mere_starts(mere_url, mere_start) ON mere_url = {FILE}"
    )
    directory = ""
    if layout.key_id is not None:
        bucket = files[0].bucket
        directory = f"bucket={_NULL_BUCKET if bucket is None else bucket}/"
    target = f"{layout.prefix}{directory}mere-{uuid.uuid4()}.parquet"
    return f"COPY ({source}) TO {quote_literal(target)} ({_options(layout, {})})"


def flush_sql(layout: TableLayout, relations: Sequence[InlinedRelation]) -> str:
    """COPY of rows that PostgreSQL held into files, one per bucket."""
    aliases = {column.name: column.name for column in layout.columns}
    aliases |= {name: f"column_{layout.leaves.get(name, 0)}" for name in aliases if name.lower() == "bucket"}
    selected = [f"{quote_identifier(name)} AS {quote_identifier(alias)}" for name, alias in aliases.items()]
    options = f"{_options(layout, aliases)}, FILENAME_PATTERN 'mere-{{uuid}}', OVERWRITE_OR_IGNORE"
    if layout.key_id is not None:
        key = next(column.name for column in layout.columns if column.column_id == layout.key_id)
        selected.append(f"(murmur3_32({quote_identifier(key)}) & 2147483647) % {layout.buckets} AS bucket")
        options += ", PARTITION_BY (bucket)"
    else:
        options += f", FILE_SIZE_BYTES {RewritePolicy().target}, WRITE_EMPTY_FILE false"
    selected.append(f"{POSITION} AS {ROW_ID}")
    source = f"SELECT {', '.join(selected)} FROM ({scan_sql((), layout.columns, True, relations)})"
    return f"COPY ({source}) TO {quote_literal(layout.prefix.rstrip('/'))} ({options})"


def _options(layout: TableLayout, aliases: Mapping[str, str]) -> str:
    ids = [f"{quote_identifier(aliases.get(name, name))}: {field}" for name, field in layout.fields.items()]
    return f"{PARQUET}, RETURN_STATS, FIELD_IDS {{{', '.join([*ids, f'{ROW_ID}: {ROW_ID_FIELD_ID}'])}}}"


def field_ids(rows: Sequence[ColumnRow]) -> tuple[dict[str, str], dict[str, int]]:
    """For COPY's FIELD_IDS, the ids of each column with its children; and the id of each leaf, by its dotted name."""
    children: dict[int | None, list[ColumnRow]] = {}
    for row in rows:
        children.setdefault(row.parent_column, []).append(row)
    leaves: dict[str, int] = {}

    def ids(row: ColumnRow, path: str) -> str:
        inner = children.get(row.column_id, [])
        if not inner:
            leaves[path] = row.column_id
            return str(row.column_id)
        nested = ", ".join(
            f"{quote_identifier(child.name)}: {ids(child, f'{path}.{quote_identifier(child.name)}')}" for child in inner
        )
        return f"{{__duckdb_field_id: {row.column_id}, {nested}}}"

    return {row.name: ids(row, quote_identifier(row.name)) for row in children.get(None, [])}, leaves


def written_file(result: Sequence[Any], layout: TableLayout) -> NewFile:
    """What COPY's RETURN_STATS said about one file."""
    filename, rows, size, footer_size, statistics, _ = result
    path = str(filename).removeprefix(layout.prefix)
    bucket = re.match(r"bucket=(\d+)/", path) if layout.key_id is not None else None
    stats = tuple(
        ColumnStats(
            layout.leaves[name],
            stat.get("min"),
            stat.get("max"),
            int(stat["null_count"]),
            int(stat["num_values"]),
            int(stat["column_size_bytes"]),
            None if "has_nan" not in stat else stat["has_nan"] == "true" or "min" not in stat,
        )
        for name, stat in statistics.items()
        if name in layout.leaves
    )
    return NewFile(path, rows, size, footer_size, None if bucket is None else int(bucket[1]), stats)
