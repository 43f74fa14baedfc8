"""Writing rows to the lake: a query's result becomes new Parquet files under the table's prefix, with their statistics.

Runs on a workspace. What is written stays invisible until a commit names it; after a failure it is garbage that
maintenance finds. Names are unique, so running a write twice is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mere.errors import IntegrityError
from mere.lake.files import PARQUET
from mere.lake.message import ColumnStats, NewFile
from mere.segment.credentials import quote
from mere.segment.workspace import Workspace
from mere.sql import types as pg
from mere.sql.raised import raised_text

BUCKET = "bucket"  # the directory is `bucket=N/`: the extension's merging refuses files under any other name
_NULL_BUCKET = f"{BUCKET}=__HIVE_DEFAULT_PARTITION__"
_TARGET_BYTES = 512 * 1024 * 1024
_WITHOUT_STATISTICS = frozenset({pg.INTERVAL, pg.TIMETZ})
_FLOATS = frozenset({pg.FLOAT4, pg.FLOAT8})


@dataclass(frozen=True, slots=True)
class WriteColumn:
    """A column as DuckLake knows it: `field_id` is its column id, `element_id` that of an array's elements."""

    name: str
    oid: int
    field_id: int
    element_id: int | None = None
    not_null: bool = False


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """`prefix` is the table's absolute URL and ends with '/'. `key` names the column that chooses among `buckets`.
    `relation` and `schema` are for errors."""

    relation: str
    prefix: str
    columns: tuple[WriteColumn, ...]
    key: str | None = None
    buckets: int = 0
    schema: str | None = None


async def write_query(workspace: Workspace, query: str, target: WriteTarget) -> tuple[NewFile, ...]:
    """Runs the query, whose columns stand in the order of the target's, and writes its rows.

    NOT NULL is enforced here, for nothing: the files' statistics tell. No row: no file.
    """
    if "://" not in target.prefix:
        await workspace.call(lambda: Path(target.prefix).mkdir(parents=True, exist_ok=True))
    rows = await workspace.rows(copy_statement(query, target))
    return tuple(_new_file(row, target) for row in rows if row[1])


def copy_statement(query: str, target: WriteTarget) -> str:
    """COPY (...) TO the table's prefix."""
    names = [_file_name(column, target) for column in target.columns]
    aliases = ", ".join(_quoted(name) for name in names)
    selected = [_checked(column, name, target) for column, name in zip(target.columns, names, strict=True)]
    options = [PARQUET, f"FIELD_IDS {{{', '.join(map(_field_id, target.columns, names))}}}", "RETURN_STATS"]
    options += ["FILENAME_PATTERN 'mere-{uuid}'", "OVERWRITE_OR_IGNORE"]
    if target.key is not None:
        key = next(_quoted(n) for c, n in zip(target.columns, names, strict=True) if c.name == target.key)
        selected.append(f"{bucket_expression(key, target.buckets)} AS {BUCKET}")
        options.append(f"PARTITION_BY ({BUCKET})")
    else:
        options += [f"FILE_SIZE_BYTES {_TARGET_BYTES}", "WRITE_EMPTY_FILE false"]
    source = f"SELECT {', '.join(selected)} FROM ({query}) AS mere_rows({aliases})"
    return f"COPY ({source}) TO {quote(target.prefix.rstrip('/'))} ({', '.join(options)})"


def bucket_expression(key: str, buckets: int) -> str:
    """DuckLake's bucket transform; NULL has a bucket of its own, NULL."""
    return f"(murmur3_32({key}) & 2147483647) % {buckets}"


def _file_name(column: WriteColumn, target: WriteTarget) -> str:
    """The name in the file is for human readers only (field ids count), so one that clashes may give way."""
    if target.key is not None and column.name.lower() == BUCKET:
        return f"column_{column.field_id}"
    return column.name


def _field_id(column: WriteColumn, name: str) -> str:
    if column.element_id is None:
        return f"{_quoted(name)}: {column.field_id}"
    return f"{_quoted(name)}: {{__duckdb_field_id: {column.field_id}, element: {column.element_id}}}"


def _checked(column: WriteColumn, name: str, target: WriteTarget) -> str:
    """A NOT NULL column whose file statistics count no NULLs is checked row by row, as is what Parquet would cut."""
    reference = _quoted(name)
    if column.oid == pg.INTERVAL:
        message = quote(f'0A000:interval in column "{column.name}" is finer than the millisecond that lake tables keep')
        reference = f"CASE WHEN epoch_us({reference}::INTERVAL) % 1000 <> 0 THEN error({message}) ELSE {reference} END"
    if not column.not_null or (column.element_id is None and column.oid not in _WITHOUT_STATISTICS):
        return reference if reference == _quoted(name) else f"{reference} AS {_quoted(name)}"
    message = quote(
        raised_text(
            "23502",
            _null_message(column, target),
            schema=target.schema,
            table=target.relation,
            column=column.name,
        )
    )
    return f"CASE WHEN {reference} IS NULL THEN error({message}) ELSE {reference} END AS {_quoted(name)}"


def _null_message(column: WriteColumn, target: WriteTarget) -> str:
    return f'null value in column "{column.name}" of relation "{target.relation}" violates not-null constraint'


def _new_file(row: Sequence[Any], target: WriteTarget) -> NewFile:
    filename, count, size, footer, statistics, keys = row
    path = str(filename)[len(target.prefix.rstrip("/")) + 1 :]
    return NewFile(
        path=path,
        rows=int(count),
        size=int(size),
        footer_size=int(footer),
        bucket=_bucket(path, keys, target),
        stats=tuple(_column_stats(column, statistics, target) for column in target.columns),
    )


def _bucket(path: str, keys: Mapping[str, Any] | None, target: WriteTarget) -> int | None:
    if target.key is None or path.startswith(_NULL_BUCKET):
        return None
    return int((keys or {})[BUCKET])


def _column_stats(column: WriteColumn, statistics: Mapping[str, Mapping[str, str]], target: WriteTarget) -> ColumnStats:
    """An array has the statistics of its elements, under their id: so DuckLake keeps them."""
    name = _quoted(_file_name(column, target))
    if column.element_id is not None:
        column_id, found = column.element_id, statistics.get(f'{name}."element"', {})
    else:
        column_id, found = column.field_id, statistics.get(name, {})
    nulls, values = int(found.get("null_count", 0)), int(found.get("num_values", 0))
    if column.not_null and column.element_id is None and nulls:
        raise IntegrityError(
            _null_message(column, target),
            sqlstate="23502",
            schema=target.schema,
            table=target.relation,
            column=column.name,
        )
    low, high = _bound(found.get("min")), _bound(found.get("max"))
    has_nan = found.get("has_nan")
    return ColumnStats(
        column_id=column_id,
        min=low if high is not None else None,
        max=high if low is not None else None,
        nulls=nulls,
        values=values,
        size=int(found.get("column_size_bytes", 0)),
        has_nan=_has_nan(column, has_nan, low is None and values > nulls),
    )


def _bound(text: str | None) -> str | None:
    """PostgreSQL's text holds no zero byte: such a bound is unknown."""
    return None if text is None or "\0" in text else text


def _has_nan(column: WriteColumn, text: str | None, unbounded: bool) -> bool | None:
    """A file with nothing but NaN says it has none, and has no bounds: then it may have some."""
    if text is None:
        return None
    return text == "true" or (unbounded and column.oid in _FLOATS)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
