"""PostgreSQL's JDBC driver: values, batches, fetchSize, metadata, transactions, cancel, COPY, by a Java program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from harness.mere import PASSWORD
from harness.workspace import Workspace

DRIVER = Path("/usr/share/java/postgresql.jar")  # Debian's libpostgresql-jdbc-java
PROGRAM = Path(__file__).parent / "programs" / "Jdbc.java"


def test_jdbc_program_passes(space: Workspace) -> None:
    java = shutil.which("java")
    if java is None or not DRIVER.exists() or shutil.which("javac") is None:
        pytest.skip("no JDK, or no JDBC driver: on Debian, apt install default-jdk-headless libpostgresql-jdbc-java")
    url = f"jdbc:postgresql://127.0.0.1:{space.server.port}/mere?user=mere&password={PASSWORD}&currentSchema={space.schema}"
    command = [
        java,
        "-XX:TieredStopAtLevel=1",
        "-Duser.timezone=UTC",
        "-cp",
        str(DRIVER),
        str(PROGRAM),
        url,
        space.schema,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.stdout.strip() == "passed", done.stdout + done.stderr
