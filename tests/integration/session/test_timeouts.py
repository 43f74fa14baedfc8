"""The time-outs of a session are PostgreSQL's, also while the segments work for it: which error, and when."""

from __future__ import annotations

import time

import pytest
from harness.mere import PASSWORD
from harness.raw import RawClient
from harness.workspace import Workspace

from mere.wire import requests
from mere.wire.backend import read_error

SLOW = (
    "SELECT count(*) FROM t, generate_series(1, 100000) x, generate_series(1, 100000) y"
    " WHERE (x::bigint * y) % 7 = t.id"
)

# What is set, what is sent after that, and how it ends.
CASES: dict[str, tuple[str, list[str], tuple[str, str, str]]] = {
    "idle": (
        "SET idle_session_timeout = '400ms'",
        [],
        ("FATAL", "57P05", "terminating connection due to idle-session timeout"),
    ),
    "idle after a statement over the lake": (
        "SET idle_session_timeout = '400ms'",
        ["SELECT count(*) FROM t"],
        ("FATAL", "57P05", "terminating connection due to idle-session timeout"),
    ),
    "idle in a transaction": (
        "SET idle_in_transaction_session_timeout = '400ms'",
        ["BEGIN", "INSERT INTO t VALUES (1)"],
        ("FATAL", "25P03", "terminating connection due to idle-in-transaction timeout"),
    ),
    "idle in a failed transaction": (
        "SET idle_in_transaction_session_timeout = '400ms'",
        ["BEGIN", "SELECT 1/0 FROM t"],
        ("FATAL", "25P03", "terminating connection due to idle-in-transaction timeout"),
    ),
    "a long transaction": (
        "SET transaction_timeout = '600ms'",
        ["BEGIN", "SELECT count(*) FROM t"],
        ("FATAL", "25P04", "terminating connection due to transaction timeout"),
    ),
    "a long statement": (
        "SET statement_timeout = '400ms'",
        [SLOW],
        ("ERROR", "57014", "canceling statement due to statement timeout"),
    ),
    "a long statement in a transaction that may not be idle": (
        "SET statement_timeout = '900ms'; SET idle_in_transaction_session_timeout = '400ms'; BEGIN",
        [SLOW],
        ("ERROR", "57014", "canceling statement due to statement timeout"),
    ),
    "a long statement of a session that may not be idle": (
        "SET statement_timeout = '900ms'; SET idle_session_timeout = '400ms'",
        [SLOW],
        ("ERROR", "57014", "canceling statement due to statement timeout"),
    ),
    "a long statement in a transaction that may not be long": (
        "SET transaction_timeout = '600ms'; BEGIN",
        [SLOW],
        ("FATAL", "25P04", "terminating connection due to transaction timeout"),
    ),
    "a long statement that is a transaction": (
        "SET transaction_timeout = '600ms'",
        [SLOW],
        ("FATAL", "25P04", "terminating connection due to transaction timeout"),
    ),
}


async def ending(raw: RawClient, before: str, statements: list[str]) -> tuple[str, str, str]:
    """The first error but a division by zero."""
    raw.send(requests.query(before))
    await raw.read_until()
    for statement in statements:
        raw.send(requests.query(statement))
    while True:
        (*_, last) = await raw.read_until(b"E")
        error = read_error(last)
        if error.sqlstate != "22012":
            return error.severity, error.sqlstate, error.message


@pytest.mark.parametrize("name", CASES)
async def test_a_time_out_is_postgresqls(space: Workspace, name: str) -> None:
    before, statements, expected = CASES[name]
    space.client().ok("CREATE TABLE t (id int)")
    space.clients[0].ok("INSERT INTO t VALUES (1), (2)")
    async with await RawClient.connect(space.server.port) as raw:
        await raw.login("mere", PASSWORD, "mere")
        await raw.query(f"SET search_path = {space.schema}")
        started = time.monotonic()
        assert await ending(raw, before, statements) == expected
        assert time.monotonic() - started > 0.35
