"""TLS as clients ask for it: required, and with the certificate checked; one server with a certificate for all."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest
from harness.mere import PASSWORD, MereProcess
from harness.postgres import BINARIES


@pytest.fixture(scope="module")
def certificate(session_scratch: Path) -> Path:
    """A certificate of `localhost` that signs itself; its key lies beside it."""
    file = session_scratch / "server.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        [*made, "-keyout", str(file.with_suffix(".key")), "-out", str(file)], check=True, capture_output=True
    )
    return file


@pytest.fixture(scope="module")
def server(session_scratch: Path, certificate: Path) -> Iterator[MereProcess]:
    environment = {"MERE_TLS_CERTIFICATE": str(certificate), "MERE_TLS_KEY": str(certificate.with_suffix(".key"))}
    process = MereProcess(session_scratch / "mere-tls", environment=environment)
    process.start()
    try:
        with process.client() as client:
            client.ok("CREATE TABLE t (id int, v text)")
            client.ok("INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 5000) g")
        yield process
    finally:
        try:
            process.stop()
        finally:
            process.destroy()


QUERY = "SELECT sum(id), count(v) FROM t"
ANSWER = (12502500, 5000)


def test_psycopg_checks_the_certificate(server: MereProcess, certificate: Path) -> None:
    conninfo = server.conninfo().replace("127.0.0.1", "localhost").replace("sslmode=prefer", "sslmode=verify-full")
    with psycopg.connect(conninfo, sslrootcert=str(certificate)) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute(QUERY).fetchone() == ANSWER
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(conninfo, sslrootcert="system")


def test_a_direct_tls_connection_without_the_question_before(server: MereProcess, certificate: Path) -> None:
    if psycopg.pq.version() < 170000:
        pytest.skip("libpq before 17 does not know sslnegotiation")
    conninfo = server.conninfo().replace("sslmode=prefer", "sslmode=require")
    with psycopg.connect(conninfo, sslnegotiation="direct") as connection:
        assert connection.execute(QUERY).fetchone() == ANSWER


async def test_asyncpg_streams_over_tls(server: MereProcess, certificate: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    async with asyncio.timeout(20):
        connection = await asyncpg.connect(
            host="localhost", port=server.port, user="mere", password=PASSWORD, database="mere", ssl=context
        )
        try:
            assert tuple(await connection.fetchrow(QUERY)) == ANSWER
            assert len(await connection.fetch("SELECT * FROM t")) == 5000
            await connection.copy_records_to_table("t", records=[(n, "x" * 100) for n in range(5000)])
            assert await connection.fetchval("SELECT count(*) FROM t") == 10000
            await connection.execute("DELETE FROM t WHERE v LIKE 'x%'")
        finally:
            await connection.close()


def test_psycopg2_requires_tls(server: MereProcess) -> None:
    psycopg2 = pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    connection = psycopg2.connect(server.conninfo().replace("sslmode=prefer", "sslmode=require"))
    try:
        assert connection.info.ssl_in_use
        with connection.cursor() as cursor:
            cursor.execute(QUERY)
            assert cursor.fetchone() == ANSWER
    finally:
        connection.close()


def test_adbc_requires_tls(server: MereProcess) -> None:
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="ADBC's PostgreSQL driver is not installed")
    with dbapi.connect(server.url() + "?sslmode=require") as connection, connection.cursor() as cursor:
        cursor.execute(QUERY)
        assert cursor.fetchone() == ANSWER


def test_a_client_without_tls_is_still_served(server: MereProcess) -> None:
    command = [str(BINARIES / "psql"), "-XAt", server.conninfo(), "-c", QUERY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.strip() == "12502500|5000", done.stderr
