"""Conversations that are nearly right: messages of good ones shuffled, spliced, cut and overwritten with rubbish.

    fuzzer = Fuzzer(port, schema, seed)
    await fuzzer.run(seconds)

One client after the other, several at a time; each ends by itself or is cut off. What a run did is told by its seed.
"""

from __future__ import annotations

import asyncio
import random
import struct
import time

from harness.mere import PASSWORD
from harness.raw import RawClient
from mere.wire import requests
from mere.wire.messages import message

ADMINISTRATOR = {"user": "mere", "database": "mere"}
INT4 = (5).to_bytes(4, "big")
_QUIET = 0.25  # seconds without a word, after which the server waits for bytes that will not come
_AT_A_TIME = 8

LOGIN = [
    requests.startup(3 << 16, ADMINISTRATOR),
    struct.pack("!II", 8, 80877103),
    struct.pack("!II", 8, 80877104),
    requests.startup(3 << 16 | 2, {**ADMINISTRATOR, "_pq_.what": "1"}),
    requests.cancel_request(4711, b"abcd"),
    message(b"p", b"SCRAM-SHA-256\0\0\0\0\x20n,,n=,r=rOprNGfwEbeRWgbNEkqO" + b"x" * 8),
    requests.query("SELECT 1"),
]
CONVERSATIONS: list[list[bytes]] = [
    [requests.query(sql) for sql in ("SELECT * FROM fuzz", "SELECT 1; SELECT 2", "", "SELECT count(*) FROM heap")],
    [
        requests.query("BEGIN"),
        requests.query("INSERT INTO fuzz VALUES (7, 'seven')"),
        requests.query("SAVEPOINT a"),
        requests.query("SELECT 1/0"),
        requests.query("ROLLBACK TO a"),
        requests.query("DECLARE c CURSOR FOR SELECT * FROM fuzz"),
        requests.query("FETCH 2 FROM c"),
        requests.query("ROLLBACK"),
    ],
    [
        requests.parse("s", "SELECT id, v FROM fuzz WHERE id = $1", [23]),
        requests.describe_statement("s"),
        requests.bind("p", "s", [INT4], [1], [1, 0]),
        requests.describe_portal("p"),
        requests.execute("p", 1),
        requests.execute("p"),
        requests.close_portal("p"),
        requests.FLUSH,
        requests.SYNC,
        requests.bind("", "s", [None]),
        requests.execute(""),
        requests.close_statement("s"),
        requests.SYNC,
    ],
    [
        requests.parse("h", "SELECT $1::numeric + g FROM generate_series(1, 20) g"),
        requests.bind("", "h", [b"1.5"]),
        requests.execute("", 3),
        requests.SYNC,
        requests.parse("", "INSERT INTO fuzz VALUES ($1, $2)"),
        requests.bind("", "", [b"9", b"nine"]),
        requests.execute(""),
        requests.parse("", "SELEC"),
        requests.SYNC,
    ],
    [
        requests.query("COPY fuzz FROM STDIN"),
        requests.copy_data(b"100\thundred\n"),
        requests.copy_data(b"101\t\\N\n"),
        requests.COPY_DONE,
        requests.query("COPY heap FROM STDIN (FORMAT csv)"),
        requests.copy_data(b"1,one\n"),
        requests.copy_fail("no more"),
        requests.query("COPY fuzz TO STDOUT (FORMAT binary)"),
    ],
    [
        message(b"F", struct.pack("!IHHHIH", 1598, 0, 0, 0, 0, 0)),
        requests.SYNC,
        requests.query("SET LOCAL timezone = 'Asia/Tokyo'"),
        requests.query("PREPARE q AS SELECT v FROM fuzz WHERE id > $1"),
        requests.query("EXECUTE q (3)"),
        requests.query("EXPLAIN SELECT * FROM fuzz"),
        requests.query("UPDATE fuzz SET v = 'x' WHERE id < 3"),
        requests.query("DISCARD ALL"),
    ],
]


class Fuzzer:
    """`schema` has the tables fuzz (of the lake) and heap, each (id int, v text)."""

    def __init__(self, port: int, schema: str, seed: int) -> None:
        self._port = port
        self._schema = schema
        self._chance = random.Random(seed)
        self.clients = 0

    async def run(self, seconds: float) -> None:
        """Until the time is over, and all clients are gone."""
        until = time.monotonic() + seconds

        async def one_after_the_other() -> None:
            while time.monotonic() < until:
                await self._client()

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_A_TIME):
                group.create_task(one_after_the_other())

    async def _client(self) -> None:
        self.clients += 1
        chance = self._chance
        try:
            async with await RawClient.connect(self._port) as client:
                if chance.random() < 0.15:
                    sent = self._mangle(chance.sample(LOGIN, chance.randint(1, len(LOGIN))))
                else:
                    await client.login("mere", PASSWORD, "mere", options="-c statement_timeout=2s")
                    await client.query(f"SET search_path = {self._schema}")
                    sent = self._mangle(self._conversation())
                await self._send(client, sent)
                await _listen(client)
                client.writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # closed: an answer like any other

    def _conversation(self) -> list[bytes]:
        chance = self._chance
        messages = list(chance.choice(CONVERSATIONS))
        for _ in range(chance.randint(0, 3)):
            at = chance.randrange(len(messages))
            match chance.randrange(5):
                case 0:
                    del messages[at:]
                    messages += chance.choice(CONVERSATIONS)
                case 1:
                    messages.insert(at, messages[chance.randrange(len(messages))])
                case 2:
                    messages.insert(at, chance.choice(chance.choice(CONVERSATIONS)))
                case 3:
                    del messages[at]
                    messages = messages or [requests.SYNC]
                case 4:
                    chance.shuffle(messages)
        return messages

    def _mangle(self, messages: list[bytes]) -> bytes:
        """Bytes overwritten, dropped, doubled or added; often only one message of many."""
        chance = self._chance
        if chance.random() < 0.05:
            return chance.randbytes(chance.randint(1, 5000))
        for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
            at = chance.randrange(len(messages))
            piece = bytearray(messages[at])
            place = chance.randrange(len(piece) + 1)
            match chance.randrange(5):
                case 0:
                    piece[place : place + 1] = chance.randbytes(1)
                case 1:
                    del piece[place : place + chance.randint(1, 8)]
                case 2:
                    piece[place:place] = chance.randbytes(chance.randint(1, 16))
                case 3:
                    piece[1:5] = struct.pack("!I", chance.choice((0, 3, 4, 5, 100, 65536, 1 << 30, (1 << 32) - 1)))
                case 4:
                    piece[place:place] = piece[: chance.randint(1, 40)]
            messages[at] = bytes(piece)
        return b"".join(messages)

    async def _send(self, client: RawClient, sent: bytes) -> None:
        step = self._chance.choice((7, 100, 1 << 20))
        for start in range(0, len(sent), step):
            client.send(sent[start : start + step])
            if step == 7:
                await asyncio.sleep(0)
        client.send(requests.SYNC, requests.TERMINATE)
        await client.writer.drain()


async def _listen(client: RawClient) -> None:
    """To the end, or until the server waits for more."""
    while True:
        try:
            async with asyncio.timeout(_QUIET):
                if not await client.reader.read(65536):
                    return
        except TimeoutError:
            return
