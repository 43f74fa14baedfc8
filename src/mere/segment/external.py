"""COPY FROM and TO a URL: files outside of the lake, read and written by a DuckDB of their own for one statement.

Lives in the coordinator process. Which role may use which URL is the session's question, not asked here; local files
are reachable only in directories that the administrator named, and the lake's own files never.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from mere.errors import DataError, InsufficientPrivilege, MereError, StorageError
from mere.segment.copy_format import CopyFormat
from mere.segment.copy_sql import InputColumn, Reader, fitting
from mere.segment.credentials import quote
from mere.segment.engine import Engine
from mere.segment.locations import Location, split_url
from mere.segment.workspace import Workspace
from mere.sql import types as pg
from mere.sql.expressions import coerce
from mere.sql.expressions.typed import Coercion, Environment, stored_column

_WILDCARD = re.compile(r"[*?\[{]")
_EXTENSIONS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "text",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}


@dataclass(frozen=True, slots=True)
class ExternalFile:
    """A URL, perhaps with wildcards, and the directory-like place that must be opened for it."""

    url: str
    place: Location


def external_file(text: str, lake: Sequence[Location], copy_directories: Sequence[Path]) -> ExternalFile:
    """Checks a COPY location. Raises 42501 for the lake's own files and for local files outside of the setting."""
    scheme, bucket, path = split_url(text)
    wildcard = _WILDCARD.search(path)
    fixed = path[: wildcard.start()] if wildcard else path
    directory = fixed[: fixed.rfind("/") + 1]
    if path.endswith("/") or not path:
        raise StorageError(f'"{text}" names no file', sqlstate="22023")
    place = Location(scheme, bucket, directory)
    if scheme == "file" and not any(Path(directory).is_relative_to(allowed.resolve()) for allowed in copy_directories):
        raise InsufficientPrivilege(
            f'permission denied for file "{path}"',
            hint="The setting copy_directories names the local directories that COPY may use.",
        )
    url = path if scheme == "file" else f"{scheme}://{bucket}/{path}"
    known = url[: len(url) - len(path) + len(fixed)]  # up to the first wildcard
    for own in lake:
        if known.startswith(own.url) or (wildcard and own.url.startswith(known)):
            raise InsufficientPrivilege(f'permission denied for "{text}": these are the files of the lake')
    return ExternalFile(url, place)


def format_of(text: str) -> str | None:
    """The format that a URL's extension tells, below a compression's."""
    name = text.lower()
    for packed in (".gz", ".zst"):
        name = name.removesuffix(packed)
    return _EXTENSIONS.get(Path(name).suffix)


@asynccontextmanager
async def external_workspace(engine: Engine, file: ExternalFile) -> AsyncIterator[Workspace]:
    """A workspace that reads and writes the lake and the file's place."""
    async with engine.external([file.place]) as other, other.workspace() as workspace:
        yield workspace


async def read_query(workspace: Workspace, file: ExternalFile, reader: Reader) -> str:
    """The SELECT of a COPY FROM: the input's columns, typed, by their names. All files in parallel."""
    if reader.format.format in ("csv", "text"):
        return reader.select_url(file.url)
    if reader.format.format == "parquet":
        source = f"read_parquet({quote(file.url)})"
    else:
        source = f"read_json({quote(file.url)}, format => 'newline_delimited', {_json_columns(reader.columns)})"
    return f"SELECT {await input_columns(workspace, file, reader, source)} FROM {source}"


async def parquet_files(workspace: Workspace, file: ExternalFile) -> dict[str, int] | None:
    """The number of rows of each file, by URL; None where the files differ in their columns, so that they must be read
    together."""
    url = quote(file.url)
    kinds = await workspace.rows(
        "SELECT count(DISTINCT columns) FROM (SELECT list(struct_pack(name, type, logical_type)) AS columns"
        f" FROM parquet_schema({url}) GROUP BY file_name)",
        looks_around=True,
    )
    rows = await workspace.rows(
        f"SELECT file_name, num_rows FROM parquet_file_metadata({url}) ORDER BY file_name", looks_around=True
    )
    return {str(name): int(count) for name, count in rows} if kinds[0][0] == 1 else None


async def input_columns(workspace: Workspace, file: ExternalFile, reader: Reader, source: str) -> str:
    """The select list of the input's columns over `source`."""
    found = [(str(name), str(kind)) for name, kind, *_ in await workspace.rows(f"DESCRIBE SELECT * FROM {source}")]
    pairs = _matched(found, reader.columns, file.url)
    return ", ".join(
        f"{_converted(column, name, kind, reader.environment)} AS {_quoted(column.name)}"
        for column, (name, kind) in zip(reader.columns, pairs, strict=True)
    )


def write_statement(query: str, file: ExternalFile, form: CopyFormat, names: Sequence[str]) -> str:
    """COPY (query) TO a URL. For text and csv the query's columns are rendered as text."""
    if _WILDCARD.search(file.url):
        raise MereError("COPY TO takes no wildcards", sqlstate="22023")
    aliases = ", ".join(_quoted(name) for name in names)
    source = f"SELECT * FROM ({query}) AS mere_rows({aliases})"
    if form.format == "parquet":
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
    elif form.format == "json":
        options = "FORMAT json, ARRAY false"
    elif form.format == "csv":
        options = _csv_options(form, names)
    else:
        raise MereError("COPY TO a URL takes the formats parquet, csv and json", sqlstate="0A000")
    if form.format != "parquet" and file.url.endswith(".gz"):
        options += ", COMPRESSION gzip"
    elif form.format != "parquet" and file.url.endswith(".zst"):
        options += ", COMPRESSION zstd"
    return f"COPY ({source}) TO {quote(file.url)} ({options})"


def _csv_options(form: CopyFormat, names: Sequence[str]) -> str:
    options = [
        "FORMAT csv",
        f"HEADER {'true' if form.header == 'yes' else 'false'}",
        f"DELIMITER {quote(form.delimiter)}",
        f"QUOTE {quote(form.quote)}",
        f"ESCAPE {quote(form.escape)}",
        f"NULLSTR {quote(form.null)}",
    ]
    forced = names if "*" in form.force_quote else [name for name in names if name in form.force_quote]
    if forced:
        options.append(f"FORCE_QUOTE ({', '.join(map(_quoted, forced))})")
    return ", ".join(options)


def _json_columns(columns: Sequence[InputColumn]) -> str:
    """JSON lines are read by name, each value as its column's type; an absent key is NULL."""
    kinds = ", ".join(f"{_quoted(column.name)}: {quote(_json_type(column))}" for column in columns)
    return f"columns => {{{kinds}}}"


def _json_type(column: InputColumn) -> str:
    """Numbers as numbers; whatever JSON has no word for comes as text and is cast."""
    kind = pg.duckdb_type(column.type)
    plain = column.type.oid in pg.NUMBERS or column.type.oid in (pg.BOOL, pg.JSON, pg.JSONB) or kind.endswith("[]")
    return kind if plain else "VARCHAR"


def _matched(found: Sequence[tuple[str, str]], columns: Sequence[InputColumn], url: str) -> Sequence[tuple[str, str]]:
    """By name, where the file has all the names; else by position, where it has as many columns."""
    by_name = {name.lower(): (name, kind) for name, kind in found}
    if all(column.name.lower() in by_name for column in columns):
        return [by_name[column.name.lower()] for column in columns]
    if len(found) == len(columns):
        return found
    missing = next(column.name for column in columns if column.name.lower() not in by_name)
    raise DataError(
        f'"{url}" has no column "{missing}"',
        sqlstate="22P04",
        detail=f"Its columns are {', '.join(name for name, _ in found)}.",
    )


_PLAIN = {
    "BOOLEAN": pg.BOOL,
    "SMALLINT": pg.INT2,
    "INTEGER": pg.INT4,
    "BIGINT": pg.INT8,
    "FLOAT": pg.FLOAT4,
    "DOUBLE": pg.FLOAT8,
    "VARCHAR": pg.TEXT,
    "DATE": pg.DATE,
    "TIME": pg.TIME,
    "TIMESTAMP": pg.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": pg.TIMESTAMPTZ,
    "UUID": pg.UUID,
    "BLOB": pg.BYTEA,
    "INTERVAL": pg.INTERVAL,
    "JSON": pg.JSON,
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)\Z")


def _converted(column: InputColumn, name: str, kind: str, environment: Environment) -> str:
    """The file's value as the column's type, by PostgreSQL's casts; DuckDB's own where the file's type is not one."""
    target = pg.duckdb_type(column.type)
    source = _postgres_type(kind)
    reference = exp.column(exp.to_identifier(name, quoted=True))
    if source is None or (kind == target and column.type.oid not in pg.STRINGS):
        return _quoted(name) if kind == target else f"CAST({_quoted(name)} AS {target})"
    strings = column.type.oid in pg.STRINGS
    how = Coercion.ASSIGNMENT if strings else Coercion.EXPLICIT
    exact = coerce(stored_column(reference, source), column.type, how, environment).sql.sql(dialect="duckdb")
    return fitting(column.type, _quoted(name), exact) if kind == target == "VARCHAR" else exact


def _postgres_type(kind: str) -> pg.PgType | None:
    if (match := _DECIMAL.match(kind)) is not None:
        return pg.PgType(pg.NUMERIC, pg.numeric_typmod(int(match[1]), int(match[2])))
    oid = _PLAIN.get(kind)
    return None if oid is None else pg.PgType(oid)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
