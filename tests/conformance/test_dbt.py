"""dbt-postgres with a real project: seeds, views, tables, incremental models, snapshots, tests, docs, a second run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.client import Client
from harness.mere import PASSWORD
from harness.workspace import Workspace

PROJECT = Path(__file__).parent / "dbt_project"


def program() -> str:
    """dbt beside this Python, or on the path; its requirements do not always go with ours."""
    beside = Path(sys.executable).parent / "dbt"
    found = str(beside) if beside.exists() else shutil.which("dbt")
    if found is None:
        pytest.skip("dbt is not installed: pip install dbt-core dbt-postgres")
    return found


@dataclass(frozen=True, slots=True)
class Project:
    directory: Path
    schema: str

    def dbt(self, *arguments: str) -> str:
        """What dbt printed; it must succeed."""
        environment = {**os.environ, "DBT_PROFILES_DIR": str(self.directory), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        command = [program(), "--no-use-colors", "--no-version-check", *arguments]
        done = subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=110, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def project(space: Workspace, tmp_path: Path) -> Iterator[Project]:
    directory = tmp_path / "project"
    shutil.copytree(PROJECT, directory)
    output = {
        "type": "postgres", "host": "127.0.0.1", "port": space.server.port, "user": "mere", "password": PASSWORD,
        "dbname": "mere", "schema": space.schema, "threads": 4,
    }  # fmt: skip
    (directory / "profiles.yml").write_text(json.dumps({"mere": {"target": "dev", "outputs": {"dev": output}}}))
    yield Project(directory, space.schema)


@pytest.mark.timeout(400)
def test_a_project_is_built_changed_built_again_and_documented(project: Project, client: Client) -> None:
    project.dbt("build")
    assert client.ok("SELECT customer, orders, total::numeric(10,2) FROM customers ORDER BY customer").text == [
        ("ann", "2", "15.75"), ("bob", "1", "20.00"), ("o'hara, c", "1", "0.00"),
    ]  # fmt: skip
    assert client.ok("SELECT count(*) FROM cheap_orders").value == "2"
    by_status = "SELECT status, orders FROM orders_by_status ORDER BY status"
    before = client.ok(by_status).text
    seeds = project.directory / "seeds" / "raw_orders.csv"
    changed = seeds.read_text().replace("3,ann,5.25,new,2024-01-03,2024-01-03", "3,ann,6.00,sent,2024-01-03,2024-01-05")
    changed = "\n".join(line for line in changed.splitlines() if not line.startswith("1,"))
    seeds.write_text(changed + "\n5,dan,1.00,new,2024-01-05,2024-01-06 10:00:00\n")
    project.dbt("build", "--vars", "{wider: true}")
    for table in ("history_delete_insert", "history_merge"):
        rows = client.ok(f"SELECT id, amount, status FROM {table} ORDER BY id").text
        assert rows == [
            ("1", "10.50", "new"), ("2", "20.00", "paid"), ("3", "6.00", "sent"), ("4", None, "lost"),
            ("5", "1.00", "new"),
        ], table  # fmt: skip
    assert client.ok("SELECT id, shouted FROM history_merge WHERE shouted IS NOT NULL ORDER BY id").text == [
        ("3", "ANN"), ("4", "O'HARA, C"), ("5", "DAN"),
    ]  # fmt: skip
    assert client.ok("SELECT count(*), count(DISTINCT id) FROM history_append").text == [("6", "5")]
    assert client.ok(by_status).text not in ([], before)
    past = client.ok("SELECT id, status FROM orders_snapshot WHERE dbt_valid_to IS NOT NULL ORDER BY id").text
    assert past == [("1", "new"), ("3", "new")]
    assert client.ok("SELECT count(*) FROM orders_by_time").value == "6"
    project.dbt("docs", "generate")
    catalog = json.loads((project.directory / "target" / "catalog.json").read_text())
    columns = catalog["nodes"]["model.mere_conformance.customers"]["columns"]
    assert {name: column["type"] for name, column in columns.items()}["total"] == "numeric(38,10)"
    project.dbt("source", "freshness")
