"""Privileges hold for lake tables as for PostgreSQL's own: without them there is 42501, not data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness.client import Client
from harness.mere import MereProcess
from harness.workspace import Workspace, workspace


@pytest.fixture
def secret(client: Client) -> Client:
    client.ok("CREATE TABLE secret (id int, pay int, note text)")
    client.ok("INSERT INTO secret VALUES (1, 100, 'a'), (2, 200, 'b')")
    return client


WITHOUT_SELECT = [
    "SELECT * FROM secret",
    "SELECT count(*) FROM secret",
    "SELECT 1 FROM secret",
    "TABLE secret",
    "WITH s AS (SELECT * FROM secret) SELECT 1 FROM s",
    "SELECT (SELECT max(pay) FROM secret)",
    "SELECT 1 WHERE EXISTS (SELECT FROM secret)",
    "SELECT * FROM (VALUES (1)) v (x) LEFT JOIN secret ON true",
    "SELECT 1 UNION SELECT id FROM secret",
    "SELECT * FROM secret AT (VERSION => 1)",
    "COPY secret TO STDOUT",
    "COPY (SELECT id FROM secret) TO STDOUT",
    "EXPLAIN ANALYZE SELECT * FROM secret",
    "INSERT INTO secret VALUES (3)",
    "INSERT INTO secret SELECT * FROM secret",
    "UPDATE secret SET pay = 1",
    "DELETE FROM secret",
    "MERGE INTO secret USING (SELECT 1 AS id) s ON s.id = secret.id WHEN MATCHED THEN DELETE",
    "TRUNCATE secret",
    "CREATE TABLE mine AS SELECT * FROM secret",
    "DROP TABLE secret",
    "ALTER TABLE secret ADD COLUMN x int",
    "GRANT SELECT ON secret TO PUBLIC",
    "CREATE TEMP VIEW v AS SELECT * FROM secret; SELECT * FROM v",
    "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM secret",
    "PREPARE p AS SELECT * FROM secret; EXECUTE p",
]


@pytest.fixture(scope="module")
def stranger(mere: MereProcess) -> Iterator[Client]:
    """A session without a right on `secret`, which is in its search_path."""
    with workspace(mere) as shared:
        shared.client().ok("CREATE TABLE secret (id int, pay int, note text)")
        shared.clients[0].ok("INSERT INTO secret VALUES (1, 100, 'a'), (2, 200, 'b')")
        yield shared.client(user=shared.role("stranger"))
        assert shared.clients[0].ok("SELECT count(*), sum(pay) FROM secret").text == [("2", "300")]


@pytest.mark.parametrize("sql", WITHOUT_SELECT)
def test_no_privilege_no_data(stranger: Client, sql: str) -> None:
    stranger.simple("ROLLBACK; DROP VIEW IF EXISTS v; DEALLOCATE ALL")
    outcomes = stranger.simple(sql)
    assert outcomes[-1].sqlstate == "42501", (outcomes[-1].sqlstate, outcomes[-1].message)
    assert not any(outcome.rows or outcome.copied for outcome in outcomes)


def test_column_privileges(space: Workspace, secret: Client) -> None:
    role = space.role("clerk")
    secret.ok(f"GRANT SELECT (id, note), UPDATE (note), INSERT (id) ON secret TO {role}")
    clerk = space.client(user=role)
    assert clerk.ok("SELECT id, note FROM secret ORDER BY id").text == [("1", "a"), ("2", "b")]
    assert clerk.ok("SELECT count(*) FROM secret").value == "2"
    for sql in (
        "SELECT pay FROM secret",
        "SELECT * FROM secret",
        "SELECT id FROM secret WHERE pay > 0",
        "SELECT id FROM secret ORDER BY pay",
        "SELECT secret FROM secret",
        "SELECT a.id FROM secret a JOIN secret b ON a.id = b.pay",
        "UPDATE secret SET pay = 1",
        "UPDATE secret SET note = pay::text",
        "INSERT INTO secret (id, pay) VALUES (3, 1)",
        "INSERT INTO secret (id) VALUES (3) RETURNING pay",
        "DELETE FROM secret",
    ):
        clerk.fails(sql, "42501")
    clerk.ok("UPDATE secret SET note = 'c' WHERE id = 1")
    clerk.ok("INSERT INTO secret (id) VALUES (3)")
    assert secret.ok("SELECT count(*), max(note) FROM secret").text == [("3", "c")]


def test_views_read_with_their_owners_rights(space: Workspace, secret: Client) -> None:
    role = space.role("reader")
    secret.ok("CREATE VIEW window_on AS SELECT pay FROM secret")
    secret.ok("CREATE VIEW invoker WITH (security_invoker) AS SELECT pay FROM secret")
    secret.ok(f"GRANT SELECT ON window_on, invoker TO {role}")
    reader = space.client(user=role)
    assert reader.ok("SELECT sum(pay) FROM window_on").value == "300"
    reader.fails("SELECT sum(pay) FROM invoker", "42501")
    reader.fails("SELECT sum(pay) FROM secret", "42501")
    secret.ok(f"GRANT SELECT ON secret TO {role}")
    assert reader.ok("SELECT sum(pay) FROM invoker").value == "300"


def test_view_whose_owner_lost_the_right_gives_nothing(space: Workspace, secret: Client) -> None:
    owner, role = space.role("owner"), space.role("reader")
    secret.ok(f"GRANT CREATE ON SCHEMA {space.schema} TO {owner}")
    secret.ok(f"GRANT SELECT ON secret TO {owner}")
    holder = space.client(user=owner)
    holder.ok("CREATE VIEW v AS SELECT pay FROM secret")
    holder.ok(f"GRANT SELECT ON v TO {role}")
    reader = space.client(user=role)
    assert reader.ok("SELECT sum(pay) FROM v").value == "300"
    secret.ok(f"REVOKE SELECT ON secret FROM {owner}")
    reader.fails("SELECT sum(pay) FROM v", "42501")


def test_grants_and_revokes_count_at_once(space: Workspace, secret: Client) -> None:
    role = space.role("reader")
    reader = space.client(user=role)
    secret.ok(f"GRANT SELECT ON secret TO {role}")
    assert reader.ok("SELECT sum(pay) FROM secret").value == "300"
    secret.ok(f"REVOKE SELECT ON secret FROM {role}")
    reader.fails("SELECT sum(pay) FROM secret", "42501")
    secret.ok("GRANT SELECT ON secret TO PUBLIC")
    assert reader.ok("SELECT sum(pay) FROM secret").value == "300"


def test_prepared_statements_check_again_at_each_execution(space: Workspace, secret: Client) -> None:
    role = space.role("reader")
    reader = space.client(user=role)
    secret.ok(f"GRANT SELECT ON secret TO {role}")
    reader.ok("PREPARE p AS SELECT sum(pay) FROM secret")
    assert reader.ok("EXECUTE p").value == "300"
    secret.ok(f"REVOKE SELECT ON secret FROM {role}")
    reader.fails("EXECUTE p", "42501")


def test_set_role_takes_and_gives_rights(space: Workspace, secret: Client) -> None:
    role = space.role("reader")
    secret.ok(f"SET ROLE {role}")
    assert secret.ok("SELECT current_user, session_user").text == [(role, "mere")]
    secret.fails("SELECT * FROM secret", "42501")
    secret.ok("RESET ROLE")
    assert secret.ok("SELECT count(*) FROM secret").value == "2"
    secret.ok("BEGIN")
    secret.ok(f"SET LOCAL ROLE {role}")
    secret.fails("SELECT * FROM secret", "42501")
    secret.ok("ROLLBACK")
    assert secret.ok("SELECT count(*) FROM secret").value == "2"
    secret.ok("SET SESSION AUTHORIZATION DEFAULT")


def test_membership_and_inheritance_of_roles(space: Workspace, secret: Client) -> None:
    group, member = space.role("group"), space.role("member")
    secret.ok(f"GRANT SELECT ON secret TO {group}")
    reader = space.client(user=member)
    reader.fails("SELECT * FROM secret", "42501")
    secret.ok(f"GRANT {group} TO {member}")
    assert reader.ok("SELECT count(*) FROM secret").value == "2"


def test_default_privileges_and_schema_usage(space: Workspace, client: Client) -> None:
    role = space.role("reader")
    client.ok(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {space.schema} GRANT SELECT ON TABLES TO {role}")
    client.ok("CREATE TABLE later (a int)")
    client.ok("INSERT INTO later VALUES (5)")
    reader = space.client(user=role)
    assert reader.ok("SELECT a FROM later").value == "5"
    client.ok(f"REVOKE USAGE ON SCHEMA {space.schema} FROM {role}")
    assert reader.run(f"SELECT a FROM {space.schema}.later").sqlstate == "42501"


def test_owner_may_change_and_new_owner_rules(space: Workspace, secret: Client) -> None:
    role = space.role("heir")
    secret.ok(f"GRANT CREATE ON SCHEMA {space.schema} TO {role}")
    secret.ok(f"ALTER TABLE secret OWNER TO {role}")
    heir = space.client(user=role)
    heir.ok("ALTER TABLE secret ADD COLUMN more int DEFAULT 1")
    assert heir.ok("SELECT sum(more) FROM secret").value == "2"
    heir.ok("DROP TABLE secret")


def test_row_level_security_is_refused_not_ignored(secret: Client) -> None:
    secret.fails("ALTER TABLE secret ENABLE ROW LEVEL SECURITY", "0A000")


def test_wrong_password_and_unknown_role_are_28P01(space: Workspace) -> None:
    import psycopg

    for user, password in (("mere", "wrong"), ("nosuch_role", "a-test-password")):
        with pytest.raises(psycopg.OperationalError) as caught:
            psycopg.connect(space.server.conninfo(user=user, password=password), connect_timeout=10)
        assert "password authentication failed" in str(caught.value)


def test_nobody_logs_in_as_the_services_own_roles(space: Workspace) -> None:
    import psycopg

    for user in ("mere_super", "mere_gateway", "postgres"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(space.server.conninfo(user=user), connect_timeout=10)
