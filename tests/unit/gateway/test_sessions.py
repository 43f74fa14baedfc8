"""While a session runs: cancel, lost clients, lost backing connections, flow control, and the end of the gateway."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from harness.raw import RawClient, kinds

from mere.catalog.server import PostgresServer
from mere.wire import requests
from mere.wire.backend import read_backend_key_data, read_error

from .conftest import PASSWORD, Relay, RelaySession, relay_gateway


async def logged_in(relay: Relay) -> tuple[RawClient, RelaySession]:
    client = await RawClient.connect(relay.port)
    await client.login("ada", PASSWORD, "postgres")
    return client, relay.sessions[-1]


async def until_ended(session: RelaySession) -> None:
    await asyncio.wait_for(session.ended.wait(), 5)


async def test_cancel_reaches_the_session_with_the_right_key_only(relay: Relay) -> None:
    client = await RawClient.connect(relay.port)
    received = await client.login("ada", PASSWORD, "postgres")
    session = relay.sessions[-1]
    pid, secret = read_backend_key_data(received[-2])
    client.send(requests.query("SELECT pg_sleep(30)"))
    for wrong in ((pid, b"nope"), (pid + 1, secret), (pid, secret + b"x" * 28), (0, b"\0" * 4)):
        async with await RawClient.connect(relay.port) as other:
            other.send(requests.cancel_request(*wrong))
            assert await other.at_end() == b""
    assert session.cancels == 0
    async with await RawClient.connect(relay.port) as other:
        other.send(requests.cancel_request(pid, secret))
        assert await other.at_end() == b""
    assert session.cancels == 1
    (*_, error, ready) = await client.read_until()
    assert read_error(error).sqlstate == "57014"
    assert ready[:1] == b"Z"
    client.send(requests.TERMINATE)
    await until_ended(session)
    async with await RawClient.connect(relay.port) as other:
        other.send(requests.cancel_request(pid, secret))
        assert await other.at_end() == b""
    assert session.cancels <= 2  # the relay's own, when the client had gone


@pytest.mark.parametrize("reset", [False, True])
async def test_a_client_that_vanishes_stops_its_statement(relay: Relay, reset: bool) -> None:
    client, session = await logged_in(relay)
    client.send(requests.query("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.1)
    if reset:
        handle = client.writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
    await until_ended(session)
    assert session.cancels == 1
    await asyncio.wait_for(session.backend.closed.wait(), 5)


async def test_a_client_that_vanishes_behind_a_long_pipeline(relay: Relay) -> None:
    """Reading is paused then, and the end of the connection would go unseen."""
    client, session = await logged_in(relay)
    client.send(requests.query("SELECT pg_sleep(30)"), requests.query(f"SELECT '{'x' * 20_000}'") * 70)
    await asyncio.sleep(0.3)
    assert session.client._reading_paused  # type: ignore[attr-defined]
    client.writer.transport.abort()
    await asyncio.wait_for(session.client.closed.wait(), 5)
    await until_ended(session)


async def test_a_client_that_never_reads_costs_no_memory(relay: Relay) -> None:
    client, session = await logged_in(relay)
    client.reader._limit = 1000  # type: ignore[attr-defined]
    client.send(requests.query("SELECT repeat('x', 1000) FROM generate_series(1, 300000)"))
    transport = session.client._transport  # type: ignore[attr-defined]
    largest = 0
    for _ in range(20):
        await asyncio.sleep(0.05)
        largest = max(largest, transport.get_write_buffer_size() + session.backend._stream._framing.buffered)
    assert largest < 8 << 20
    client.writer.transport.abort()
    await until_ended(session)


async def test_a_client_that_sends_faster_than_it_is_served(relay: Relay) -> None:
    client, session = await logged_in(relay)
    batch = requests.query("SELECT pg_sleep(0.3)") + requests.query(f"SELECT '{'x' * 9_000}'") * 1000
    client.send(batch)
    await asyncio.sleep(0.2)
    assert session.client._decoder.buffered < 4 << 20  # type: ignore[attr-defined]
    received = b""
    while received.count(b"Z") < 1001:
        received += kinds(await client.read_until())
    assert received == b"TDCZ" * 1001
    client.writer.close()
    await until_ended(session)


async def test_postgresql_ends_an_idle_session(relay: Relay) -> None:
    client, session = await logged_in(relay)
    other = await relay.postgres.connect()
    await other.execute("SELECT pg_terminate_backend($1)", session.backend.pid)
    await other.close()
    error = await client.error()
    assert (error.sqlstate, error.severity) == ("57P01", "FATAL")
    await until_ended(session)


async def test_idle_session_timeout_is_postgresqls(relay: Relay) -> None:
    client, session = await logged_in(relay)
    await client.query("SET idle_session_timeout = '200ms'")
    assert (await client.error()).sqlstate == "57P05"
    await until_ended(session)


async def test_stopping(postgres: PostgresServer) -> None:
    async with relay_gateway(postgres) as relay:
        idle, _ = await logged_in(relay)
        busy, session = await logged_in(relay)
        newcomer = await RawClient.connect(relay.port)
        busy.send(requests.query("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.1)
        await asyncio.wait_for(relay.gateway.stop(5), 5)
        for client in (idle, busy, newcomer):
            assert (await client.error()).sqlstate == "57P01"
            assert await client.at_end() == b""
        assert session.backend.closed.is_set()
        with pytest.raises(ConnectionRefusedError):
            await RawClient.connect(relay.port)


async def test_a_defect_ends_one_session_only(relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    client, session = await logged_in(relay)
    other, _ = await logged_in(relay)

    async def broken() -> tuple[bytes, bytes]:
        raise ZeroDivisionError

    session.backend.receive_run = broken  # type: ignore[method-assign]
    client.send(requests.query("SELECT 1"), requests.query("SELECT 1"))
    (*_, error) = await client.read_until(b"E")
    assert (read_error(error).sqlstate, read_error(error).severity) == ("XX000", "FATAL")
    assert "ended by a defect" in caplog.text
    assert kinds(await other.query("SELECT 1")) == b"TDCZ"


async def test_small_writes_leave_together(relay: Relay) -> None:
    client, session = await logged_in(relay)
    calls: list[int] = []
    transport = session.client._transport  # type: ignore[attr-defined]

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(transport, name)

        def write(self, data: bytes) -> None:
            calls.append(len(data))
            transport.write(data)

    session.client._transport = Counting()  # type: ignore[attr-defined]
    for _ in range(100):
        session.client.write(b"N\0\0\0\4")
    await session.client.drain()
    assert calls == [500]
    client.writer.close()
    await until_ended(session)


@pytest.mark.parametrize(
    "sql", ["SET client_encoding = 'LATIN1'", "SELECT set_config('client_encoding', 'euc_jp', false)"]
)
async def test_another_encoding_ends_the_session(relay: Relay, sql: str) -> None:
    client, session = await logged_in(relay)
    assert b"Z" in kinds(await client.query("SET client_encoding = 'SQL_ASCII'"))
    client.send(requests.query(sql))
    (*_, error) = await client.read_until(b"E")
    assert (read_error(error).sqlstate, read_error(error).severity) == ("0A000", "FATAL")
    await until_ended(session)
