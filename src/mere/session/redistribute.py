"""ALTER TABLE ... SET DISTRIBUTED: a new policy, and every row where the policy wants it. Coordinator process.

A bucketed table whose files do not lie in their buckets loses rows for every reader, so policy and files change in the
same commit.
"""

from __future__ import annotations

from mere.errors import MereError
from mere.session.policies import set_policy
from mere.session.rewrite import lock_table, look_up, note_written, rewrite_rows, vouch
from mere.session.state import SessionState
from mere.sql.distribution import AlterDistributed


async def redistribute(state: SessionState, command: AlterDistributed) -> None:
    await note_written(state)
    exists = await state.backend.fetch(
        "SELECT pg_catalog.to_regclass($1) IS NOT NULL", [".".join(f'"{part}"' for part in command.table)]
    )
    if exists[0][0] != "t" and command.if_exists:
        state.notice(f'relation "{".".join(command.table)}" does not exist, skipping')
        return
    table = await lock_table(state, command.table)
    if table is None:
        raise MereError(f'"{command.table[-1]}" is not a lake table', sqlstate="42809")
    await vouch(state, table.relation)
    await set_policy(state, command.table, command.distribution)
    changed, _ = await look_up(state, command.table)
    if table.relation.policy != changed.policy and table.relation.populated:
        await rewrite_rows(state, table, changed, {})
