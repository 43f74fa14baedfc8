"""ALTER TABLE ... SET DISTRIBUTED: a new policy, and every row where the policy wants it. Coordinator process.

A bucketed table whose files do not lie in their buckets loses rows for every reader, so policy and files change in the
same commit.
"""

from __future__ import annotations

from mere.errors import MereError
from mere.session.policies import set_policy
from mere.session.rewrite import LockedTable, lock_tables, look_up, note_written, rewrite_rows, vouch
from mere.session.state import SessionState
from mere.sql.distribution import AlterDistributed, Distribution
from mere.sql.relations import Kind


async def redistribute(state: SessionState, command: AlterDistributed) -> None:
    await note_written(state)
    exists = await state.backend.fetch(
        "SELECT pg_catalog.to_regclass($1) IS NOT NULL", [".".join(f'"{part}"' for part in command.table)]
    )
    if exists[0][0] != "t" and command.if_exists:
        state.notice(f'relation "{".".join(command.table)}" does not exist, skipping')
        return
    relation, _ = await look_up(state, command.table)
    if relation.kind is Kind.PARTITIONED:  # for the partitions to come; then those that there are
        await set_policy(state, command.table, command.distribution)
    tables = await lock_tables(state, command.table)
    if not tables and relation.kind is not Kind.PARTITIONED:
        raise MereError(f'"{command.table[-1]}" is not a lake table', sqlstate="42809")
    for table in tables:
        await _redistribute(state, table, command.distribution)


async def _redistribute(state: SessionState, table: LockedTable, distribution: Distribution) -> None:
    name = (table.relation.schema, table.relation.name)
    await vouch(state, table.relation)
    await set_policy(state, name, distribution)
    changed, _ = await look_up(state, name)
    if table.relation.policy != changed.policy and table.relation.populated:
        await rewrite_rows(state, table, changed, {})
