"""What a session is to others and to itself: what it runs now, DISCARD ALL, SET LOCAL, the time zone of its answers."""

from __future__ import annotations

import time

import pytest
from harness.client import Client
from harness.workspace import Workspace

SLOW = (
    "SELECT count(*) FROM t, generate_series(1, 100000) x, generate_series(1, 100000) y"
    " WHERE (x::bigint * y) % 7 = t.id"
)
ACTIVITY = "SELECT state, query, wait_event_type, wait_event, query_start <= now(), backend_type FROM pg_stat_activity"


@pytest.fixture
def table(client: Client) -> Client:
    client.ok("CREATE TABLE t (id int, at timestamptz)")
    client.ok("INSERT INTO t VALUES (1, '2024-07-01 12:00:00+00'), (2, '2024-01-01 00:00:00+00')")
    return client


def pid(client: Client) -> str:
    value = client.ok("SELECT pg_backend_pid()").value
    assert value is not None
    return value


def until_waiting(observer: Client, backend: str) -> tuple[str | None, ...]:
    until = time.monotonic() + 10
    while True:
        (seen,) = observer.ok(f"{ACTIVITY} WHERE pid = {backend}").text
        if seen[3] == "MereSegments":
            return seen
        assert time.monotonic() < until, seen
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["simple", "extended", "with quotes", "in a transaction"])
def test_pg_stat_activity_shows_the_statement_that_runs(space: Workspace, table: Client, how: str) -> None:
    session = space.client()
    backend = pid(session)
    sql = SLOW if how != "with quotes" else SLOW + " AND 'a''b$m0000000000000001$' <> E'\\n' /* it's \n ; */"
    if how == "in a transaction":
        session.ok("BEGIN")
    if how == "extended":
        session.connection.send_query_params(sql.encode(), [])
    else:
        session.send(sql)
    assert until_waiting(table, backend) == ("active", sql, "Extension", "MereSegments", "t", "client backend")
    started = table.ok(f"SELECT query_start FROM pg_stat_activity WHERE pid = {backend}").value
    time.sleep(0.3)
    assert table.ok(f"SELECT query_start FROM pg_stat_activity WHERE pid = {backend}").value == started
    assert table.ok(f"SELECT pg_cancel_backend({backend})").value == "t"
    (answer,) = session.results(deadline=10)
    assert (answer.sqlstate, answer.message) == ("57014", "canceling statement due to user request")


def test_others_statements_are_for_those_who_may_see_them(space: Workspace, table: Client) -> None:
    visitor = space.client(user=space.role("visitor"))
    session = space.client()
    backend = pid(session)
    session.send(SLOW)
    until_waiting(table, backend)
    ((state, query),) = visitor.ok(f"SELECT state, query FROM pg_stat_activity WHERE pid = {backend}").text
    assert (state, query) == (None, "<insufficient privilege>")
    visitor.fails(f"SELECT pg_cancel_backend({backend})", "42501")
    visitor.fails(f"SELECT pg_terminate_backend({backend})", "42501")
    session.cancel()
    assert session.results(deadline=10)[-1].sqlstate == "57014"


def test_what_is_long_is_shown_in_part(space: Workspace, table: Client) -> None:
    session = space.client()
    backend = pid(session)
    sql = SLOW + " AND 'ü' <> '" + "ä" * 5000 + "'"
    session.send(sql)
    shown = until_waiting(table, backend)[1]
    assert shown is not None and len(shown) > 1000 and sql.startswith(shown)
    session.cancel()
    assert session.results(deadline=10)[-1].sqlstate == "57014"


def test_discard_all(table: Client) -> None:
    table.ok("SET timezone = 'Asia/Tokyo'")
    table.ok("SET application_name = 'forgetful'")
    path = table.ok("SHOW search_path").value
    table.ok("PREPARE p AS SELECT count(*) FROM t")
    table.ok("DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT * FROM t")
    table.ok("CREATE TEMP TABLE mine (a int)")
    table.ok("LISTEN news")
    table.ok("BEGIN")
    table.fails("DISCARD ALL", "25001")
    table.ok("ROLLBACK")
    assert table.ok("DISCARD ALL").tag == "DISCARD ALL"
    assert table.ok("SHOW timezone").value == "UTC"
    assert table.ok("SHOW search_path").value != path
    table.fails("EXECUTE p", "26000")
    table.fails("FETCH c", "34000")
    table.fails("SELECT * FROM mine", "42P01")
    assert table.ok("SELECT count(*) FROM pg_listening_channels()").value == "0"
    table.ok(f"SET search_path = {path}")
    table.ok("PREPARE p AS SELECT count(*) FROM t")
    assert table.ok("EXECUTE p").value == "2"


def test_discard_plans_sequences_and_temp_leave_prepared_statements(table: Client) -> None:
    table.ok("PREPARE p AS SELECT count(*) FROM t")
    for what in ("PLANS", "SEQUENCES", "TEMP"):
        assert table.ok(f"DISCARD {what}").tag == f"DISCARD {what}"
        assert table.ok("EXECUTE p").value == "2"


AT = "SELECT at FROM t WHERE id = 1"


def test_the_time_zone_is_applied_to_results(table: Client) -> None:
    for zone, shown in (
        ("UTC", "2024-07-01 12:00:00+00"),
        ("Asia/Tokyo", "2024-07-01 21:00:00+09"),
        ("America/New_York", "2024-07-01 08:00:00-04"),
        ("Asia/Kolkata", "2024-07-01 17:30:00+05:30"),
    ):
        table.ok(f"SET timezone = '{zone}'")
        assert table.ok(AT).value == shown
        assert table.ok("SELECT max(at)::text FROM t").value == shown
        assert table.extended("SELECT at FROM t WHERE at = $1", [shown]).value == shown
        assert table.ok("COPY (SELECT at FROM t WHERE id = 1) TO STDOUT").copied.decode().strip() == shown


def test_set_local_ends_with_its_transaction(table: Client) -> None:
    table.ok("SET timezone = 'UTC'")
    table.ok("BEGIN")
    table.ok("SET LOCAL timezone = 'Asia/Tokyo'")
    assert table.ok(AT).value == "2024-07-01 21:00:00+09"
    table.ok("SAVEPOINT a")
    table.ok("SET LOCAL timezone = 'America/New_York'")
    assert table.ok(AT).value == "2024-07-01 08:00:00-04"
    table.ok("ROLLBACK TO a")
    assert table.ok(AT).value == "2024-07-01 21:00:00+09"
    table.ok("COMMIT")
    assert table.ok(AT).value == "2024-07-01 12:00:00+00"
    answers = table.simple(f"BEGIN; SET LOCAL timezone = 'Asia/Tokyo'; {AT}; COMMIT; {AT}")
    values = [answer.value for answer in answers if answer.tag.startswith("SELECT")]
    assert values == ["2024-07-01 21:00:00+09", "2024-07-01 12:00:00+00"]


def test_set_role_and_reset(space: Workspace, table: Client) -> None:
    role = space.role("reader")
    table.ok(f"SET ROLE {role}")
    assert table.ok("SELECT current_user").value == role
    assert table.ok("SELECT session_user").value == "mere"
    table.fails("SELECT count(*) FROM t", "42501")
    table.ok("RESET ROLE")
    assert table.ok("SELECT count(*) FROM t").value == "2"
    table.ok("BEGIN")
    table.ok(f"SET LOCAL ROLE {role}")
    table.fails("SELECT count(*) FROM t", "42501")
    table.ok("ROLLBACK")
    assert table.ok("SELECT current_user::text || count(*) FROM t").value == "mere2"
