"""Clients that are too many, too large or too slow: each gets a proper error or is closed, and all others go on."""

from __future__ import annotations

import asyncio
import resource
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from harness.client import Client
from harness.mere import PASSWORD, MereProcess
from harness.process import forget_peak, peak_since, resident_set
from harness.raw import RawClient, kinds
from harness.workspace import Workspace

from mere.wire import requests
from mere.wire.backend import read_error
from mere.wire.messages import message
from mere.wire.pgerror import PgError

CROWD = 2000
LIMIT = 100  # max_connections, by default
LONGEST_PAUSE = 3.0  # of a session beside, on a busy machine
MEGABYTE = 1 << 20


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CROWD + 500
    if hard < wanted:
        pytest.skip("the system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def pid(server: MereProcess) -> int:
    assert server.process is not None
    return server.process.pid


@asynccontextmanager
async def raw_session(space: Workspace) -> AsyncIterator[RawClient]:
    async with await RawClient.connect(space.server.port) as raw:
        await raw.login("mere", PASSWORD, "mere")
        await raw.query(f"SET search_path = {space.schema}")
        yield raw


@asynccontextmanager
async def others_go_on(client: Client) -> AsyncIterator[None]:
    """Another session's small statements are answered meanwhile."""
    ended = asyncio.Event()

    async def work() -> float:
        longest = 0.0
        while not ended.is_set():
            started = time.monotonic()
            answer = await asyncio.to_thread(client.ok, "SELECT count(*) FROM beside")
            assert answer.value == "3"
            longest = max(longest, time.monotonic() - started)
            await asyncio.sleep(0.02)
        return longest

    client.ok("CREATE TABLE beside AS SELECT generate_series(1, 3) AS id")
    working = asyncio.create_task(work())
    try:
        yield
    finally:
        ended.set()
        longest = await working
    assert longest < LONGEST_PAUSE


# Too many


@pytest.mark.timeout(120)
async def test_a_crowd_hears_that_there_are_too_many(space: Workspace, client: Client, many_files: None) -> None:
    """As many get in as may, all others are told 53300, and none is left without an answer."""
    arrived = asyncio.Barrier(CROWD + 1)
    before = resident_set(pid(space.server))

    async def visit() -> RawClient | PgError:
        visitor = await RawClient.connect(space.server.port)
        await arrived.wait()
        try:
            async with asyncio.timeout(60):
                await visitor.login("mere", PASSWORD, "mere")
        except PgError as error:
            visitor.writer.close()
            return error
        return visitor

    async with others_go_on(client):
        visits = [asyncio.create_task(visit()) for _ in range(CROWD)]
        await arrived.wait()
        answers = await asyncio.gather(*visits)
    guests = [answer for answer in answers if isinstance(answer, RawClient)]
    refused = [answer for answer in answers if isinstance(answer, PgError)]
    assert {(error.sqlstate, error.severity) for error in refused} == {("53300", "FATAL")}
    assert len(guests) > LIMIT / 2
    assert len(guests) + len(refused) == CROWD
    assert resident_set(pid(space.server)) - before < 64 * MEGABYTE
    for guest in guests:
        assert kinds(await guest.query("SELECT 1")) == b"TDCZ"
        guest.send(requests.TERMINATE)
    await asyncio.gather(*[guest.at_end() for guest in guests])
    async with raw_session(space) as late:
        assert kinds(await late.query("SELECT count(*) FROM beside")) == b"TDCZ"


# Too slow


@pytest.mark.parametrize("source", ["lake", "postgresql"])
async def test_a_client_that_never_reads_costs_little_memory(space: Workspace, client: Client, source: str) -> None:
    """A result of a gigabyte waits for it; the server holds a small part of that."""
    client.ok("CREATE TABLE large AS SELECT generate_series(1, 1000000) AS id")
    rows = "large" if source == "lake" else "generate_series(1, 1000000) AS id"
    async with others_go_on(client), raw_session(space) as raw:
        await raw.query("SELECT id, repeat('x', 1000) FROM large LIMIT 1")
        forget_peak(pid(space.server))
        before = resident_set(pid(space.server))
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        raw.send(requests.query(f"SELECT id, repeat('x', 1000) FROM {rows}"))
        await asyncio.sleep(2)
        assert peak_since(pid(space.server)) - before < 200 * MEGABYTE
        raw.writer.transport.abort()


# Too large


async def test_a_query_of_fifty_megabytes_that_is_postgresqls(space: Workspace, client: Client) -> None:
    async with others_go_on(client), raw_session(space) as raw:
        raw.send(requests.query(f"SELECT length('{'x' * 50 * MEGABYTE}')"))
        received = await raw.read_until()
        assert kinds(received) == b"TDCZ"
        assert str(50 * MEGABYTE).encode() in received[1]


async def test_rows_of_fifty_megabytes_in_one_statement(space: Workspace, client: Client) -> None:
    client.ok("CREATE TABLE t (id int, v text)")
    row = b"(1, '" + b"x" * 990 + b"'),"
    count = 50 * MEGABYTE // len(row)
    async with others_go_on(client), raw_session(space) as raw:
        raw.send(message(b"Q", b"INSERT INTO t VALUES " + row * count + b"(2, 'y')\0"))
        assert kinds(await raw.read_until()) == b"CZ"
    assert client.ok("SELECT count(*) FROM t").value == str(count + 1)


async def test_a_query_of_fifty_megabytes_over_the_lake_is_refused(space: Workspace, client: Client) -> None:
    async with others_go_on(client), raw_session(space) as raw:
        raw.send(requests.query(f"SELECT count(*) FROM beside WHERE id::text = '{'x' * 50 * MEGABYTE}'"))
        received = await raw.read_until()
        assert kinds(received) == b"EZ"
        assert read_error(received[0]).sqlstate == "54000"
        assert kinds(await raw.query("SELECT count(*) FROM beside")) == b"TDCZ"


async def test_a_large_parameter_is_a_value_like_any_other(space: Workspace, client: Client) -> None:
    client.ok("CREATE TABLE t (v text)")
    value = b"x" * (20 * MEGABYTE)
    async with others_go_on(client), raw_session(space) as raw:
        raw.send(
            requests.parse("", "INSERT INTO t VALUES ($1)"),
            requests.bind("", "", [value]),
            requests.execute(""),
            requests.SYNC,
        )
        assert kinds(await raw.read_until()) == b"12CZ"
    assert client.ok("SELECT sum(length(v)) FROM t").value == str(len(value))


async def test_a_parameter_too_large_for_the_lake(space: Workspace, client: Client) -> None:
    client.ok("CREATE TABLE t (v text)")
    async with others_go_on(client), raw_session(space) as raw:
        raw.send(
            requests.parse("", "INSERT INTO t VALUES ($1)"),
            requests.bind("", "", [b"x" * (130 * MEGABYTE)]),
            requests.execute(""),
            requests.SYNC,
        )
        received = await raw.read_until()
        assert kinds(received) == b"1EZ"
        assert read_error(received[1]).sqlstate == "54000"


async def test_a_parameter_of_more_than_a_gigabyte_ends_the_session_at_once(space: Workspace, client: Client) -> None:
    async with others_go_on(client), raw_session(space) as raw:
        raw.send(requests.parse("", "SELECT $1::text"), b"B" + struct.pack("!I", 1 << 30), b"x" * MEGABYTE)
        (*_, error) = await raw.read_until(b"E")
        assert (read_error(error).sqlstate, read_error(error).severity) == ("08P01", "FATAL")
        await raw.at_end()
