"""TLS: asked for, begun with, refused; and drivers over it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from harness.raw import RawClient, kinds

from mere.catalog.server import PostgresServer
from mere.errors import StartupError
from mere.gateway.tls import load_context
from mere.wire import requests

from .conftest import PASSWORD, Relay, relay_gateway

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    command += f" -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return certificate, key


@pytest_asyncio.fixture(scope="session")
async def secured(postgres: PostgresServer, identity: tuple[Path, Path]) -> AsyncIterator[Relay]:
    async with relay_gateway(postgres, tls_certificate=identity[0], tls_key=identity[1]) as running:
        yield running


def trusting(certificate: Path, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


async def test_asked_for(secured: Relay, identity: tuple[Path, Path]) -> None:
    async with await RawClient.connect(secured.port) as client:
        client.send(SSL_REQUEST)
        assert await client.read_byte() == b"S"
        await client.writer.start_tls(trusting(identity[0]), server_hostname="localhost")
        await client.login("ada", PASSWORD, "postgres")
        assert kinds(await client.query("SELECT repeat('x', 1000) FROM generate_series(1, 3000)")) == (
            b"T" + b"D" * 3000 + b"CZ"
        )


async def test_begun_with(secured: Relay, identity: tuple[Path, Path]) -> None:
    async with await RawClient.connect(secured.port, trusting(identity[0], "postgresql")) as client:
        await client.login("ada", PASSWORD, "postgres")
        assert kinds(await client.query("SELECT 1")) == b"TDCZ"


async def test_begun_with_needs_the_protocols_name(secured: Relay, identity: tuple[Path, Path]) -> None:
    async with await RawClient.connect(secured.port, trusting(identity[0])) as client:
        client.startup({"user": "ada"})
        assert (await client.error()).sqlstate == "08P01"


async def test_plain_text_is_still_served(secured: Relay) -> None:
    async with await RawClient.connect(secured.port) as client:
        await client.login("ada", PASSWORD, "postgres")


async def test_words_put_before_the_handshake_are_refused(secured: Relay) -> None:
    """What a man in the middle sends in plain text must not count as the client's."""
    async with await RawClient.connect(secured.port) as client:
        client.send(SSL_REQUEST, requests.startup(3 << 16, {"user": "eve"}))
        received = await client.at_end()
        assert b"received unencrypted data after SSL request" in received


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\0\x05hello", b"\x16" * 1000, b"\x16\x03\x01\xff\xff" + b"x" * 70_000])
async def test_noise_instead_of_a_handshake(secured: Relay, noise: bytes) -> None:
    async with await RawClient.connect(secured.port) as client:
        client.send(noise)
        client.writer.write_eof()
        await client.at_end()


async def test_tls_where_there_is_none(relay: Relay) -> None:
    async with await RawClient.connect(relay.port) as client:
        client.send(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"x" * 500)
        assert b"invalid length of startup packet" in await client.at_end()


async def test_a_second_request(secured: Relay, identity: tuple[Path, Path]) -> None:
    async with await RawClient.connect(secured.port) as client:
        client.send(SSL_REQUEST)
        assert await client.read_byte() == b"S"
        await client.writer.start_tls(trusting(identity[0]), server_hostname="localhost")
        client.send(SSL_REQUEST)
        assert (await client.error()).sqlstate == "0A000"


@pytest.mark.parametrize("options", [{"sslmode": "verify-full"}, {"sslmode": "require", "sslnegotiation": "direct"}])
async def test_libpq(secured: Relay, identity: tuple[Path, Path], options: dict[str, str]) -> None:
    conninfo = secured.conninfo(host="localhost", sslrootcert=identity[0], **options)

    def work() -> tuple[bool, object]:
        with psycopg.connect(conninfo) as connection:
            return connection.pgconn.ssl_in_use, connection.execute("SELECT %s::int + 1", (1,)).fetchone()

    assert await asyncio.to_thread(work) == (True, (2,))


async def test_channel_binding_cannot_be_required(secured: Relay) -> None:
    conninfo = secured.conninfo(sslmode="require", channel_binding="require")
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        await asyncio.to_thread(lambda: psycopg.connect(conninfo))


async def test_renewed_certificates(postgres: PostgresServer, identity: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_bytes(identity[0].read_bytes())
    key.write_bytes(identity[1].read_bytes())
    async with relay_gateway(postgres, tls_certificate=certificate, tls_key=key) as relay:
        certificate.write_text("no certificate")
        with pytest.raises(StartupError, match=r"c\.pem"):
            relay.gateway.reload_tls()
        async with await RawClient.connect(relay.port, trusting(identity[0], "postgresql")) as client:
            await client.login("ada", PASSWORD, "postgres")


def test_files_that_do_not_do(identity: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = identity
    with pytest.raises(StartupError, match=r"cannot read the TLS file .*nothing"):
        load_context(tmp_path / "nothing", key)
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "ec", "-in", str(key), "-aes256", "-passout", "pass:secret", "-out", str(locked)],
        check=True,
        capture_output=True,
    )
    with pytest.raises(StartupError, match="cannot use the TLS certificate"):
        load_context(certificate, locked)
