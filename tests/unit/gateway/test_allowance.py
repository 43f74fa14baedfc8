"""Large messages of all clients share a memory: what does not fit is read over and refused, and the session goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest_asyncio
from harness.raw import RawClient, kinds

from mere.catalog.backend import Backend
from mere.catalog.server import PostgresServer
from mere.gateway.allowance import Allowance
from mere.session.client import Client
from mere.session.services import Database, Services
from mere.session.session import Session
from mere.wire import requests
from mere.wire.backend import read_error
from mere.wire.messages import message

from .conftest import PASSWORD, Relay, relay_gateway

MEGABYTE = 1 << 20
MEMORY = 8 * MEGABYTE


@pytest_asyncio.fixture(scope="module")
async def gateway(postgres: PostgresServer) -> AsyncIterator[Relay]:
    """Sessions as users have them, over a PostgreSQL without a lake."""
    connection = await postgres.connect()
    await connection.execute(
        "CREATE SCHEMA mere; GRANT USAGE ON SCHEMA mere TO PUBLIC;"
        "CREATE TABLE mere.copied (v text); GRANT ALL ON mere.copied TO PUBLIC;"
        "CREATE FUNCTION mere.lake_names() RETURNS text[] LANGUAGE sql AS 'SELECT ARRAY[]::text[]'"
    )
    nothing = cast(Any, None)

    async def open_session(client: Client, backend: Backend, parameters: Mapping[str, str]) -> Session:
        database = Database("postgres", "", nothing, nothing)
        return Session(client, backend, cast(Services, None), database, parameters)

    async with relay_gateway(postgres, open_session, MEMORY) as running:
        yield running
    await connection.execute("DROP SCHEMA mere CASCADE")
    await connection.close()


async def logged_in(gateway: Relay) -> RawClient:
    client = await RawClient.connect(gateway.port)
    await client.login("ada", PASSWORD, "postgres")
    return client


def left(gateway: Relay) -> int:
    allowance: Allowance = gateway.gateway._allowance
    return allowance.left


def literal(size: int) -> bytes:
    return requests.query(f"SELECT length('{'x' * size}')")


async def test_what_fits_is_served_again_and_again(gateway: Relay) -> None:
    async with await logged_in(gateway) as client:
        for _ in range(3):
            client.send(literal(6 * MEGABYTE))
            assert kinds(await client.read_until()) == b"TDCZ"
    assert left(gateway) == MEMORY


async def test_a_query_that_does_not_fit(gateway: Relay) -> None:
    async with await logged_in(gateway) as client:
        client.send(literal(20 * MEGABYTE), requests.query("SELECT 1"))
        (error, ready) = await client.read_until()
        assert (read_error(error).sqlstate, read_error(error).severity) == ("53200", "ERROR")
        assert ready[:1] == b"Z"
        assert kinds(await client.read_until()) == b"TDCZ"
    assert left(gateway) == MEMORY


async def test_a_parameter_that_does_not_fit_fails_its_pipeline(gateway: Relay) -> None:
    async with await logged_in(gateway) as client:
        client.send(
            requests.parse("", "SELECT length($1)"),
            requests.bind("", "", [b"x" * 20 * MEGABYTE]),
            requests.execute(""),
            literal(20 * MEGABYTE),
            requests.SYNC,
            requests.query("SELECT 1"),
        )
        received = await client.read_until()
        assert kinds(received) == b"1EZ"
        assert read_error(received[1]).sqlstate == "53200"
        assert kinds(await client.read_until()) == b"TDCZ"


async def test_copy_data_that_does_not_fit(gateway: Relay) -> None:
    async with await logged_in(gateway) as client:
        client.send(
            requests.query("COPY mere.copied FROM STDIN"),
            requests.copy_data(b"one\n"),
            requests.copy_data(b"x" * 20 * MEGABYTE),
            requests.COPY_DONE,
            requests.query("SELECT count(*) FROM mere.copied"),
        )
        received = await client.read_until()
        assert kinds(received) == b"GEZ"
        assert read_error(received[1]).message.startswith("COPY from stdin failed: out of memory")
        assert kinds(await client.read_until()) == b"TDCZ"


async def test_several_together(gateway: Relay) -> None:
    """Two clients hold back the end of what they send; a third one has no room until they are gone."""
    slow = [await logged_in(gateway) for _ in range(2)]
    for client in slow:
        client.send(literal(6 * MEGABYTE)[: 3 * MEGABYTE])
    async with asyncio.timeout(5):
        while left(gateway) > MEMORY - 5 * MEGABYTE:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    async with await logged_in(gateway) as client:
        client.send(literal(6 * MEGABYTE))
        assert kinds(await client.read_until()) == b"EZ"
        assert kinds(await client.query("SELECT 1")) == b"TDCZ"
        for other in slow:
            other.writer.transport.abort()
        async with asyncio.timeout(5):
            while left(gateway) < MEMORY:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        client.send(literal(6 * MEGABYTE))
        assert kinds(await client.read_until()) == b"TDCZ"


async def test_a_large_message_that_is_cut_off(gateway: Relay) -> None:
    async with await logged_in(gateway) as client:
        client.send(message(b"Q", b"x" * 20 * MEGABYTE)[: 15 * MEGABYTE])
        client.writer.write_eof()
        assert b"53200" not in await client.at_end()
    assert left(gateway) == MEMORY
