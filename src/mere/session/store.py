"""Putting rows into a lake table within the session's transaction. Lives in the coordinator process.

Owns the step from a query to files that the transaction's overlay names: nothing here is visible before COMMIT.
"""

from __future__ import annotations

from mere.execute.scans import table_prefix
from mere.lake.message import NewFile
from mere.segment.workspace import Workspace
from mere.segment.write import WriteColumn, WriteTarget, write_query
from mere.session.state import SessionState
from mere.sql.relations import Relation


def write_target(state: SessionState, relation: Relation) -> WriteTarget:
    columns = []
    for column in relation.columns:
        assert column.field_id is not None
        columns.append(WriteColumn(column.name, column.type.oid, column.field_id, column.element_id, column.not_null))
    key = None
    if relation.policy.kind == "hash" and relation.policy.keys:
        key = next(column.name for column in relation.columns if column.attnum == relation.policy.keys[0])
    return WriteTarget(
        relation.name,
        table_prefix(state.database.data_url, relation),
        tuple(columns),
        key,
        relation.policy.buckets if key is not None else 0,
        relation.schema,
    )


async def store(
    state: SessionState, workspace: Workspace, relation: Relation, query: str, snapshot_id: int
) -> tuple[NewFile, ...]:
    """Writes the rows of `query` (the table's columns, in order) and adds the files to the transaction."""
    target = write_target(state, relation)
    return add_files(state, relation, await write_query(workspace, query, target), snapshot_id)


def add_files(
    state: SessionState, relation: Relation, files: tuple[NewFile, ...], snapshot_id: int
) -> tuple[NewFile, ...]:
    """Makes files that are written part of the transaction."""
    prefix = table_prefix(state.database.data_url, relation)
    state.transaction.track({prefix + file.path for file in files})
    if files:
        state.transaction.overlay = state.transaction.overlay.append(relation.oid, snapshot_id, files)
    return files
