"""`mere serve --segments`: what a user sees of segments, from the first second to the last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from harness.mere import MereProcess

UP = "SELECT count(*) FROM mere.segment_configuration WHERE status = 'up'"


@pytest.fixture(scope="module")
def server(session_scratch: Path) -> Iterator[MereProcess]:
    found = marked(session_scratch / "segments", MERE_SEGMENTS="2", MERE_PYTHON_FUNCTIONS="on")
    found.start()
    yield found
    found.stop()


def until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.1)


def connected(server: MereProcess) -> psycopg.Connection:
    return psycopg.connect(server.conninfo(), autocommit=True)


def up(connection: psycopg.Connection) -> int:
    row = connection.execute(UP).fetchone()
    assert row is not None
    return int(row[0])


def there(connection: psycopg.Connection) -> int:
    """Up or starting."""
    row = connection.execute("SELECT count(*) FROM mere.segment_configuration").fetchone()
    assert row is not None
    return int(row[0])


def marked(directory: Path, **settings: str) -> MereProcess:
    """A server whose children can be told from others'."""
    return MereProcess(directory, environment={"TEST_MARK": str(directory), "MERE_SEGMENT_THREADS": "1", **settings})


def ray_processes(server: MereProcess) -> list[int]:
    mark = f"TEST_MARK={server.directory}\0".encode()
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                ours = mark in (process / "environ").read_bytes()
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if ours and b"ray" in command:
                found.append(int(process.name))
    return found


@pytest.mark.timeout(300)
def test_it_answers_before_its_segments_do_and_shows_them_when_they_are_up(server: MereProcess) -> None:
    with connected(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        until(lambda: up(connection) == 2, 60)
        rows = connection.execute(
            "SELECT id, status, role, restarts, pid IS NOT NULL, started IS NOT NULL FROM mere.segment_configuration"
            " WHERE status <> 'spare' ORDER BY id"
        ).fetchall()
        assert rows == [(0, "up", "primary", 0, True, True), (1, "up", "primary", 0, True, True)]


@pytest.mark.timeout(300)
def test_tools_for_greenplum_find_their_table(server: MereProcess) -> None:
    with connected(server) as connection:
        until(lambda: up(connection) == 2, 60)
        rows = connection.execute(
            "SELECT content, role, preferred_role, status FROM gp_segment_configuration ORDER BY content"
        ).fetchall()
        assert rows == [(-1, "p", "p", "u"), (0, "p", "p", "u"), (1, "p", "p", "u")]


@pytest.mark.timeout(300)
def test_a_killed_segment_is_shown_with_its_restart(server: MereProcess) -> None:
    with connected(server) as connection:
        until(lambda: up(connection) == 2, 60)
        row = connection.execute("SELECT pid, restarts FROM mere.segment_configuration WHERE id = 1").fetchone()
        assert row is not None
        os.kill(row[0], signal.SIGKILL)
        query = "SELECT restarts FROM mere.segment_configuration WHERE id = 1 AND status = 'up'"
        until(lambda: connection.execute(query).fetchone() == (row[1] + 1,), 20)


@pytest.mark.timeout(300)
def test_resize_is_for_the_administrator(server: MereProcess) -> None:
    with connected(server) as connection:
        connection.execute("CREATE ROLE visitor")
        connection.execute("SET ROLE visitor")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT mere.resize(3)")
        assert up(connection) == 2
        connection.execute("RESET ROLE")
        connection.execute("DROP ROLE visitor")
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute("SELECT mere.resize(0)")
        connection.execute("SELECT mere.resize(3)")
        until(lambda: up(connection) == 3, 60)
        connection.execute("SELECT mere.resize(2)")
        until(lambda: up(connection) == 2, 60)


@pytest.mark.timeout(300)
def test_functions_of_users_run_in_the_segments(server: MereProcess) -> None:
    with connected(server) as connection:
        until(lambda: up(connection) == 2, 60)
        connection.execute("CREATE TABLE rows_of (id bigint, k int) DISTRIBUTED BY (id)")
        connection.execute("INSERT INTO rows_of SELECT i, i % 10 FROM generate_series(1, 120000) AS i")
        for name, body in {
            "engine": "import os\nreturn os.getppid()",
            "twice": "return a * 2",
            "wrong": "return 1 // (a - 77)",
            "endless": "while a == 5: pass\nreturn a",
        }.items():
            connection.execute(
                f"CREATE FUNCTION {name}(a bigint) RETURNS bigint LANGUAGE python IMMUTABLE AS $py${body}$py$"
            )
        connection.execute(
            "CREATE FUNCTION of_k(x int) RETURNS SETOF bigint LANGUAGE sql STABLE"
            " AS 'SELECT id FROM rows_of WHERE k = x'"
        )
        segments = connection.execute("SELECT pid FROM mere.segment_configuration WHERE status = 'up'").fetchall()
        assert sorted(connection.execute("SELECT DISTINCT engine(id) FROM rows_of").fetchall()) == sorted(segments)
        assert connection.execute("SELECT sum(twice(i)) FROM of_k(3) AS i").fetchone() == (1439952000,)
        with pytest.raises(psycopg.Error, match="ZeroDivisionError") as raised:
            connection.execute("SELECT sum(wrong(id)) FROM rows_of")
        assert raised.value.sqlstate == "38000"
        connection.execute("SET statement_timeout = '500ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT sum(endless(id)) FROM rows_of")
        connection.execute("RESET statement_timeout")
        assert connection.execute("SELECT sum(twice(id)) FROM rows_of").fetchone() == (120000 * 120001,)


@pytest.mark.timeout(300)
def test_mere_state_shows_them(server: MereProcess) -> None:
    with connected(server) as connection:
        until(lambda: up(connection) == 2, 60)
    shown = subprocess.run(
        [sys.executable, "-m", "mere", "state", "--data", str(server.data)], capture_output=True, text=True, timeout=30
    ).stdout
    lines = [line for line in shown.splitlines() if "primary" in line]
    assert len([line for line in lines if " up " in line]) == 2


@pytest.mark.timeout(300)
def test_nothing_can_be_reached_from_outside(server: MereProcess) -> None:
    with connected(server) as connection:
        until(lambda: up(connection) == 2, 60)
    assert server.process is not None
    open_files = [
        link.readlink().name
        for pid in (server.process.pid, *ray_processes(server))
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    ]
    inodes = {name[8:-1] for name in open_files if name.startswith("socket:")}
    listening = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    found = {fields[1].split(":")[0] for fields in listening if fields[9] in inodes}
    assert found
    assert all(address.endswith("0100007F") for address in found), found


@pytest.mark.timeout(300)
def test_stopping_leaves_no_process_and_no_file(scratch: Path) -> None:
    server = marked(scratch, MERE_SEGMENTS="1", MERE_SPARE_SEGMENTS="0").start()
    with connected(server) as connection:
        until(lambda: up(connection) == 1, 60)
    assert ray_processes(server)
    assert server.stop() == 0
    assert ray_processes(server) == []
    assert not (server.data / "ray").exists()
    assert "Traceback" not in server.tail()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", ["at once", "with a part of Ray there"])
def test_stopping_while_the_segments_still_come_up(scratch: Path, moment: str) -> None:
    server = marked(scratch, MERE_SEGMENTS="1").start()
    if moment != "at once":
        until(lambda: len(ray_processes(server)) > 4, 60)  # the last to come are agents, which nobody else ends
    assert server.stop(30) == 0
    assert ray_processes(server) == []
    assert "Traceback" not in server.tail()


@pytest.mark.timeout(300)
def test_a_killed_server_takes_its_segments_along_and_starts_again_with_as_many(scratch: Path) -> None:
    server = marked(scratch, MERE_SEGMENTS="1", MERE_SPARE_SEGMENTS="0").start()
    with connected(server) as connection:
        until(lambda: up(connection) == 1, 60)
        connection.execute("SELECT mere.resize(2)")
        until(lambda: up(connection) == 2, 60)
    server.kill_server()
    until(lambda: ray_processes(server) == [], 15)
    server.start()
    with connected(server) as connection:
        until(lambda: up(connection) == 2, 60)
    server.kill_server()
    server.environment = {**server.environment, "MERE_SEGMENTS": "3"}  # the last word counts
    server.start()
    with connected(server) as connection:
        assert there(connection) == 3
    assert server.stop() == 0


def test_without_segments_there_is_one_and_no_more_can_be_had(mere: MereProcess) -> None:
    with connected(mere) as connection:
        assert up(connection) == 1
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute("SELECT mere.resize(2)")
