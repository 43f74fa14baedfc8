"""PostgreSQL 18's own tools against lake tables: pg_dump, restored into a plain PostgreSQL, and pgbench."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.client import Client
from harness.mere import PASSWORD
from harness.postgres import BINARIES, Peer
from harness.workspace import Workspace


def tool(space: Workspace, name: str, *arguments: str) -> str:
    """What a tool prints, told to connect to Mere."""
    environment = {**os.environ, "PGPASSWORD": PASSWORD, "PGOPTIONS": f"-c search_path={space.schema}"}
    done = subprocess.run(
        [str(BINARIES / name), "-h", "127.0.0.1", "-p", str(space.server.port), "-U", "mere", *arguments, "mere"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_pg_dump_of_a_schema_restores_into_a_plain_postgres(space: Workspace, client: Client, peer: Peer) -> None:
    client.ok("CREATE TABLE t (id serial PRIMARY KEY, v text DEFAULT 'x', n numeric(8,2) CHECK (n > 0), d date)")
    client.ok(
        "INSERT INTO t (v, n, d) SELECT E'v\\t' || g, g / 4.0, date '2024-01-01' + g FROM generate_series(1, 2000) g"
    )
    client.ok("DELETE FROM t WHERE id % 7 = 0")
    client.ok("CREATE VIEW v AS SELECT id, upper(v) AS v FROM t WHERE n > 100")
    client.ok("CREATE TABLE on_heap (a int) USING heap")
    client.ok("INSERT INTO on_heap VALUES (1), (2)")
    dumped = tool(space, "pg_dump", "-n", space.schema, "--no-owner", "--no-table-access-method", "--section=pre-data")
    dumped += tool(space, "pg_dump", "-n", space.schema, "--no-owner", "--section=data")
    psql = [str(BINARIES / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", peer.conninfo]
    restored = subprocess.run(psql, input=dumped, capture_output=True, text=True, timeout=60, check=False)
    assert restored.returncode == 0, restored.stderr
    with Client(peer.conninfo) as plain:
        for sql in ("count(*), sum(id), sum(n), max(d), min(v)", "string_agg(v, ',' ORDER BY id)"):
            expected = plain.ok(f"SELECT {sql} FROM {space.schema}.t").text
            assert client.ok(f"SELECT {sql} FROM t").text == expected
        expected = plain.ok(f"SELECT id, v FROM {space.schema}.v ORDER BY id").text
        assert client.ok("SELECT id, v FROM v ORDER BY id").text == expected
        plain.ok(f"DROP SCHEMA {space.schema} CASCADE")


def test_pgbench_makes_its_tables_and_runs(space: Workspace, client: Client) -> None:
    tool(space, "pgbench", "-i", "-q", "-s", "1")
    assert client.ok("SELECT count(*) FROM pgbench_accounts").value == "100000"
    told = tool(space, "pgbench", "-n", "-S", "-t", "10", "-c", "2", "-M", "prepared")
    assert "number of failed transactions: 0" in told
    told = tool(space, "pgbench", "-n", "-t", "3", "-c", "1")
    assert "number of transactions actually processed: 3/3" in told
    assert client.ok("SELECT count(*) FROM pgbench_history").value == "3"


def test_pgbench_runs_a_script_of_ones_own(space: Workspace, client: Client, tmp_path: Path) -> None:
    client.ok("CREATE TABLE t (id int, v text)")
    client.ok("INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 1000) g")
    script = tmp_path / "script.sql"
    script.write_text(
        "\\set id random(1, 1000)\nSELECT id * 2 AS twice FROM t WHERE id = :id AND v LIKE 'v%' \\gset\nBEGIN;\n"
        "INSERT INTO t VALUES (:twice, 'new');\nEND;\n"
    )
    for mode in ("simple", "extended", "prepared"):
        told = tool(space, "pgbench", "-n", "-f", str(script), "-t", "4", "-c", "2", "-M", mode)
        assert "number of failed transactions: 0" in told
    assert client.ok("SELECT count(*) FROM t WHERE v = 'new'").value == "24"
