"""`mere serve` as a person meets it: one line when it is up, one line when it cannot be, nothing left when it stops."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from mere.demo.seaweed import SeaweedFS

DEADLINE = 60.0
NEW_SECONDS = 5.0
OLD_SECONDS = 3.0
SLACK = 4.0  # a shared test machine is not a fast one; the promises themselves are printed by the assertion
MERE = (sys.executable, "-m", "mere")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MERE_", "AWS_"))}
    source = str(Path(__file__).parents[2] / "src")
    return {**inherited, "PYTHONPATH": source, **(extra or {})}


def command(data: Path, *options: str) -> list[str]:
    return [*MERE, "serve", "--data", str(data), "--listen", "127.0.0.1:0", *options]


@contextmanager
def serving(data: Path, *options: str, extra: Mapping[str, str] | None = None) -> Iterator[tuple[int, str, float]]:
    """(pid, the line it printed, seconds until then). Ends it by SIGTERM and wants exit status 0."""
    started = time.monotonic()
    words = command(data, *options)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(extra))
    assert process.stdout is not None and process.stderr is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
        line = process.stdout.readline() if ready else ""
        assert line, process.stderr.read() if process.poll() is not None else "it said nothing"
        yield process.pid, line, time.monotonic() - started
        if process.poll() is None:
            process.terminate()
        assert process.wait(30) == 0, process.stderr.read()
        assert process.stderr.read() == ""
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


def refused(data: Path, *options: str, extra: Mapping[str, str] | None = None) -> str:
    """The one line that a serve which cannot start prints."""
    done = subprocess.run(
        command(data, *options), capture_output=True, text=True, env=environment(extra), timeout=DEADLINE, check=False
    )
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("mere: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def url_in(line: str) -> str:
    found = re.search(r"postgresql://\S+", line)
    assert found is not None, line
    return found.group()


def processes_in(data: Path) -> list[str]:
    """What still runs with its working directory in the data directory, or names it on its command line."""
    left = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            here = str((entry / "cwd").readlink())
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if here.startswith(str(data)) or str(data) in words:
            left.append(words.replace("\0", " "))
    return left


def with_password(url: str, password: str) -> str:
    return url.replace("postgresql://mere@", f"postgresql://mere:{password}@")


def test_first_start_prints_a_url_that_works_and_later_ones_no_password(scratch: Path) -> None:
    data = scratch / "data"
    with serving(data) as (_, line, seconds):
        assert line.startswith("Mere is up: postgresql://mere:")
        assert str(data / "storage") in line
        assert seconds < NEW_SECONDS * SLACK, f"{seconds:.1f} s, wanted {NEW_SECONDS}"
        url = url_in(line)
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT current_user, current_database()").fetchone()
            assert row == ("mere", "mere")
    assert processes_in(data) == []
    password = re.sub(r".*mere:(.*)@.*", r"\1", url)
    kept = [file for file in data.rglob("*") if file.is_file() and file.stat().st_size < 200]
    holding = [file for file in kept if password in file.read_text(errors="replace")]
    assert holding, "the password is kept"
    assert all(file.stat().st_mode & 0o077 == 0 for file in holding)
    with serving(data) as (_, line, seconds):
        assert url_in(line).startswith("postgresql://mere@")
        assert password not in line
        assert seconds < OLD_SECONDS * SLACK, f"{seconds:.1f} s, wanted {OLD_SECONDS}"
        with psycopg.connect(with_password(url_in(line), password)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert processes_in(data) == []


def test_rows_outlive_the_server(scratch: Path) -> None:
    data, extra = scratch / "data", {"MERE_PASSWORD": "of my own @:/"}
    with serving(data, extra=extra) as (_, line, _), psycopg.connect(url_in(line), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (a int)")
        connection.execute("INSERT INTO kept VALUES (1), (2)")
    with serving(data) as (_, line, _):
        conninfo = psycopg.conninfo.make_conninfo(url_in(line), password="of my own @:/")
        with psycopg.connect(conninfo) as connection:
            assert connection.execute("SELECT sum(a) FROM kept").fetchone() == (3,)


def test_the_administrator_is_no_superuser(scratch: Path) -> None:
    with serving(scratch / "data") as (_, line, _), psycopg.connect(url_in(line)) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, True, True)


def test_no_python_runs_unless_the_server_is_told_so(scratch: Path) -> None:
    with (
        serving(scratch / "data") as (_, line, _),
        psycopg.connect(url_in(line), autocommit=True) as connection,
    ):
        connection.execute("CREATE FUNCTION one() RETURNS int LANGUAGE python AS 'return 1'")
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="do not run on this server"):
            connection.execute("SELECT one()")


def test_interrupt_stops_it_and_nothing_is_left(scratch: Path) -> None:
    data = scratch / "data"
    with serving(data) as (pid, line, _), psycopg.connect(url_in(line)) as connection:
        os.kill(pid, signal.SIGINT)
        with pytest.raises(psycopg.OperationalError):
            for _ in range(300):
                connection.execute("SELECT 1")
                time.sleep(0.1)
    assert processes_in(data) == []


def test_a_stop_while_starting_leaves_nothing(scratch: Path) -> None:
    data = scratch / "data"
    for pause in (0.3, 0.8, 1.3):
        process = subprocess.Popen(
            command(data), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
        )
        time.sleep(pause)
        process.terminate()
        _, error = process.communicate(timeout=30)
        assert "Traceback" not in error
        assert processes_in(data) == []
    with serving(data) as (_, line, _):
        assert url_in(line)


def test_a_second_serve_on_the_same_directory(scratch: Path) -> None:
    data = scratch / "data"
    with serving(data) as (pid, line, _):
        message = refused(data)
        assert "in use" in message and str(pid) in message
        with psycopg.connect(url_in(line)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_taken_port(scratch: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*MERE, "serve", "--data", str(scratch / "data"), "--listen", f"127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=DEADLINE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.stderr


def test_storage_that_cannot_be_used(scratch: Path, object_store: SeaweedFS) -> None:
    unreachable = {**object_store.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    data = scratch / "data"
    assert "s3://mere/lake" in refused(data, "--storage", "s3://mere/lake", extra=unreachable)
    wrong = {**object_store.environment, "AWS_SECRET_ACCESS_KEY": "wrong"}
    message = refused(data, "--storage", "s3://mere/lake", extra=wrong)
    assert "secret key" in message or "credentials" in message
    assert "wrong" not in message.replace("secret key is wrong", "").replace("are wrong", "")
    (scratch / "file").write_text("in the way")
    assert "file" in refused(data, "--storage", str(scratch / "file"))
    assert processes_in(data) == []
    with serving(data, "--storage", "s3://mere/refused-before", extra=object_store.environment) as (_, line, _):
        assert "s3://mere/refused-before" in line


def test_the_storage_is_fixed_at_the_first_start(scratch: Path) -> None:
    data = scratch / "data"
    with serving(data, "--storage", str(scratch / "lake")) as (_, line, _):
        assert str(scratch / "lake") in line
    assert str(scratch / "lake") in refused(data, "--storage", str(scratch / "other"))
    with serving(data) as (_, line, _):
        assert str(scratch / "lake") in line


def test_two_warehouses_cannot_share_one_storage(scratch: Path) -> None:
    with serving(scratch / "one", "--storage", str(scratch / "lake")):
        pass
    assert "another warehouse" in refused(scratch / "two", "--storage", str(scratch / "lake"))


def test_foreign_and_damaged_directories_are_left_alone(scratch: Path) -> None:
    foreign = scratch / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    assert str(foreign) in refused(foreign)
    assert [file.name for file in foreign.iterdir()] == ["letter.txt"]
    data = scratch / "data"
    with serving(data):
        pass
    version = data / "postgres" / "PG_VERSION"
    version.rename(version.with_name("PG_VERSION.away"))
    assert "damaged" in refused(data)
    version.with_name("PG_VERSION.away").rename(version)
    with serving(data) as (_, line, _):
        assert url_in(line)
    (data / "mere.json").write_text("{")
    assert "damaged" in refused(data)


def test_state_says_whether_it_is_up(scratch: Path) -> None:
    data = scratch / "data"
    words = [*MERE, "state", "--data", str(data)]
    with serving(data):
        done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "Mere is up at 127.0.0.1:" in done.stdout
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 1
    assert "Mere is down" in done.stdout


@pytest.mark.skipif(os.getuid() != 0, reason="only root can close a directory to PostgreSQL's own user")
def test_below_a_directory_that_is_closed_to_others(scratch: Path) -> None:
    closed = scratch / "closed"
    closed.mkdir(mode=0o700)
    with serving(closed / "data") as (_, line, _), psycopg.connect(url_in(line)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_maintenance_with_and_without_a_server(scratch: Path) -> None:
    data = scratch / "data"
    words = [*MERE, "maintain", "--data", str(data), "--retention", "0"]

    def maintain() -> str:
        done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    with serving(data) as (_, line, _), psycopg.connect(url_in(line), autocommit=True) as connection:
        connection.execute("CREATE TABLE worn (a int)")
        for number in range(12):
            connection.execute("INSERT INTO worn VALUES (%s)", (number,))
        connection.execute("DELETE FROM worn WHERE a = 2")
        assert "small or worn files replaced" in maintain()
        assert connection.execute("SELECT sum(a) FROM worn").fetchone() == (64,)
        connection.execute("INSERT INTO worn VALUES (5)")
    assert "mere" in maintain()
    with serving(data) as (_, line, _):
        password = (data / "secrets" / "mere").read_text().strip()
        with psycopg.connect(with_password(url_in(line), password)) as connection:
            assert connection.execute("SELECT sum(a) FROM worn").fetchone() == (69,)
