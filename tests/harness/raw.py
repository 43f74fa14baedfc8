"""A client that speaks raw bytes: sends whatever a test likes, in whatever pieces, and reads with a deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType

from harness.scram import ScramClient
from mere.wire import requests
from mere.wire.backend import read_error
from mere.wire.pgerror import PgError

DEADLINE = 10.0
PROTOCOL = 3 << 16


class RawClient:
    """One TCP connection. Every read ends within the deadline, else TimeoutError: a hang is a failed test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int, tls: ssl.SSLContext | None = None) -> RawClient:
        return cls(
            *await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None)
        )

    async def __aenter__(self) -> RawClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()

    def send(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(pieces))

    def startup(self, parameters: Mapping[str, str], version: int = PROTOCOL) -> None:
        self.send(requests.startup(version, parameters))

    async def read(self) -> bytes:
        """One message with its header. Raises IncompleteReadError when the server has closed."""
        async with asyncio.timeout(DEADLINE):
            header = await self.reader.readexactly(5)
            return header + await self.reader.readexactly(int.from_bytes(header[1:], "big") - 4)

    async def read_byte(self) -> bytes:
        """The answer to a request for encryption."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readexactly(1)

    async def read_until(self, kinds: bytes = b"Z") -> list[bytes]:
        """Messages up to and with the first of one of these types."""
        received = [await self.read()]
        while received[-1][0] not in kinds:
            received.append(await self.read())
        return received

    async def error(self) -> PgError:
        """The next message, which must be an error."""
        raw = await self.read()
        assert raw[:1] == b"E", raw
        return read_error(raw)

    async def at_end(self) -> bytes:
        """Everything until the server closes; a reset is a close too."""
        async with asyncio.timeout(DEADLINE):
            received = bytearray()
            try:
                while piece := await self.reader.read(65536):
                    received += piece
            except ConnectionResetError:
                pass
            return bytes(received)

    async def login(self, user: str, password: str, database: str, **parameters: str) -> list[bytes]:
        """Start-up with SCRAM; the messages from AuthenticationOk to ReadyForQuery."""
        self.startup({"user": user, "database": database, **parameters})
        return await self.authenticate(password)

    async def authenticate(self, password: str) -> list[bytes]:
        scram = ScramClient(password)
        received: list[bytes] = []
        while True:
            raw = await self.read()
            if raw[:1] == b"E":
                raise read_error(raw)
            answer = scram.answer(raw) if raw[:1] == b"R" else None
            if answer is not None:
                self.send(answer)
            else:
                received.append(raw)
            if raw[:1] == b"Z":
                return received

    async def query(self, sql: str) -> list[bytes]:
        self.send(requests.query(sql))
        return await self.read_until()


def kinds(received: list[bytes]) -> bytes:
    """The types of messages, as one string of bytes."""
    return b"".join(raw[:1] for raw in received)
