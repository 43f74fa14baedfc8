"""psql, as people use it: the backslash commands, variables, \\copy, \\gset, errors, -1, several -c."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.client import Client
from harness.mere import PASSWORD
from harness.postgres import BINARIES
from harness.workspace import Workspace

PSQL = shutil.which("psql")
PSQL_18 = str(BINARIES / "psql")
pytestmark = pytest.mark.skipif(PSQL is None, reason="psql is not installed on this machine")


def psql(
    space: Workspace, script: str, *arguments: str, status: int = 0, cwd: Path | None = None, program: str | None = PSQL
) -> str:
    """What psql prints for a script on its standard input."""
    assert program is not None
    environment = {**os.environ, "PGPASSWORD": PASSWORD, "PGOPTIONS": f"-c search_path={space.schema}", "PAGER": ""}
    done = subprocess.run(
        [program, "-X", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(space.server.port), "-U", "mere",
         *arguments, *([] if "-c" in arguments else ["-f", "-"])],
        input=script, env=environment, capture_output=True, text=True, timeout=60, check=False, cwd=cwd,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def tables(client: Client) -> Client:
    client.ok(
        "CREATE TABLE orders (id serial PRIMARY KEY, item text NOT NULL DEFAULT 'x', "
        "price numeric(8,2) CHECK (price > 0))"
    )
    client.ok("INSERT INTO orders (item, price) VALUES ('apple', 1.25), ('pear', 2.5)")
    client.ok("CREATE VIEW dear AS SELECT * FROM orders WHERE price > 2")
    client.ok("COMMENT ON TABLE orders IS 'what people bought'")
    return client


def test_describe_commands(space: Workspace, tables: Client) -> None:
    told = psql(space, "\\d+ orders\n\\dt+\n\\dv\n\\ds\n\\dn\n\\du\n\\dp\n\\df\n\\d dear\n\\conninfo\n")
    for words in ("Access method: lake", "what people bought", "character", "numeric(8,2)", "orders_id_seq",
                  "nextval('orders_id_seq'::regclass)", "CHECK (price > 0", "dear", "mere"):  # fmt: skip
        assert words in told or words.replace("character", "text") in told, words


def test_describe_commands_of_the_psql_of_the_same_version(space: Workspace, tables: Client) -> None:
    told = psql(space, "\\l\n\\d+ orders\n\\dt+\n\\dn+\n\\du\n\\dconfig work_mem\n\\dA\n", program=PSQL_18)
    for words in ("mere", "Access method: lake", "numeric(8,2)", "builtin"):
        assert words in told, words


def test_query_output(space: Workspace, tables: Client) -> None:
    told = psql(space, "SELECT id, item, price FROM orders ORDER BY id;\n")
    assert " id | item  | price \n----+-------+-------\n  1 | apple |  1.25\n  2 | pear  |  2.50\n(2 rows)" in told


def test_expanded_csv_and_tuples_only_output(space: Workspace, tables: Client) -> None:
    assert psql(space, "SELECT item, price FROM orders ORDER BY id;", "--csv") == "item,price\napple,1.25\npear,2.50\n"
    assert psql(space, "SELECT count(*) FROM orders;", "-At") == "2\n"
    assert "-[ RECORD 1 ]" in psql(space, "SELECT * FROM orders LIMIT 1;", "-x")


def test_errors_show_line_and_position(space: Workspace, tables: Client) -> None:
    told = psql(space, "SELECT nosuch\nFROM orders;\n", status=3)
    assert 'ERROR:  column "nosuch" does not exist' in told
    assert "LINE 1: SELECT nosuch" in told
    assert "\n               ^" in told


def test_copy_meta_command_both_ways(space: Workspace, tables: Client, tmp_path: Path) -> None:
    psql(space, "\\copy orders to 'out.csv' csv header\n", cwd=tmp_path)
    assert (tmp_path / "out.csv").read_text() == "id,item,price\n1,apple,1.25\n2,pear,2.50\n"
    psql(space, "\\copy orders from 'out.csv' csv header\n", cwd=tmp_path)
    assert tables.ok("SELECT count(*), count(DISTINCT id) FROM orders").text == [("4", "2")]


def test_copy_from_stdin_in_a_script(space: Workspace, tables: Client) -> None:
    psql(space, "COPY orders (item, price) FROM STDIN;\nfig\t3\nplum\t4\n\\.\nSELECT count(*) FROM orders;\n")
    assert tables.ok("SELECT sum(price) FROM orders").value == "10.75"


def test_variables_gset_gexec_and_conditions(space: Workspace, tables: Client) -> None:
    told = psql(
        space,
        "\\set limit 2\nSELECT max(price) AS top FROM orders WHERE id <= :limit \\gset\n\\echo top is :top\n"
        "SELECT format('SELECT %s AS n', id) FROM orders ORDER BY id \\gexec\n"
        "\\if true\nSELECT item FROM orders WHERE item = :'missing' OR id = 1;\n\\endif\n".replace(
            ":'missing'", "'pear'"
        ),
    )
    assert "top is 2.50" in told


def test_single_transaction_and_several_commands(space: Workspace, tables: Client) -> None:
    psql(space, "INSERT INTO orders (item, price) VALUES ('a', 1);\nSELECT nosuch;\n", "-1", status=3)
    assert tables.ok("SELECT count(*) FROM orders").value == "2"
    told = psql(
        space, "", "-At", "-c", "INSERT INTO orders (item, price) VALUES ('b', 1)", "-c", "SELECT count(*) FROM orders"
    )
    assert told == "INSERT 0 1\n3\n"


def test_gdesc_fetch_count_and_timing(space: Workspace, tables: Client) -> None:
    told = psql(space, "SELECT id, item, price, price * 2 AS twice FROM orders \\gdesc\n")
    assert "numeric(8,2)" in told
    told = psql(space, "\\set FETCH_COUNT 1\nSELECT id FROM orders ORDER BY id;\n", "-At")
    assert told.split() == ["1", "2"]


def test_on_error_rollback(space: Workspace, tables: Client) -> None:
    script = (
        "\\set ON_ERROR_STOP 0\n\\set ON_ERROR_ROLLBACK on\nBEGIN;\n"
        "INSERT INTO orders (item, price) VALUES ('c', 1);\nSELECT nosuch;\nCOMMIT;\n"
    )
    psql(space, script)
    assert tables.ok("SELECT count(*) FROM orders").value == "3"
