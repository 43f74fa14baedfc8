"""The backing connection: relaying, and the gateway's own statements between a client's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from harness.scram import ScramClient

from mere.catalog.backend import Backend, BackendLost, CommandResult, Describe, Description, Fetch, PgError
from mere.catalog.server import PostgresServer
from mere.wire import requests

from .conftest import PASSWORD


async def connect(server: PostgresServer, received: list[bytes] | None = None, **options: str) -> Backend:
    parameters = {"user": "ada", "database": "postgres", **options}
    notice = (lambda _: None) if received is None else received.append
    return await Backend.connect(server.socket_path, parameters, ScramClient(PASSWORD), notice)


@pytest_asyncio.fixture
async def backend(postgres: PostgresServer) -> AsyncIterator[Backend]:
    connection = await connect(postgres)
    yield connection
    await connection.close()


async def test_connecting(backend: Backend) -> None:
    assert backend.parameters["server_version"].startswith("18")
    assert backend.status == "I"
    assert len(backend.secret) == 32
    assert await backend.fetch("SELECT pg_backend_pid()") == [(str(backend.pid),)]


async def test_wrong_password(postgres: PostgresServer) -> None:
    with pytest.raises(PgError) as caught:
        await Backend.connect(postgres.socket_path, {"user": "ada", "database": "postgres"}, ScramClient("wrong"))
    assert caught.value.sqlstate == "28P01"
    with pytest.raises(PgError, match="password is required"):
        await Backend.connect(postgres.socket_path, {"user": "ada", "database": "postgres"})


async def test_simple(backend: Backend) -> None:
    first, second = await backend.simple("SELECT 1 AS a, NULL; SELECT 2 WHERE false")
    assert (first.tag, first.rows, first.fields[0].name) == ("SELECT 1", [("1", None)], "a")
    assert (second.tag, second.rows) == ("SELECT 0", [])
    with pytest.raises(PgError) as caught:
        await backend.simple("SELECT 1; SELECT 1/0")
    assert caught.value.sqlstate == "22012"
    assert await backend.simple("") == []
    with pytest.raises(PgError, match="not possible here"):
        await backend.simple("CREATE TEMP TABLE c (a int); COPY c FROM STDIN")


async def test_fetch(backend: Backend) -> None:
    assert await backend.fetch("SELECT $1::int + 1, $2", ["41", None]) == [("42", None)]
    with pytest.raises(PgError) as caught:
        await backend.fetch("SELEC 1")
    assert (caught.value.sqlstate, caught.value.position) == ("42601", 1)
    assert await backend.fetch("SELECT count(*) FROM pg_prepared_statements WHERE name <> 'mere'") == [("0",)]


async def test_describe(backend: Backend) -> None:
    described = await backend.describe("SELECT $1::date AS d, oid FROM pg_class", [])
    assert described.param_oids == (1082,)
    assert described.fields is not None
    assert [(field.name, field.type_oid, field.table_oid) for field in described.fields] == [
        ("d", 1082, 0),
        ("oid", 26, 1259),
    ]
    assert (await backend.describe("RESET ALL")).fields is None


async def test_one_flight(backend: Backend) -> None:
    results = await backend.pipeline([Fetch("BEGIN"), Describe("SELECT 1"), Fetch("SELECT 2")])
    assert isinstance(results[1], Description)
    assert isinstance(results[2], CommandResult)
    assert results[2].rows == [("2",)]
    assert backend.status == "T"
    with pytest.raises(PgError) as caught:
        await backend.pipeline([Fetch("SELECT 1"), Describe("SELECT nothing"), Fetch("SELECT 3")])
    assert (caught.value.step, caught.value.sqlstate, backend.status) == (1, "42703", "E")
    await backend.simple("ROLLBACK")


async def test_within_a_clients_pipeline(backend: Backend) -> None:
    """Own statements neither end the client's implicit transaction nor touch its unnamed statement and portal."""
    backend.send(requests.parse("", "SELECT 'mine'"))
    backend.send(requests.bind("", ""))
    backend.send(requests.FLUSH)
    assert [(await backend.receive())[0] for _ in range(2)] == [b"1", b"2"]
    assert await backend.fetch("SELECT 'own'", sync=False) == [("own",)]
    backend.send(requests.execute(""))
    backend.send(requests.SYNC)
    assert [(await backend.receive())[0] for _ in range(3)] == [b"D", b"C", b"Z"]
    with pytest.raises(PgError):
        await backend.fetch("SELECT 1/0", sync=False)
    backend.send(requests.SYNC)
    assert (await backend.receive())[0] == b"Z"
    assert await backend.fetch("SELECT 1") == [("1",)]


async def test_copy(backend: Backend) -> None:
    async def lines(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"1\n" * 10_000

    async def broken() -> AsyncIterator[bytes]:
        yield b"1\n"
        raise OSError("the source broke")

    await backend.simple("CREATE TEMP TABLE t (a int)")
    assert await backend.copy_in("COPY t FROM STDIN", lines(100)) == "COPY 1000000"
    pieces = [piece async for piece in backend.copy_out("COPY t TO STDOUT")]
    assert b"".join(pieces) == b"1\n" * 1_000_000
    assert len(pieces) < 5000
    with pytest.raises(OSError, match="the source broke"):
        await backend.copy_in("COPY t FROM STDIN", broken())
    with pytest.raises(PgError, match="nothing"):
        await backend.copy_in("COPY nothing FROM STDIN", lines(1))
    with pytest.raises(PgError, match="nothing"):
        _ = [piece async for piece in backend.copy_out("COPY nothing TO STDOUT")]
    assert await backend.fetch("SELECT count(*) FROM t") == [("1000000",)]


async def test_asynchronous_messages_also_while_idle(postgres: PostgresServer) -> None:
    received: list[bytes] = []
    listener = await connect(postgres, received)
    speaker = await connect(postgres)
    await listener.simple("LISTEN news")
    await listener.simple("DO $$ begin raise notice 'hello'; end $$")
    assert [raw[:1] for raw in received] == [b"N"]
    await listener.simple("SET application_name = 'renamed'")
    assert listener.parameters["application_name"] == "renamed"
    await speaker.simple("NOTIFY news, 'extra'")
    for _ in range(100):
        if len(received) == 3:
            break
        await asyncio.sleep(0.02)
    assert [raw[:1] for raw in received] == [b"N", b"S", b"A"]
    await listener.close()
    await speaker.close()


async def test_cancel(backend: Backend) -> None:
    running = asyncio.create_task(backend.simple("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.1)
    await backend.cancel()
    with pytest.raises(PgError) as caught:
        await asyncio.wait_for(running, 5)
    assert caught.value.sqlstate == "57014"
    assert await backend.fetch("SELECT 1") == [("1",)]


async def test_ended_by_postgresql(postgres: PostgresServer, backend: Backend) -> None:
    lost = asyncio.Event()
    backend.when_lost(lost.set)
    other = await postgres.connect()
    await other.execute("SELECT pg_terminate_backend($1, 5000)", backend.pid)
    await other.close()
    await asyncio.wait_for(lost.wait(), 5)
    assert backend.closed.is_set()
    assert (backend.last_words().sqlstate, backend.last_words().severity) == ("57P01", "FATAL")
    with pytest.raises(BackendLost):
        await backend.fetch("SELECT 1")


async def test_a_pipeline_larger_than_all_buffers(backend: Backend) -> None:
    """PostgreSQL answers while we still send: neither side may wait for the other for ever."""
    steps = [Fetch(f"SELECT '{'x' * 3000}'") for _ in range(3000)]
    results = await asyncio.wait_for(backend.pipeline(steps), 30)
    assert len(results) == 3000
