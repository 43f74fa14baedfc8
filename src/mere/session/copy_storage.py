"""COPY between lake tables and object storage: Parquet, csv and JSON lines, with globs. Coordinator process.

One DuckDB statement reads and writes, in an engine of its own that can reach the named place and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from mere.errors import DataError, FeatureNotSupported, InsufficientPrivilege, UndefinedObject
from mere.execute.query import slice_text
from mere.plan.planner import plan
from mere.segment.locations import Location, parse_location, split_url
from mere.segment.workspace import Workspace
from mere.session.copy_query import copy_query
from mere.session.copy_target import copy_target
from mere.session.copy_to import refuse, wants_header
from mere.session.insert import insert_rows
from mere.session.postgres_rows import PostgresRows
from mere.session.select import session_format
from mere.session.state import SessionState
from mere.sql.copy_command import Copy
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Column
from mere.sql.render import render_text
from mere.sql.types import duckdb_type

_GLOB = frozenset("*?[{")
_SUFFIXES = {
    ".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json",
}  # fmt: skip
_COMPRESSION = frozenset({".gz", ".zst"})


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


async def copy_from_storage(state: SessionState, command: Copy) -> int:
    """Loads files into a lake table; returns the number of rows. Parquet and JSON columns are matched by name."""
    url = _allowed_url(state, command)
    form = _format(command, url)
    target = await copy_target(state, command)
    async with state.services.engine.external([_reach(url)]) as engine:
        workspace = engine.workspace()
        state.workspaces.add(workspace)
        async with workspace:
            columns = target.bound.given
            selected = await _source(workspace, command, form, url, columns)
            files = await insert_rows(state, target.view, target.bound, workspace, selected)
            return sum(file.rows for file in files)


async def copy_to_storage(state: SessionState, command: Copy) -> int:
    """Writes a table or query as files under the URL; returns the number of rows."""
    url = _allowed_url(state, command)
    form = _format(command, url)
    if not _GLOB.isdisjoint(url):
        raise DataError(f'cannot COPY to "{url}": it has wildcards', sqlstate="22023")
    query = await copy_query(state, command)
    names = [field.name for field in query.fields]
    if len({name.lower() for name in names}) != len(names):
        raise DataError("COPY to object storage needs distinct column names", sqlstate="42701")
    outputs = [column.typed.sql.copy() for column in query.bound.columns]
    if form == "csv":
        outputs = [render_text(column.typed, session_format(state)) for column in query.bound.columns]
    async with state.services.engine.external([_reach(url)]) as engine:
        workspace = engine.workspace()
        state.workspaces.add(workspace)
        async with workspace:
            slice_ = plan(query.bound).root
            text = await slice_text(slice_, query.view, PostgresRows(state.backend), workspace, outputs)
            aliases = ", ".join(map(quote_identifier, names))
            source = f"SELECT * FROM ({text}) AS mere_out({aliases})"
            rows = await workspace.rows(f"COPY ({source}) TO {quote(url)} ({_write_options(command, form)})")
            return int(rows[0][0])


def _allowed_url(state: SessionState, command: Copy) -> str:
    """The place, in DuckDB's spelling. The lake's own files are never reached this way: they know no privileges."""
    assert command.location is not None
    scheme, bucket, path = split_url(command.location)
    url = path if scheme == "file" else f"{scheme}://{bucket}/{path}"
    if scheme == "file" and not any(
        url.startswith(directory.rstrip("/") + "/") for directory in state.services.settings.copy_directories
    ):
        raise InsufficientPrivilege(
            f'COPY cannot reach the local path "{command.location}"',
            hint="Name an object storage URL, use psql's \\copy, or set copy_directories on the server.",
        )
    root = state.services.storage.url
    if url.startswith(root) or (root.startswith(_directory(url)) and not _GLOB.isdisjoint(url)):
        raise InsufficientPrivilege(f'COPY cannot reach "{command.location}": the warehouse itself is stored there')
    return url


def _directory(url: str) -> str:
    """The part of the URL before its first wildcard, up to the last '/'."""
    stop = min((url.index(character) for character in _GLOB if character in url), default=len(url))
    return url[: url.rindex("/", 0, stop) + 1]


def _reach(url: str) -> Location:
    return parse_location(_directory(url))


def _format(command: Copy, url: str) -> str:
    said = command.option("format")
    if said is not None:
        form = str(said).lower()
        if form not in ("parquet", "csv", "json"):
            raise FeatureNotSupported(f'COPY format "{form}" is not supported with object storage')
        return form
    suffixes = [suffix.lower() for suffix in PurePosixPath(url).suffixes]
    if suffixes and suffixes[-1] in _COMPRESSION:
        suffixes.pop()
    known = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if known is None:
        raise DataError(
            f'cannot tell the format of "{url}"', sqlstate="22023", hint="Say WITH (FORMAT parquet|csv|json)."
        )
    return known


async def _source(workspace: Workspace, command: Copy, form: str, url: str, columns: Sequence[Column]) -> str:
    """A SELECT of the target's columns from the files."""
    if form == "parquet":
        refuse(command, "delimiter", "null", "header", "quote", "escape")
        source = f"read_parquet({quote(url)})"
        names = await _file_columns(workspace, source, url, columns)
    elif form == "json":
        types = ", ".join(f"{quote_identifier(c.name)}: {quote(duckdb_type(c.type))}" for c in columns)
        source = f"read_json({quote(url)}, format => 'newline_delimited', columns => {{{types}}})"
        names = [column.name for column in columns]
    else:
        source = f"read_csv({quote(url)}, {_csv_options(command, columns)})"
        names = [column.name for column in columns]
    selected = [
        f"CAST({quote_identifier(name)} AS {duckdb_type(column.type)}) AS {quote_identifier(column.name)}"
        for name, column in zip(names, columns, strict=True)
    ]
    return f"SELECT {', '.join(selected)} FROM {source}"


async def _file_columns(workspace: Workspace, source: str, url: str, columns: Sequence[Column]) -> list[str]:
    """The name that each column has in the files, whatever the case."""
    found = {str(row[0]).lower(): str(row[0]) for row in await workspace.rows(f"DESCRIBE SELECT * FROM {source}")}
    missing = [column.name for column in columns if column.name.lower() not in found]
    if missing:
        raise UndefinedObject(
            f'column "{missing[0]}" is not in "{url}"',
            sqlstate="42703",
            hint=f"The files have: {', '.join(found.values())}.",
        )
    return [found[column.name.lower()] for column in columns]


def _csv_options(command: Copy, columns: Sequence[Column]) -> str:
    types = ", ".join(f"{quote_identifier(c.name)}: {quote(duckdb_type(c.type))}" for c in columns)
    delimiter = str(command.option("delimiter") or ",")
    null = command.option("null")
    mark = str(command.option("quote") or '"')
    options = [
        "auto_detect => false",
        f"columns => {{{types}}}",
        f"header => {'true' if wants_header(command) else 'false'}",
        f"delim => {quote(delimiter)}",
        f"quote => {quote(mark)}",
        f"escape => {quote(str(command.option('escape') or mark))}",
        f"nullstr => {quote('' if null is None else str(null))}",
        "allow_quoted_nulls => false",
    ]
    return ", ".join(options)


def _write_options(command: Copy, form: str) -> str:
    if form != "csv":
        refuse(command, "delimiter", "null", "header", "quote", "escape")
        return "FORMAT json" if form == "json" else "FORMAT parquet, COMPRESSION zstd"
    null = command.option("null")
    mark = str(command.option("quote") or '"')
    return (
        f"FORMAT csv, HEADER {'true' if wants_header(command) else 'false'}"
        f", DELIMITER {quote(str(command.option('delimiter') or ','))}, QUOTE {quote(mark)}"
        f", ESCAPE {quote(str(command.option('escape') or mark))}, NULLSTR {quote('' if null is None else str(null))}"
    )
