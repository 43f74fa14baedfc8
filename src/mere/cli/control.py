"""How `mere state` and `mere maintain` talk to a running server: a Unix socket in the data directory, JSON lines.

One request, then answers until the server closes. Only the directory's owner can reach the socket. The server's side
lives in the coordinator process, the client's in the command's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mere.errors import MereError

log = logging.getLogger(__name__)

Answer = Mapping[str, Any]
Handler = Callable[[Answer], AsyncIterator[Answer]]
_SOCKET = "control"
_LINE_LIMIT = 1 << 20


class NotServing(Exception):
    """No server has this data directory open."""


@contextlib.contextmanager
def _short_path(directory: Path) -> Iterator[str]:
    """The socket by a name that fits: Unix sockets take about a hundred bytes, data directories may be deeper."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{_SOCKET}"
    finally:
        os.close(descriptor)


async def start_control(directory: Path, handlers: Mapping[str, Handler]) -> Callable[[], Awaitable[None]]:
    """Listens; call what is returned to stop."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            async for answer in _answers(handlers, request):
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.info("a request on the control socket broke off: %s", error)
        finally:
            writer.close()

    (directory / _SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    with _short_path(directory) as path:
        listener.bind(path)
    server = await asyncio.start_unix_server(serve, sock=listener, limit=_LINE_LIMIT)

    async def stop() -> None:
        server.close()
        (directory / _SOCKET).unlink(missing_ok=True)

    return stop


async def _answers(handlers: Mapping[str, Handler], request: Answer) -> AsyncIterator[Answer]:
    """What the handler says; its error is an answer too."""
    handler = handlers.get(str(request.get("command")))
    if handler is None:
        yield {"error": "this server does not know that command; it may be of another version"}
        return
    try:
        async for answer in handler(request):
            yield answer
    except MereError as error:
        yield {"error": error.message}


def ask(directory: Path, request: Answer) -> Iterator[Answer]:
    """The server's answers to one request. NotServing if there is none; its error is raised as MereError."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            with _short_path(directory) as path:
                connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise NotServing from error
        except OSError as error:
            raise MereError(f"cannot reach the server of {directory}: {error.strerror}") from error
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("r") as lines:
            for line in lines:
                answer = json.loads(line)
                if "error" in answer:
                    raise MereError(answer["error"])
                yield answer
