"""The coordinator's end of PostgreSQL's archive_command and restore_command: see `mere.catalog.archiving`."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_PORT = 1
_LONGEST = 10_000  # bytes of a startup packet
_AUTHENTICATION_OK = b"R" + struct.pack("!II", 8, 0)

Answer = Callable[[str, str], Awaitable[bool]]


async def listen(name: str, answer: Answer) -> asyncio.Server:
    """`answer` is told the file's name (%f) and its path (%p) and says whether that is done."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!I", await reader.readexactly(4))
            packet = await reader.readexactly(min(length, _LONGEST) - 4)
            fields = packet[4:].decode().split("\0")
            told = dict(zip(fields[::2], fields[1::2], strict=False))
            if await answer(told.get("database", ""), told.get("application_name", "")):
                writer.write(_AUTHENTICATION_OK)  # all that pg_isready wants to see
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            log.debug("PostgreSQL's question broke off: %s", error)
        finally:
            writer.close()

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0{name[1:]}/.s.PGSQL.{_PORT}")
    return await asyncio.start_unix_server(serve, sock=listener)
