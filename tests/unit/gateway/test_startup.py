"""How connections begin: versions, parameters, authentication, limits, and what is refused."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import pytest
from harness.raw import RawClient, kinds

from mere.catalog.server import PostgresServer
from mere.errors import StartupError
from mere.gateway.server import Gateway
from mere.options import Address
from mere.settings import Settings
from mere.wire import requests
from mere.wire.backend import read_backend_key_data, read_parameter_status
from mere.wire.messages import negotiate_protocol_version
from mere.wire.pgerror import PgError

from .conftest import PASSWORD, Relay, relay_gateway

ADA = {"user": "ada", "database": "postgres"}


async def test_login(relay: Relay) -> None:
    async with await RawClient.connect(relay.port) as client:
        received = await client.login("ada", PASSWORD, "postgres", application_name="raw", DateStyle="German")
        assert kinds(received).startswith(b"RRS")
        assert kinds(received).endswith(b"SKZ")
        parameters = dict(read_parameter_status(raw) for raw in received if raw[:1] == b"S")
        assert parameters["application_name"] == "raw"
        assert parameters["DateStyle"] == "German, DMY"
        assert parameters["client_encoding"] == "UTF8"
        (pid, secret) = read_backend_key_data(received[-2])
        assert len(secret) == 4
        assert kinds(rows := await client.query("SELECT pg_backend_pid()")) == b"TDCZ"
        assert str(pid).encode() in rows[1]
        client.send(requests.TERMINATE)
        assert await client.at_end() == b""


@pytest.mark.parametrize(("version", "length"), [(3 << 16, 4), (3 << 16 | 2, 32)])
async def test_versions(relay: Relay, version: int, length: int) -> None:
    async with await RawClient.connect(relay.port) as client:
        client.startup(ADA, version)
        received = await client.authenticate(PASSWORD)
        assert b"v" not in kinds(received)
        assert len(read_backend_key_data(received[-2])[1]) == length


async def test_a_version_to_come_is_negotiated(relay: Relay) -> None:
    async with await RawClient.connect(relay.port) as client:
        client.startup({**ADA, "_pq_.new": "1"}, 3 << 16 | 9999)
        assert await client.read() == negotiate_protocol_version(3 << 16 | 2, ["_pq_.new"])
        received = await client.authenticate(PASSWORD)
        assert len(read_backend_key_data(received[-2])[1]) == 32


@pytest.mark.parametrize(
    ("parameters", "sqlstate"),
    [
        ({"database": "postgres"}, "28000"),
        ({**ADA, "replication": "database"}, "0A000"),
        ({**ADA, "replication": "true"}, "0A000"),
        ({**ADA, "client_encoding": "LATIN1"}, "0A000"),
        ({**ADA, "user": "mere_super"}, "28000"),
    ],
)
async def test_refused_by_the_gateway(relay: Relay, parameters: dict[str, str], sqlstate: str) -> None:
    async with await RawClient.connect(relay.port) as client:
        client.startup(parameters)
        error = await client.error()
        assert (error.sqlstate, error.severity) == (sqlstate, "FATAL")
        assert await client.at_end() == b""


@pytest.mark.parametrize(
    ("parameters", "sqlstate"),
    [
        ({**ADA, "database": "nowhere"}, "3D000"),
        ({"user": "ada"}, "3D000"),
        ({**ADA, "nonsense": "1"}, "42704"),
        ({**ADA, "DateStyle": "Martian"}, "22023"),
        ({**ADA, "user": "nobody_here"}, "28P01"),
    ],
)
async def test_refused_by_postgresql(relay: Relay, parameters: dict[str, str], sqlstate: str) -> None:
    async with await RawClient.connect(relay.port) as client:
        client.startup(parameters)
        with pytest.raises(PgError) as caught:
            await client.authenticate(PASSWORD)
        assert (caught.value.sqlstate, caught.value.severity) == (sqlstate, "FATAL")
        assert await client.at_end() == b""


async def test_wrong_password_and_role_limit(relay: Relay) -> None:
    for user, password, sqlstate in (("ada", "wrong", "28P01"), ("few", "few", "53300")):
        async with await RawClient.connect(relay.port) as client:
            with pytest.raises(PgError) as caught:
                await client.login(user, password, "postgres")
            assert caught.value.sqlstate == sqlstate


@pytest.mark.parametrize("name", ["UTF8", "'utf-8'", "unicode", "SQL_ASCII"])
async def test_names_of_the_only_encoding(relay: Relay, name: str) -> None:
    async with await RawClient.connect(relay.port) as client:
        await client.login("ada", PASSWORD, "postgres", client_encoding=name)
        assert b"UTF8" in (await client.query("SHOW client_encoding"))[1]


async def test_encryption_that_is_not_there(relay: Relay) -> None:
    async with await RawClient.connect(relay.port) as client:
        client.send(b"\0\0\0\x08\x04\xd2\x16\x30")  # GSSENCRequest
        assert await client.read_byte() == b"N"
        client.send(b"\0\0\0\x08\x04\xd2\x16\x2f")  # SSLRequest
        assert await client.read_byte() == b"N"
        await client.login("ada", PASSWORD, "postgres")


@pytest.mark.parametrize("request_", [b"\0\0\0\x08\x04\xd2\x16\x30", b"\0\0\0\x08\x04\xd2\x16\x2f"])
async def test_encryption_asked_for_twice_is_a_protocol_that_does_not_exist(relay: Relay, request_: bytes) -> None:
    async with await RawClient.connect(relay.port) as client:
        client.send(request_)
        assert await client.read_byte() == b"N"
        client.send(request_)
        error = await client.error()
        assert (error.sqlstate, error.severity) == ("0A000", "FATAL")
        assert error.message.startswith("unsupported frontend protocol 1234.56")


async def test_a_client_whose_host_vanished_is_found(relay: Relay) -> None:
    """By probes of the kernel, so that its session does not stay for ever."""
    async with await RawClient.connect(relay.port) as client:
        await client.login("ada", PASSWORD, "postgres")
        handle = relay.sessions[-1].client._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        seconds = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        seconds += handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) * handle.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_KEEPCNT
        )
        assert seconds <= 120


async def test_half_a_connection_is_closed(relay: Relay) -> None:
    """A client that can say no more, but would listen."""
    async with await RawClient.connect(relay.port) as client:
        await client.login("ada", PASSWORD, "postgres")
        client.writer.write_eof()
        assert await client.at_end() == b""
        await asyncio.wait_for(relay.sessions[-1].ended.wait(), 5)


async def test_too_many(postgres: PostgresServer) -> None:
    async with relay_gateway(postgres, max_connections=2) as relay:
        clients = [await RawClient.connect(relay.port) for _ in range(3)]
        for client in clients[:2]:
            await client.login("ada", PASSWORD, "postgres")
        clients[2].startup(ADA)
        assert (await clients[2].error()).sqlstate == "53300"
        clients[0].send(requests.TERMINATE)
        await clients[0].at_end()
        async with await RawClient.connect(relay.port) as another:
            await another.login("ada", PASSWORD, "postgres")
        for client in clients:
            client.writer.close()


async def test_who_takes_too_long(postgres: PostgresServer) -> None:
    async with relay_gateway(postgres, authentication_timeout=timedelta(seconds=0.3)) as relay:
        for begin in (b"", b"\0\0", requests.startup(3 << 16, ADA)):
            async with await RawClient.connect(relay.port) as client:
                client.send(begin)
                received = await client.at_end()
                assert b"canceling authentication due to timeout" in received
        async with await RawClient.connect(relay.port) as client:
            await client.login("ada", PASSWORD, "postgres")
            await asyncio.sleep(0.5)
            assert kinds(await client.query("SELECT 1")) == b"TDCZ"


async def test_the_address_is_taken(relay: Relay, postgres: PostgresServer) -> None:
    async def nobody(*_: object) -> object:
        raise AssertionError

    taken = Settings(data=postgres.data.path, listen=Address("127.0.0.1", relay.port))
    with pytest.raises(StartupError, match=f"cannot listen on 127.0.0.1:{relay.port}: Address already in use"):
        await Gateway(taken, postgres.socket_path, nobody).start()  # type: ignore[arg-type]


async def test_the_catalog_is_down(postgres: PostgresServer, relay: Relay) -> None:
    path = postgres.socket_path
    hidden = path.with_name("hidden")
    path.rename(hidden)
    try:
        async with await RawClient.connect(relay.port) as client:
            client.startup(ADA)
            assert (await client.error()).sqlstate == "57P03"
    finally:
        hidden.rename(path)
