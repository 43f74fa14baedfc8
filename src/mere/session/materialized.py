"""Materialized views over the lake: a shell and a query in PostgreSQL, the rows in the lake. Coordinator process.

PostgreSQL makes the view, empty; its rows are written here, as an INSERT of its query with its owner's rights. REFRESH
replaces all files in the transaction, so that others see the old rows or the new ones. A materialized view that reads
no lake table is PostgreSQL's own.
"""

from __future__ import annotations

from mere.errors import FeatureNotSupported, MereError, SqlSyntaxError
from mere.session.analysis import Analysis, analyse_refresh
from mere.session.definitions import define, exists, refuse_time_travel
from mere.session.policies import qualified, set_policy
from mere.session.rewrite import look_up, qualified_name
from mere.session.routing import names_lake
from mere.session.rows import Outcome
from mere.session.state import Parameters, SessionState
from mere.session.write import write_analysed
from mere.sql.bind import BoundInsert
from mere.sql.commands import Refresh, parse_refresh
from mere.sql.created import CreateTableAs, parse_create_table_as
from mere.sql.lexer import Statement, quote_identifier
from mere.sql.relations import Kind, Relation
from mere.sql.token_cursor import Name


async def create(state: SessionState, statement: Statement) -> Outcome:
    """CREATE MATERIALIZED VIEW."""
    refuse_time_travel(statement)
    command = parse_create_table_as(statement.text)
    if command.distribution is None and not await names_lake(state, statement):
        return Outcome(await define(state, statement.text))
    if command.if_not_exists and await exists(state, command.target):
        return Outcome(await define(state, command.create_text))
    tag = await define(state, command.create_text)
    view, _ = await look_up(state, command.target)
    if command.distribution is not None:
        await set_policy(state, command.target, command.distribution)
    if not command.with_data:
        return Outcome(tag)
    return Outcome(f"SELECT {await _first_rows(state, view, command)}")


async def _first_rows(state: SessionState, view: Relation, command: CreateTableAs) -> int:
    if view.kind is Kind.LAKE:
        return await _fill(state, view)
    # PostgreSQL's own: a word of its query only looked like the name of a lake table.
    await state.backend.simple(f"REFRESH MATERIALIZED VIEW {qualified(command.target)}")
    return int((await state.backend.fetch(f"SELECT count(*) FROM {qualified_name(view)}"))[0][0] or 0)


async def refresh(state: SessionState, statement: Statement) -> Outcome:
    """REFRESH MATERIALIZED VIEW. CONCURRENTLY makes no difference, since it never keeps a reader waiting."""
    command = parse_refresh(statement.text)
    await state.transaction.ensure()
    view = await _lake_view(state, command.target)
    if view is None:
        return Outcome(await define(state, statement.text))
    await state.backend.fetch("SELECT mere.start_refresh($1::oid)", [str(view.oid)])
    _check(command, view)
    if command.with_data:
        await _fill(state, view)
    else:
        await define(state, f"REFRESH MATERIALIZED VIEW {qualified_name(view)} WITH NO DATA")
        snapshot = await state.backend.fetch("SELECT id FROM mere.newest_snapshot()")
        state.transaction.overlay = state.transaction.overlay.truncate(view.oid, int(snapshot[0][0] or 0))
    return Outcome("REFRESH MATERIALIZED VIEW")


async def _lake_view(state: SessionState, name: Name) -> Relation | None:
    """None for what is PostgreSQL's, also to report."""
    if not await exists(state, name):
        return None
    view, _ = await look_up(state, name)
    return view if view.kind is Kind.LAKE and view.materialized else None


def _check(command: Refresh, view: Relation) -> None:
    if command.concurrently and not command.with_data:
        raise SqlSyntaxError("CONCURRENTLY and WITH NO DATA options cannot be used together")
    if command.concurrently and not view.populated:
        raise MereError("CONCURRENTLY cannot be used when the materialized view is not populated", sqlstate="0A000")


async def _fill(state: SessionState, view: Relation) -> int:
    """Puts what the query gives now in the place of the rows that there are; returns how many."""
    analysis = await analyse_refresh(state, view)
    await _require_owner(state, view, analysis)
    outcome = await write_analysed(state, analysis, replacing=True)
    if not view.populated:
        await state.backend.fetch("SELECT mere.set_populated($1::oid)", [str(view.oid)])
    return int(outcome.tag.rpartition(" ")[2])


async def _require_owner(state: SessionState, view: Relation, analysis: Analysis) -> None:
    """PostgreSQL runs the query as the view's owner. Lake tables are read with the owner's rights whoever asks; but a
    function would read, and PostgreSQL evaluate, with those of the session, and so lend them to the owner."""
    if (await state.backend.fetch("SELECT current_user"))[0][0] == view.owner:
        return
    bound = analysis.bind(Parameters())
    source = bound.source if isinstance(bound, BoundInsert) else None
    asks_postgres = source is not None and (
        source.constants or any(scan.relation.kind is Kind.POSTGRES for scan in source.scans)
    )
    if analysis.resolved.functions or asks_postgres:
        raise FeatureNotSupported(
            f'only its owner can refresh materialized view "{view.name}", which calls functions of users,'
            " or takes values or rows from PostgreSQL",
            hint=f"SET ROLE {quote_identifier(view.owner)} does it, for members of that role.",
        )
