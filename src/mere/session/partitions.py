"""Rows of partitioned tables on their way to the partitions that take them. Coordinator process."""

from __future__ import annotations

from mere.errors import IntegrityError
from mere.execute.scans import LakeView
from mere.lake.message import NewFile
from mere.segment.workspace import Workspace
from mere.session.checks import with_checks
from mere.session.state import SessionState
from mere.session.store import store
from mere.sql.bind import duckdb_text
from mere.sql.bind.bound import ROWS, BoundInsert
from mere.sql.lexer import quote_identifier


async def store_routed(
    state: SessionState, view: LakeView, bound: BoundInsert, workspace: Workspace
) -> tuple[NewFile, ...]:
    """Puts the rows of `mere_rows` in the partitions of the INSERT's table."""
    conditions = [duckdb_text(route.condition) for route in bound.routes]
    cases = " ".join(f"WHEN {condition} THEN {place}" for place, condition in enumerate(conditions))
    place = f"CASE {cases} END" if cases else "NULL"
    wanted = {row[0] for row in await workspace.rows(f"SELECT DISTINCT {place} FROM {ROWS}")}
    if None in wanted:
        raise IntegrityError(
            f'no partition of relation "{bound.relation.name}" found for row',
            sqlstate="23514",
            schema=bound.relation.schema,
            table=bound.relation.name,
        )
    files: tuple[NewFile, ...] = ()
    for number in sorted(wanted):
        route = bound.routes[number]
        columns = ", ".join(quote_identifier(column.name) for column in route.relation.columns)
        rows = with_checks(route.relation, route.checks, f"SELECT {columns} FROM {ROWS} WHERE {conditions[number]}")
        files += await store(state, workspace, route.relation, rows, view.snapshot.id)
    return files
