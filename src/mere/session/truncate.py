"""TRUNCATE: lake tables lose their files in the transaction, PostgreSQL's own are PostgreSQL's. Coordinator process."""

from __future__ import annotations

from mere.catalog.backend import CommandResult, Fetch
from mere.catalog.resolve import resolve
from mere.errors import InsufficientPrivilege, InvalidTransactionState, MereError, UndefinedObject
from mere.session.rows import Outcome
from mere.session.state import SessionState
from mere.sql.commands import Truncate, parse_truncate
from mere.sql.lexer import Statement, quote_identifier
from mere.sql.relations import Kind, Relation

_SEQUENCES = """
SELECT d.objid::regclass::text FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.refobjid = $1::oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S'
"""


async def truncate(state: SessionState, statement: Statement) -> Outcome:
    command = parse_truncate(statement.text)
    await state.transaction.ensure()
    lake, rest = await _targets(state, command)
    snapshot = await state.backend.fetch(
        "SELECT id, pg_catalog.current_setting('transaction_read_only') FROM mere.newest_snapshot()"
    )
    if snapshot[0][1] == "on":
        raise InvalidTransactionState("cannot execute TRUNCATE TABLE in a read-only transaction", sqlstate="25006")
    for relation in lake:
        if "TRUNCATE" not in relation.privileges:
            raise InsufficientPrivilege(f"permission denied for table {relation.name}")
        await state.backend.simple(f"LOCK TABLE {_qualified(relation)} IN ACCESS EXCLUSIVE MODE")
    if rest:
        suffix = f"{' RESTART IDENTITY' if command.restart_identity else ''}{' CASCADE' if command.cascade else ''}"
        await state.backend.simple(f"TRUNCATE {', '.join(rest)}{suffix}")
    for relation in lake:
        if command.restart_identity:
            await _restart_sequences(state, relation)
        state.transaction.overlay = state.transaction.overlay.truncate(relation.oid, int(snapshot[0][0] or 0))
    return Outcome("TRUNCATE TABLE")


async def _targets(state: SessionState, command: Truncate) -> tuple[list[Relation], list[str]]:
    """Lake tables, and the others as SQL names."""
    names = [name for name, _ in command.targets]
    only = {name for name, only in command.targets if only}
    resolved = await resolve(state.backend, names)
    lake: list[Relation] = []
    rest: list[str] = []
    for name in names:
        relation = resolved.by_name.get(name)
        if relation is None:
            raise UndefinedObject(f'relation "{".".join(name)}" does not exist')
        if relation.materialized:
            raise MereError(f'"{relation.name}" is not a table', sqlstate="42809")
        if relation.kind is Kind.PARTITIONED:
            if name in only:
                raise MereError("cannot truncate only a partitioned table", sqlstate="42809")
            if "TRUNCATE" not in relation.privileges:
                raise InsufficientPrivilege(f"permission denied for table {relation.name}")
            lake += relation.partitions
        elif relation.kind is Kind.LAKE:
            lake.append(relation)
        else:
            rest.append(".".join(map(quote_identifier, name)))
    return lake, rest


async def _restart_sequences(state: SessionState, relation: Relation) -> None:
    (result,) = await state.backend.pipeline([Fetch(_SEQUENCES, [str(relation.oid)])])
    assert isinstance(result, CommandResult)
    for row in result.rows:
        await state.backend.simple(f"ALTER SEQUENCE {row[0]} RESTART")


def _qualified(relation: Relation) -> str:
    return f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}"
