"""The PostgreSQL process: it starts on whatever a crash left, and never outlives the server."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mere.catalog.datadir import DataDirectory
from mere.catalog.postgres import SERVICE_ERRORS
from mere.catalog.server import PostgresServer
from mere.errors import StartupError

# A server in a process of its own; `{patch}` may take away its care for a sudden death.
SERVE = """
import asyncio, sys
from pathlib import Path
from mere.catalog import server
from mere.catalog.datadir import DataDirectory
{patch}
async def main():
    it = server.PostgresServer(DataDirectory.claim(Path(sys.argv[1])))
    await it.start()
    print(it.pid, flush=True)
    await it.wait()
asyncio.run(main())
"""
NO_DEATH_SIGNAL = "server._die_with_parent = lambda number: None"


@asynccontextmanager
async def started(directory: Path) -> AsyncIterator[PostgresServer]:
    data = DataDirectory.claim(directory)
    server = PostgresServer(data)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
        data.release()


async def run(server: PostgresServer, sql: str) -> object:
    connection = await server.connect()
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int) -> bool:
    for _ in range(200):
        if not lives(pid):
            return True
        await asyncio.sleep(0.05)
    return False


async def serve_elsewhere(directory: Path, patch: str = "") -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", SERVE.format(patch=patch), str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(await asyncio.to_thread(process.stdout.readline))


async def test_start_stop_and_start_again(scratch: Path) -> None:
    async with started(scratch / "data") as server:
        pid = server.pid
        assert await run(server, "SHOW server_version_num") == "180006"
        assert await run(server, "SHOW fsync") == "on"
        assert await run(server, "SELECT datlocale = 'C.UTF-8' FROM pg_database WHERE datname = 'postgres'")
        await run(server, "CREATE TABLE public.kept AS SELECT 7 AS a")
    assert pid is not None
    assert not lives(pid)
    async with started(scratch / "data") as server:
        assert await run(server, "SELECT a FROM public.kept") == 7


async def test_every_role_needs_its_password(catalog: PostgresServer) -> None:
    import asyncpg

    for password in ("", "wrong"):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(
                host=str(catalog.socket_directory), user="mere_super", password=password, database="postgres"
            )


async def test_nothing_listens_on_tcp(catalog: PostgresServer) -> None:
    assert await run(catalog, "SHOW listen_addresses") == ""
    assert await run(catalog, "SHOW max_prepared_transactions") == "0"


async def test_a_killed_postgres_is_seen_and_started_again(scratch: Path) -> None:
    async with started(scratch / "data") as server:
        await run(server, "CREATE TABLE public.kept AS SELECT 7 AS a")
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await asyncio.wait_for(server.wait(), 10) == -signal.SIGKILL
        await server.stop()
        await server.start()
        assert await run(server, "SELECT a FROM public.kept") == 7


async def test_a_connection_that_postgres_ended_while_it_was_idle_is_a_service_error(catalog: PostgresServer) -> None:
    """Whether its last words were already read, or not, or the connection is long known to be closed."""
    for seconds in (0, 0.1):
        ended, other = await catalog.connect(), await catalog.connect()
        await other.execute("SELECT pg_terminate_backend($1)", ended.get_server_pid())
        await asyncio.sleep(seconds)
        with pytest.raises(SERVICE_ERRORS):
            await ended.fetchval("SELECT 1")
        await other.close()


async def test_postgres_dies_with_a_killed_server(scratch: Path) -> None:
    process, pid = await serve_elsewhere(scratch / "data")
    assert lives(pid)
    process.kill()
    process.wait()
    assert await gone(pid)
    async with started(scratch / "data") as server:
        assert await run(server, "SELECT 1") == 1


async def test_an_orphan_is_ended_first(scratch: Path) -> None:
    process, pid = await serve_elsewhere(scratch / "data", NO_DEATH_SIGNAL)
    process.kill()
    process.wait()
    assert lives(pid)
    async with started(scratch / "data") as server:
        assert not lives(pid)
        assert server.pid != pid
        assert await run(server, "SELECT 1") == 1


async def test_server_and_postgres_killed_together(scratch: Path) -> None:
    process, pid = await serve_elsewhere(scratch / "data", NO_DEATH_SIGNAL)
    process.kill()
    os.kill(pid, signal.SIGKILL)
    process.wait()
    async with started(scratch / "data") as server:
        assert await run(server, "SELECT 1") == 1


async def test_a_pid_file_that_names_a_stranger(scratch: Path) -> None:
    async with started(scratch / "data"):
        pass
    stranger = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    try:
        (scratch / "data" / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n/nowhere\n1\n5432\n\n\n\n")
        async with started(scratch / "data") as server:
            assert await run(server, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_half_made_cluster_is_made_anew(scratch: Path) -> None:
    (scratch / "data").mkdir(mode=0o700)
    DataDirectory.claim(scratch / "data").release()
    (scratch / "data" / "postgres.new").mkdir()
    (scratch / "data" / "postgres.new" / "PG_VERSION").write_text("18\n")
    async with started(scratch / "data") as server:
        assert await run(server, "SELECT 1") == 1


@pytest.mark.parametrize("part", ["PG_VERSION", "global/pg_control", "pg_wal", "postgresql.conf"])
async def test_a_damaged_cluster_is_named_and_left(scratch: Path, part: str) -> None:
    async with started(scratch / "data") as server:
        server.data.mark_initialized()
    damaged = scratch / "data" / "postgres" / part
    damaged.rename(scratch / "taken")
    before = sorted((scratch / "data" / "postgres").rglob("*"))
    with pytest.raises(StartupError, match="damaged"):
        async with started(scratch / "data"):
            pass
    assert sorted((scratch / "data" / "postgres").rglob("*")) == before
    (scratch / "taken").rename(damaged)
    async with started(scratch / "data") as server:
        assert await run(server, "SELECT 1") == 1


async def test_a_missing_or_older_cluster_is_refused(scratch: Path) -> None:
    async with started(scratch / "data") as server:
        server.data.mark_initialized()
    version = scratch / "data" / "postgres" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(StartupError, match="belongs to PostgreSQL 17"):
        async with started(scratch / "data"):
            pass
    shutil.rmtree(scratch / "data" / "postgres")
    with pytest.raises(StartupError, match="missing"):
        async with started(scratch / "data"):
            pass
    assert not (scratch / "data" / "postgres").exists()


async def test_a_corrupted_control_file_is_one_clear_line(scratch: Path) -> None:
    async with started(scratch / "data"):
        pass
    control = scratch / "data" / "postgres" / "global" / "pg_control"
    sound = control.read_bytes()
    control.write_bytes(b"\0" * len(sound))
    with pytest.raises(StartupError, match="PostgreSQL did not start") as failed:
        async with started(scratch / "data"):
            pass
    assert "\n" not in failed.value.message


async def test_a_path_too_long_for_a_socket(scratch: Path) -> None:
    async with started(scratch / ("long" * 30) / "data") as server:
        assert await run(server, "SELECT 1") == 1
        directory = server.socket_directory
        assert len(str(server.socket_path)) < 100
    assert not directory.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives PostgreSQL another account")
async def test_a_data_directory_below_a_closed_one(scratch: Path) -> None:
    (scratch / "closed").mkdir(mode=0o700)
    async with started(scratch / "closed" / "data") as server:
        assert await run(server, "SELECT 1") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
