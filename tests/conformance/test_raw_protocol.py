"""Raw bytes: truncated, oversized, out of order, mutated. The answer is PostgreSQL's, or an error and a close; never a
hang, and never harm to another session."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from harness.mere import PASSWORD, MereProcess
from harness.postgres import Peer
from harness.raw import RawClient, kinds
from harness.scram import ScramClient
from harness.workspace import Workspace

from mere.wire import requests
from mere.wire.backend import read_error, read_status, read_tag
from mere.wire.messages import message

SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"
ADMINISTRATOR = {"user": "mere", "database": "mere"}


@dataclass(slots=True)
class Bystander:
    """Another session, in a transaction of its own with a statement prepared, that must notice nothing."""

    client: RawClient
    port: int

    async def is_well(self) -> None:
        self.client.send(requests.bind("", "kept"), requests.execute(""), requests.SYNC)
        received = await self.client.read_until()
        assert kinds(received) == b"2DCZ"
        assert read_status(received[-1]) == "T"
        async with await login(self.port) as newcomer:
            assert kinds(await newcomer.query("SELECT 1")) == b"TDCZ"


async def login(port: int) -> RawClient:
    client = await RawClient.connect(port)
    await client.login("mere", PASSWORD, "mere")
    return client


@pytest_asyncio.fixture
async def bystander(mere: MereProcess) -> AsyncIterator[Bystander]:
    async with await login(mere.port) as client:
        await client.query("BEGIN")
        client.send(requests.parse("kept", "SELECT 'still here'"), requests.SYNC)
        await client.read_until()
        witness = Bystander(client, mere.port)
        yield witness
        await witness.is_well()


# Before authentication


@pytest.mark.parametrize(
    "opening",
    [
        b"",
        b"\0",
        b"\0\0\0\x08",
        b"\0\0\0\0",
        b"\0\0\0\x07abc",
        b"\xff\xff\xff\xff\xff",
        b"\x7f\xff\xff\xff" + b"\0" * 5000,
        b"\0\1\0\0" + b"\0\3\0\0" + b"user\0" * 1000,
        b"GET / HTTP/1.1\r\nHost: mere\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"x" * 600,
        requests.startup(2 << 16, ADMINISTRATOR),
        requests.startup(4 << 16, ADMINISTRATOR),
        requests.startup(3 << 16, ADMINISTRATOR)[:-1],
        requests.startup(3 << 16, ADMINISTRATOR)[:-2] + b"x\0",
        requests.startup(3 << 16, {}),
        struct.pack("!II", 20, 3 << 16) + b"user\0mere\xff\0\0",
        requests.startup(3 << 16, ADMINISTRATOR) + requests.query("SELECT 1"),
        requests.startup(3 << 16, ADMINISTRATOR) + requests.TERMINATE,
        requests.startup(3 << 16, ADMINISTRATOR) + message(b"p", b"not SCRAM"),
        requests.startup(3 << 16, ADMINISTRATOR) + message(b"p", b"SCRAM-SHA-256\0\xff\xff\xff\xff"),
        requests.startup(3 << 16, ADMINISTRATOR) + message(b"p", b"x" * 60_000),
        requests.startup(3 << 16, ADMINISTRATOR) + b"p\0\2\0\0",
        SSL_REQUEST * 50,
        requests.cancel_request(1, b"abcd"),
        requests.cancel_request(0, b"x" * 256),
        struct.pack("!III", 12, 80877102, 1),
    ],
)
async def test_nonsense_instead_of_a_login(mere: MereProcess, bystander: Bystander, opening: bytes) -> None:
    async with await RawClient.connect(mere.port) as client:
        client.send(opening)
        client.writer.write_eof()
        received = await client.at_end()
        assert b"Z\0\0\0\5" not in received


async def test_a_login_in_single_bytes(mere: MereProcess) -> None:
    async with await RawClient.connect(mere.port) as client:
        scram = ScramClient(PASSWORD)
        outgoing = requests.startup(3 << 16, ADMINISTRATOR)
        while outgoing:
            for byte in outgoing:
                client.send(bytes([byte]))
                await client.writer.drain()
                await asyncio.sleep(0)
            raw = await client.read()
            outgoing = scram.answer(raw) or b""
        await client.read_until()
        for byte in requests.query("SELECT 1"):
            client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert kinds(await client.read_until()) == b"TDCZ"


async def test_silent_connections_do_not_shut_others_out(mere: MereProcess, bystander: Bystander) -> None:
    silent = [await RawClient.connect(mere.port) for _ in range(50)]
    await bystander.is_well()
    for client in silent:
        client.writer.close()


FUNCTION_CALL = message(b"F", struct.pack("!IHHH", 1598, 0, 0, 0))  # random(), its result as text


# After authentication: the same conversation with PostgreSQL and with Mere

CONVERSATIONS: dict[str, list[bytes]] = {
    "nothing": [requests.query("")],
    "two syncs": [requests.SYNC, requests.SYNC],
    "a flush alone": [requests.FLUSH, requests.SYNC],
    "execute what is not bound": [requests.execute("nothing"), requests.SYNC],
    "execute the unnamed portal before there is one": [requests.execute(""), requests.SYNC],
    "bind what is not parsed": [requests.bind("", "nothing"), requests.execute(""), requests.SYNC],
    "describe what is not there": [
        requests.describe_statement("nothing"),
        requests.SYNC,
        requests.describe_portal("nothing"),
        requests.SYNC,
    ],
    "close what is not there": [requests.close_statement("nothing"), requests.close_portal("nothing"), requests.SYNC],
    "parse a name twice": [requests.parse("a", "SELECT 1"), requests.parse("a", "SELECT 2"), requests.SYNC],
    "bind a name twice": [
        requests.parse("", "SELECT 1"),
        requests.bind("p", ""),
        requests.bind("p", ""),
        requests.SYNC,
    ],
    "too few parameters": [requests.parse("", "SELECT $1::int"), requests.bind("", ""), requests.SYNC],
    "too many parameters": [requests.parse("", "SELECT 1"), requests.bind("", "", [b"1"]), requests.SYNC],
    "a parameter that is no number": [
        requests.parse("", "SELECT $1::int"),
        requests.bind("", "", [b"x"]),
        requests.execute(""),
        requests.SYNC,
    ],
    "two statements in one parse": [requests.parse("", "SELECT 1; SELECT 2"), requests.SYNC],
    "an empty statement": [
        requests.parse("", ""),
        requests.bind("", ""),
        requests.describe_portal(""),
        requests.execute(""),
        requests.SYNC,
    ],
    "everything after an error is skipped": [
        requests.parse("", "SELEC"),
        requests.bind("", ""),
        requests.describe_portal("nothing"),
        requests.execute(""),
        requests.close_statement("nothing"),
        requests.FLUSH,
        requests.SYNC,
        requests.query("SELECT 1"),
    ],
    "a portal in portions": [
        requests.parse("", "SELECT * FROM generate_series(1, 5)"),
        requests.bind("", ""),
        requests.execute("", 2),
        requests.execute("", 2),
        requests.execute("", 2),
        requests.execute("", 2),
        requests.SYNC,
    ],
    "a portal does not outlive its transaction": [
        requests.parse("", "SELECT 1"),
        requests.bind("p", ""),
        requests.SYNC,
        requests.execute("p"),
        requests.SYNC,
    ],
    "a failed transaction": [
        requests.query("BEGIN"),
        requests.query("SELECT 1/0"),
        requests.query("SELECT 1"),
        requests.parse("", "SELECT 1"),
        requests.SYNC,
        requests.query("COMMIT"),
    ],
    "an error ends an implicit transaction": [
        requests.query("CREATE TEMP TABLE gone (a int) USING heap; SELECT 1/0; SELECT 2"),
        requests.query("SELECT * FROM gone"),
    ],
    "COPY messages without COPY": [
        requests.copy_data(b"1\n"),
        requests.COPY_DONE,
        requests.copy_fail("never mind"),
        requests.query("SELECT 1"),
    ],
    "a COPY given up": [
        requests.query("CREATE TEMP TABLE c (a int) USING heap"),
        requests.query("COPY c FROM STDIN"),
        requests.copy_data(b"1\n"),
        requests.copy_fail("changed my mind"),
        requests.query("SELECT count(*) FROM c"),
    ],
    "a COPY in odd pieces": [
        requests.query("CREATE TEMP TABLE c (a int, b text) USING heap"),
        requests.query("COPY c FROM STDIN"),
        *[requests.copy_data(bytes([byte])) for byte in b"1\tone\n2\t\\N\n"],
        requests.copy_data(b""),
        requests.SYNC,
        requests.FLUSH,
        requests.COPY_DONE,
        requests.query("SELECT count(*), count(b) FROM c"),
    ],
    "a query that fails takes the pipeline before it along": [
        requests.query("CREATE TEMP TABLE q (a int) USING heap"),
        requests.parse("", "INSERT INTO q VALUES (1)"),
        requests.bind("", ""),
        requests.execute(""),
        requests.query("SELECT 1/0"),
        requests.query("SELECT * FROM q"),
    ],
    "a query after an error in a pipeline is skipped": [
        requests.parse("", "SELEC"),
        requests.query("SELECT 2"),
        requests.SYNC,
        requests.query("SELECT 3"),
    ],
    "a function call after an error in a pipeline is skipped": [
        requests.parse("", "SELEC"),
        FUNCTION_CALL,
        requests.SYNC,
    ],
    "a pipeline begun and left for a transaction": [
        requests.parse("a", "SELECT 1"),
        requests.query("BEGIN"),
        requests.bind("", "a"),
        requests.execute(""),
        requests.query("COMMIT"),
        requests.SYNC,
    ],
    "portals in any order": [
        requests.parse("a", "SELECT * FROM generate_series(1, 4)"),
        requests.bind("one", "a"),
        requests.bind("two", "a"),
        requests.execute("two", 1),
        requests.execute("one", 3),
        requests.close_statement("a"),
        requests.execute("two"),
        requests.close_portal("one"),
        requests.execute("one"),
        requests.SYNC,
    ],
    "bytes that are not UTF-8": [message(b"Q", b"SELECT '\xff'\0"), requests.query("SELECT 1")],
    "bytes that are not UTF-8 in a parse": [
        message(b"P", b"\0SELECT '\xc3\x28'\0\0\0"),
        requests.bind("", ""),
        requests.SYNC,
    ],
    "a type that is none": [b"!\0\0\0\x04", requests.query("SELECT 1")],
    "a zero byte": [b"\0", requests.query("SELECT 1")],
    "a password too late": [message(b"p", b"secret\0"), requests.query("SELECT 1")],
    "a message of the server's": [b"Z\0\0\0\5I", requests.query("SELECT 1")],
    "a login again": [requests.startup(3 << 16, ADMINISTRATOR)],
    "goodbye in the middle": [requests.parse("", "SELECT 1"), requests.TERMINATE, requests.query("SELECT 1")],
}

# PostgreSQL answers these with an ERROR, or closes without a word; Mere may also end the session with FATAL 08P01.
MALFORMED: dict[str, bytes] = {
    "a query without its zero": message(b"Q", b"SELECT 1"),
    "a query with something behind it": message(b"Q", b"SELECT 1\0\0"),
    "a parse cut short": message(b"P", b"\0SELECT 1\0\0"),
    "a bind cut short": message(b"B", b"\0\0\0\0\0\1\0\0\0\x09abc"),
    "a bind with a negative length": message(b"B", b"\0\0\0\0\0\1\xff\xff\xff\xf0\0\0"),
    "a bind of 65535 values that are not there": message(b"B", b"\0\0\0\0\xff\xff"),
    "a describe of neither": message(b"D", b"?\0"),
    "a close of neither": message(b"C", b"?\0"),
    "an execute cut short": message(b"E", b"\0\0"),
    "a sync with a payload": message(b"S", b"payload"),
    "a sync that is too long": b"S\0\1\0\0" + b"x" * 65532,
    "a length below four": b"Q\0\0\0\3",
    "a negative length": b"Q\xff\xff\xff\xff",
}


def digest(received: bytes) -> list[str]:
    """What was said, without what may differ: texts, rows' values, notices and parameters."""
    said: list[str] = []
    position = 0
    while position < len(received):
        length = int.from_bytes(received[position + 1 : position + 5], "big")
        raw = received[position : position + 1 + length]
        position += 1 + length
        match raw[:1]:
            case b"E":
                error = read_error(raw)
                said.append(f"{error.severity} {error.sqlstate}")
            case b"C":
                said.append(read_tag(raw))
            case b"Z":
                said.append(f"ready {read_status(raw)}")
            case b"N" | b"S":
                pass
            case kind:
                said.append(kind.decode("latin-1"))
    return said


async def converse(client: RawClient, pieces: list[bytes]) -> list[str]:
    client.send(*pieces, requests.TERMINATE)
    return digest(await client.at_end())


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_conversations(mere: MereProcess, peer: Peer, bystander: Bystander, name: str) -> None:
    async with await RawClient.connect(peer.port) as client:
        client.startup(ADMINISTRATOR)
        await client.read_until()
        expected = await converse(client, CONVERSATIONS[name])
    async with await login(mere.port) as client:
        assert await converse(client, CONVERSATIONS[name]) == expected


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed(mere: MereProcess, bystander: Bystander, name: str) -> None:
    async with await login(mere.port) as client:
        said = await converse(client, [MALFORMED[name], requests.SYNC])
        assert said[0] in ("ERROR 08P01", "FATAL 08P01"), said


async def test_function_calls_are_refused_and_the_session_goes_on(mere: MereProcess, bystander: Bystander) -> None:
    async with await login(mere.port) as client:
        said = await converse(client, [FUNCTION_CALL, FUNCTION_CALL, requests.query("SELECT 1")])
        assert said == ["ERROR 0A000", "ready I", "ERROR 0A000", "ready I", "T", "D", "SELECT 1", "ready I"]


async def test_a_query_within_copy_ends_the_session(mere: MereProcess, bystander: Bystander) -> None:
    """PostgreSQL says ERROR and then FATAL: what follows could be data or messages, and nobody can tell."""
    async with await login(mere.port) as client:
        await client.query("CREATE TEMP TABLE c (a int) USING heap")
        said = await converse(client, [requests.query("COPY c FROM STDIN"), requests.query("SELECT 1")])
        assert said[0] == "G"
        assert said[-1] == "FATAL 08P01"


async def test_a_message_larger_than_allowed_ends_without_reading_it(mere: MereProcess, bystander: Bystander) -> None:
    async with await login(mere.port) as client:
        client.send(b"Q\x7f\xff\xff\xff", b"x" * 100_000)
        assert digest(await client.at_end()) == ["FATAL 08P01"]


async def test_a_large_statement_in_small_pieces(mere: MereProcess) -> None:
    async with await login(mere.port) as client:
        raw = requests.query(f"SELECT length('{'x' * 3_000_000}')")
        for start in range(0, len(raw), 50_000):
            client.send(raw[start : start + 50_000])
            await client.writer.drain()
        received = await client.read_until()
        assert kinds(received) == b"TDCZ"
        assert b"3000000" in received[1]


# Clients that stop in the middle

PIPELINE = b"".join(
    [
        requests.parse("s", "SELECT $1::int + 1"),
        requests.describe_statement("s"),
        requests.bind("", "s", [b"41"]),
        requests.execute(""),
        requests.SYNC,
        requests.query("CREATE TEMP TABLE c (a int) USING heap"),
        requests.query("COPY c FROM STDIN"),
        requests.copy_data(b"1\n"),
    ]
)


async def test_cut_at_every_byte(mere: MereProcess, bystander: Bystander) -> None:
    """The server closes whatever it has seen; half of the clients reset the connection instead of closing it."""
    gate = asyncio.Semaphore(10)

    async def cut(length: int) -> None:
        async with gate, await login(mere.port) as client:
            client.send(PIPELINE[:length])
            await client.writer.drain()
            if length % 2:
                client.writer.write_eof()
                await client.at_end()
                return
            handle = client.writer.get_extra_info("socket")
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.writer.transport.abort()

    await asyncio.gather(*[cut(length) for length in range(0, len(PIPELINE), 3)])


@pytest.mark.parametrize("seed", range(30))
async def test_mutated(mere: MereProcess, bystander: Bystander, seed: int) -> None:
    """Bytes of a good conversation replaced, removed and doubled: it ends, one way or the other."""
    chance = random.Random(seed)
    stream = bytearray(PIPELINE + requests.COPY_DONE + requests.query("SELECT 1"))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(stream))
        match chance.randrange(3):
            case 0:
                stream[at] = chance.randrange(256)
            case 1:
                del stream[at : at + chance.randint(1, 8)]
            case 2:
                stream[at:at] = stream[at : at + chance.randint(1, 30)]
    async with await login(mere.port) as client:
        client.send(bytes(stream))
        client.writer.write_eof()
        digest(await client.at_end())


async def test_a_copy_that_is_cut_off_leaves_nothing(mere: MereProcess, bystander: Bystander) -> None:
    async with await login(mere.port) as client:
        await client.query("CREATE TABLE raw_cut_off (a int)")
        try:
            async with await login(mere.port) as loader:
                loader.send(requests.query("COPY raw_cut_off FROM STDIN"), requests.copy_data(b"1\n" * 10_000))
                await loader.read_until(b"G")
                loader.writer.transport.abort()
            await asyncio.sleep(0.5)
            assert b"\0\0\0\1" + b"0" in (await client.query("SELECT count(*) FROM raw_cut_off"))[1]
        finally:
            await client.query("DROP TABLE raw_cut_off")


async def test_a_client_that_never_reads_leaves_others_served(mere: MereProcess, bystander: Bystander) -> None:
    async with await login(mere.port) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.send(requests.query("SELECT repeat('x', 1000) FROM generate_series(1, 200000)"))
        await asyncio.sleep(0.3)
        await bystander.is_well()
        client.writer.transport.abort()


# The same over a lake table and, on PostgreSQL, over a heap
LAKE_CONVERSATIONS: dict[str, list[bytes]] = {
    "a query that fails takes the pipeline before it along": [
        requests.parse("", "INSERT INTO t VALUES (10)"),
        requests.bind("", ""),
        requests.execute(""),
        requests.query("UPDATE t SET a = 1/(a - a)"),
        requests.query("SELECT * FROM t"),
    ],
    "a query after an error in a pipeline is skipped": [
        requests.parse("", "SELECT a FROM t WHERE nothing"),
        requests.query("SELECT a FROM t"),
        requests.SYNC,
        requests.query("SELECT a FROM t"),
    ],
    "an error in a pipeline takes all of it along": [
        requests.parse("", "INSERT INTO t VALUES (10)"),
        requests.bind("", ""),
        requests.execute(""),
        requests.parse("", "SELECT 1/(a - a) FROM t"),
        requests.bind("", ""),
        requests.execute(""),
        requests.execute(""),
        requests.SYNC,
        requests.query("SELECT * FROM t"),
    ],
    "portals in any order": [
        requests.parse("s", "SELECT a FROM t ORDER BY a"),
        requests.bind("one", "s"),
        requests.bind("two", "s"),
        requests.execute("two", 1),
        requests.execute("one", 3),
        requests.close_statement("s"),
        requests.execute("two"),
        requests.close_portal("one"),
        requests.execute("one"),
        requests.SYNC,
    ],
    "formats that do not fit": [
        requests.parse("s", "SELECT a, a FROM t WHERE a > $1"),
        requests.bind("", "s", [b"1"], [], [0, 0, 1]),
        requests.SYNC,
        requests.bind("", "s", [b"1"], [7]),
        requests.SYNC,
        requests.bind("", "s", [b"1"], [0, 0]),
        requests.SYNC,
        requests.bind("", "s", [b"\0\0\0\1"], [1], [1, 0]),
        requests.execute(""),
        requests.SYNC,
    ],
    "a portal of a transaction that failed": [
        requests.query("BEGIN"),
        requests.parse("s", "SELECT a FROM t ORDER BY a"),
        requests.bind("p", "s"),
        requests.execute("p", 1),
        requests.SYNC,
        requests.query("SELECT 1/0"),
        requests.execute("p", 1),
        requests.SYNC,
        requests.query("ROLLBACK"),
    ],
    "flushed step by step": [
        requests.parse("s", "SELECT a FROM t ORDER BY a"),
        requests.FLUSH,
        requests.describe_statement("s"),
        requests.FLUSH,
        requests.bind("", "s"),
        requests.FLUSH,
        requests.execute("", 2),
        requests.FLUSH,
        requests.execute("", 2),
        requests.SYNC,
    ],
    "COPY by the extended protocol": [
        requests.parse("", "COPY t FROM STDIN"),
        requests.bind("", ""),
        requests.execute(""),
        requests.SYNC,
        requests.copy_data(b"7\n8\n"),
        requests.COPY_DONE,
        requests.SYNC,
        requests.query("SELECT count(*) FROM t"),
    ],
}


@pytest.mark.parametrize("name", LAKE_CONVERSATIONS)
async def test_conversations_over_the_lake(
    mere: MereProcess, peer: Peer, bystander: Bystander, space: Workspace, name: str
) -> None:
    async with await RawClient.connect(peer.port) as client:
        client.startup(ADMINISTRATOR)
        await client.read_until()
        await client.query("CREATE TEMP TABLE t AS SELECT generate_series(1, 4) AS a")
        expected = await converse(client, LAKE_CONVERSATIONS[name])
    async with await login(mere.port) as client:
        await client.query(f"SET search_path = {space.schema}")
        await client.query("CREATE TABLE t AS SELECT generate_series(1, 4) AS a")
        assert await converse(client, LAKE_CONVERSATIONS[name]) == expected


@pytest.mark.parametrize("using", ["lake", "heap"])
async def test_a_query_in_the_middle_of_a_pipeline_commits_what_was_before_it(
    mere: MereProcess, bystander: Bystander, space: Workspace, using: str
) -> None:
    """PostgreSQL 18 goes on with the transaction, and loses its way in it (XX000) at the next statement."""
    async with await login(mere.port) as client:
        await client.query(f"SET search_path = {space.schema}")
        await client.query(f"CREATE TABLE t (a int) USING {using}")
        insert = [requests.parse("", "INSERT INTO t VALUES (10)"), requests.bind("", ""), requests.execute("")]
        look = requests.query("SELECT count(*) FROM t")
        looked = ["T", "D", "SELECT 1", "ready I"]
        said = await converse(client, [*insert, look, requests.SYNC, requests.parse("", "SELEC"), requests.SYNC, look])
        assert said == ["1", "2", "INSERT 0 1", *looked, "ready I", "ERROR 42601", "ready I", *looked]


async def test_a_pipeline_without_its_sync_leaves_nothing(
    mere: MereProcess, bystander: Bystander, space: Workspace
) -> None:
    async with await login(mere.port) as client:
        await client.query(f"CREATE TABLE {space.schema}.t (a int)")
        insert = requests.parse("", f"INSERT INTO {space.schema}.t VALUES (10)")
        await converse(client, [insert, requests.bind("", ""), requests.execute("")])
    async with await login(mere.port) as client:
        assert digest(b"".join(await client.query(f"SELECT * FROM {space.schema}.t"))) == ["T", "SELECT 0", "ready I"]
