"""Which statements are Mere's: looked up without a server, from a session whose lake names are known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from mere.catalog.backend import Description
from mere.session.routing import begin_with_names, is_ours, is_tripwire
from mere.session.services import Names
from mere.session.state import Prepared, SessionState
from mere.sql.lexer import split
from mere.sql.statements import classify
from mere.wire.pgerror import PgError

HERE = Prepared(None, None, (), False, Description((), None))
THERE = Prepared(None, None, (), True)


def session(prepared: dict[str, Prepared] | None = None, cursors: tuple[str, ...] = ()) -> SessionState:
    """As much of a session as routing looks at."""
    kept = prepared or {}

    def prepared_here(name: str) -> Prepared | None:
        found = kept.get(name)
        return None if found is None or found.verbatim else found

    state = SimpleNamespace(
        transaction=SimpleNamespace(failed=False),
        database=SimpleNamespace(names_version=3),
        backend=SimpleNamespace(in_recovery=False),
        lake_names=frozenset({"orders", "Big Table"}),
        names_version=3,
        prepared=kept,
        prepared_here=prepared_here,
        cursors=dict.fromkeys(cursors),
    )
    return cast(SessionState, state)


async def ours(text: str, state: SessionState | None = None) -> bool:
    statement = split(text)[0]
    return await is_ours(state or session(), statement, classify(statement))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM orders",
        "select count(*) from public.ORDERS o",
        'TABLE "Big Table"',
        "WITH x AS (SELECT 1) DELETE FROM orders",
        "EXPLAIN ANALYZE SELECT * FROM orders",
        "DECLARE c CURSOR FOR SELECT * FROM orders",
        "COPY orders FROM STDIN",
        "TRUNCATE orders",
        "VACUUM",
        "ANALYZE",
        "BEGIN",
        "commit and chain",
        "CREATE TABLE t (a int)",
        "SELECT 1 INTO t",
        "DO $$ BEGIN END $$",
        "SHOW transaction_isolation",
        "SHOW TRANSACTION ISOLATION LEVEL",
        "SET client_encoding TO latin1",
        "SET NAMES 'utf8'",
        "DEALLOCATE ALL",
        "GRANT SELECT ON orders TO PUBLIC",
    ],
)
async def test_mere_runs(text: str) -> None:
    assert await ours(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT 'orders'",
        "SELECT * FROM big_table -- orders",
        "INSERT INTO heap VALUES (1)",
        "SET search_path = orders",
        "SHOW server_version",
        "LISTEN channel",
        "EXECUTE p",
        "DEALLOCATE p",
        "FETCH c",
        "CLOSE ALL",
        "CALL make()",
        "LOCK TABLE heap",
    ],
)
async def test_postgresql_runs(text: str) -> None:
    assert not await ours(text)


async def test_prepared_statements_are_where_their_names_are() -> None:
    state = session({"p": HERE, "q": THERE})
    assert await ours("EXECUTE p (1)", state)
    assert await ours("EXPLAIN EXECUTE p (1)", state)
    assert await ours("DEALLOCATE PREPARE p", state)
    assert await ours("PREPARE p AS SELECT 1", state), "to say that the name is taken"
    assert not await ours("EXECUTE q (1)", state)
    assert not await ours("EXPLAIN EXECUTE q (1)", state)
    assert not await ours("DEALLOCATE q", state)


async def test_cursors_are_where_their_names_are() -> None:
    state = session(cursors=("c",))
    assert await ours("FETCH FORWARD 5 FROM c", state)
    assert await ours("MOVE c", state)
    assert await ours("CLOSE c", state)
    assert await ours("CLOSE ALL", state)
    assert not await ours("FETCH ALL FROM other", state)


def test_the_tripwire_is_known_by_its_words() -> None:
    fields = {"S": "ERROR", "C": "0A000", "M": "lake table public.orders cannot be read inside PostgreSQL"}
    assert is_tripwire(PgError(fields))
    assert not is_tripwire(PgError({**fields, "C": "42501"}))
    assert not is_tripwire(PgError({**fields, "M": "cannot do that"}))


@pytest.mark.parametrize(
    ("known", "in_recovery", "taken"),
    [
        (Names(3, 7, frozenset({"found"})), False, True),
        (Names(2, 7, frozenset({"found"})), False, False),  # a session has committed DDL since
        (Names(3, 6, frozenset({"found"})), False, False),  # a plain DuckDB has
        (Names(3, 7, frozenset({"found"})), True, False),  # nobody tells a standby
        (None, False, False),
    ],
)
def test_a_new_session_takes_names_that_still_hold(known: Names | None, in_recovery: bool, taken: bool) -> None:
    database = SimpleNamespace(names_version=3, schema_version=7, names=known)
    state = SimpleNamespace(
        database=database, backend=SimpleNamespace(in_recovery=in_recovery), lake_names=None, names_version=-1
    )
    begin_with_names(cast(SessionState, state))
    assert (state.lake_names, state.names_version) == ((frozenset({"found"}), 3) if taken else (None, -1))
