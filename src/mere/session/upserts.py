"""INSERT ... ON CONFLICT, one at a time for each table: keys of lake tables are informational, so that two at a time
would both find a key missing and insert it. Coordinator process.

The turn lasts to the end of the transaction. It is PostgreSQL's advisory lock, so that waiting can be cancelled, and a
circle of waiting is found.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.session.analysis import Analysis, analyse
from mere.session.state import SessionState
from mere.sql.bind.from_item import table_name
from mere.sql.lexer import Statement
from mere.sql.relations import Kind

_WAIT = "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('mere upsert ' || $1, 0))"


async def analyse_in_turn(state: SessionState, statement: Statement, param_oids: Sequence[int]) -> Analysis:
    """As `analyse`, on a snapshot that has what those before have committed, if the statement has an ON CONFLICT."""
    analysis = await analyse(state, statement, param_oids)
    tables = _tables(analysis)
    if not tables or analysis.read_only:
        return analysis
    for oid in tables:
        await state.backend.fetch(_WAIT, [str(oid)])
    return await analyse(state, statement, param_oids)


def _tables(analysis: Analysis) -> list[int]:
    """The lake tables into which it inserts with ON CONFLICT, in the one order that all keep to."""
    found: set[int] = set()
    for insert in analysis.tree.find_all(exp.Insert):
        if insert.args.get("conflict") is None:
            continue
        target = insert.this.this if isinstance(insert.this, exp.Schema) else insert.this
        relation = analysis.resolved.by_name.get(table_name(target)) if isinstance(target, exp.Table) else None
        if relation is not None and relation.kind is Kind.LAKE:
            found.add(relation.oid)
    return sorted(found)
