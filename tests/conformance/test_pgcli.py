"""pgcli: the queries of its completion, its commands, and its own printing, without a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from harness.client import Client
from harness.mere import PASSWORD
from harness.workspace import Workspace

pgexecute = pytest.importorskip("pgcli.pgexecute", reason="pgcli is not installed")
special = pytest.importorskip("pgspecial.main", reason="pgcli is not installed")


@pytest.fixture
def executor(space: Workspace, client: Client) -> Any:
    client.ok("CREATE TABLE t (id serial PRIMARY KEY, name varchar(20) NOT NULL, price numeric(10,2))")
    client.ok("INSERT INTO t (name, price) VALUES ('a', 1.5), ('b', 2.5)")
    client.ok("CREATE VIEW v AS SELECT name FROM t")
    made = pgexecute.PGExecute("mere", "mere", PASSWORD, "127.0.0.1", space.server.port, None)
    list(made.run(f"SET search_path = {space.schema}"))
    return made


def results(executor: Any, sql: str) -> list[Any]:
    """Rows of the first result."""
    for _title, rows, _headers, status, *_ in executor.run(sql, special.PGSpecial()):
        return list(rows) if rows is not None else [status]
    return []


def test_completion_learns_the_schema(executor: Any, space: Workspace) -> None:
    assert (space.schema, "t") in list(executor.tables())
    assert (space.schema, "v") in list(executor.views())
    columns = [column for column in executor.table_columns() if column[0] == space.schema]
    assert [column[2] for column in columns] == ["id", "name", "price"]
    assert "mere" in executor.databases()
    assert list(executor.functions())
    assert space.schema in list(executor.schemata())
    assert isinstance(list(executor.foreignkeys()), list)
    assert list(executor.datatypes()) is not None
    assert executor.search_path()[-1] == space.schema


@pytest.mark.parametrize(
    "command", ["\\d", "\\dt", "\\dv", "\\d t", "\\d+ t", "\\df", "\\dn", "\\du", "\\l", "\\dT", "\\di"]
)
def test_commands_answer(executor: Any, command: str) -> None:
    assert results(executor, command) is not None


def test_statements_print_rows_and_status(executor: Any) -> None:
    assert [tuple(row) for row in results(executor, "SELECT id, name, price FROM t ORDER BY id")] == [
        (1, "a", Decimal("1.50")),
        (2, "b", Decimal("2.50")),
    ]
    assert results(executor, "UPDATE t SET price = 0") == ["UPDATE 2"]
