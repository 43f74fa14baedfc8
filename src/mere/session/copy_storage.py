"""COPY between lake tables and object storage: Parquet, csv and JSON lines, with globs. Coordinator process.

One DuckDB statement reads and writes, in an engine of its own that reaches the named place besides the lake.
"""

from __future__ import annotations

from pathlib import Path

from mere.errors import DataError
from mere.execute.loading import SLICE, LoadTasks, load_plan
from mere.execute.query import slice_text
from mere.plan.planner import plan
from mere.segment.copy_format import CopyFormat, parse_copy_options
from mere.segment.copy_sql import Reader
from mere.segment.credentials import quote
from mere.segment.external import (
    ExternalFile,
    external_file,
    external_workspace,
    format_of,
    input_columns,
    parquet_files,
    read_query,
    write_statement,
)
from mere.segment.workspace import Workspace
from mere.session.copy_query import copy_query
from mere.session.copy_target import CopyTarget, copy_target
from mere.session.environment import SessionEnvironment
from mere.session.insert import insert_query, insert_rows, seen_twice
from mere.session.postgres_rows import PostgresRows
from mere.session.select import as_text, session_format
from mere.session.state import SessionState
from mere.session.store import add_files, write_target
from mere.sql.copy_command import Copy


async def copy_from_storage(state: SessionState, command: Copy) -> int:
    """Loads files into a lake table; returns the number of rows. Parquet and JSON columns are matched by name."""
    file, form = _file(state, command)
    target = await copy_target(state, command)
    reader = Reader(form, target.columns, SessionEnvironment(state.backend.parameters.get("TimeZone", "UTC")))
    async with external_workspace(state.services.engine, file) as workspace:
        state.workspaces.add(workspace)
        state.stand_in.expect()
        loaded = await _on_segments(state, target, workspace, file, reader) if form.format == "parquet" else None
        if loaded is not None:
            return loaded
        select = await read_query(workspace, file, reader)
        files = await insert_rows(state, target.view, target.bound, workspace, target.complete(select))
    return sum(written.rows for written in files)


async def _on_segments(
    state: SessionState, target: CopyTarget, workspace: Workspace, file: ExternalFile, reader: Reader
) -> int | None:
    """Parquet files in pieces, each segment reading and writing its own; None where that is not worth it, or cannot
    be."""
    dispatcher = state.services.dispatcher
    segments = dispatcher.runtime.segments
    if segments < 2 or not dispatcher.runtime.ready() or seen_twice(target.bound):
        return None
    rows = await parquet_files(workspace, file)
    if rows is None or sum(rows.values()) < dispatcher.options.rows:
        return None
    columns = await input_columns(workspace, file, reader, f"read_parquet({quote(file.url)})")
    every = await insert_query(state, workspace, target.bound)
    store = write_target(state, target.bound.relation)
    tasks = LoadTasks(
        rows,
        lambda source: every(target.complete(f"SELECT {columns} FROM {source}")),
        store,
        file.place,
        segments,
    )
    dispatch = dispatcher.open_tasks(load_plan(segments), tasks)
    state.dispatches.add(dispatch)
    try:
        await dispatch.complete()
        files = dispatch.files(SLICE)
    finally:
        await dispatch.close()
    add_files(state, target.bound.relation, files, target.view.snapshot.id)
    return sum(written.rows for written in files)


async def copy_to_storage(state: SessionState, command: Copy) -> int:
    """Writes a table or query as a file under the URL; returns the number of rows."""
    file, form = _file(state, command)
    query = await copy_query(state, command)
    names = [field.name for field in query.fields]
    if len({name.lower() for name in names}) != len(names):
        raise DataError("COPY to object storage needs distinct column names", sqlstate="42701")
    columns = query.bound.columns
    if form.format in ("csv", "text"):
        outputs = [as_text(column.typed, session_format(state)) for column in columns]
    else:
        outputs = [column.typed.sql.copy() for column in columns]
    release = state.database.readers.hold(query.view.snapshot.id)
    try:
        async with external_workspace(state.services.engine, file) as workspace:
            state.workspaces.add(workspace)
            state.stand_in.expect()
            slice_ = plan(query.bound).root
            text = await slice_text(slice_, query.view, PostgresRows(state.backend), workspace, outputs)
            rows = await workspace.rows(write_statement(text, file, form, names))
    finally:
        release()
    return int(rows[0][0])


def _file(state: SessionState, command: Copy) -> tuple[ExternalFile, CopyFormat]:
    """The place, which the lake's own files never are, and the format: said, or told by the file's name."""
    assert command.location is not None
    settings = state.services.settings
    directories = [Path(directory) for directory in settings.copy_directories]
    file = external_file(command.location, [state.services.storage.location], directories)
    options = list(command.options)
    if command.option("format") is None and (told := format_of(command.location)) is not None:
        options.append(("format", told))
    return file, parse_copy_options(options, is_from=command.is_from, remote=True)
