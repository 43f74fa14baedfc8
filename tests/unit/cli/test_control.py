"""The control socket: answers, errors, and no server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mere.cli.control import Answer, NotServing, ask, start_control
from mere.errors import MereError


async def count(request: Answer) -> AsyncIterator[Answer]:
    for number in range(request["to"]):
        yield {"number": number}


async def fail(_: Answer) -> AsyncIterator[Answer]:
    yield {"number": 0}
    raise MereError("it did not work")


def collect(directory: Path, request: Answer) -> list[Answer]:
    return list(ask(directory, request))


async def test_answers_errors_and_unknown_commands(tmp_path: Path) -> None:
    deep = tmp_path / ("a-directory-with-a-long-name-" * 5)
    deep.mkdir()
    stop = await start_control(deep, {"count": count, "fail": fail})
    try:
        answers = await asyncio.to_thread(collect, deep, {"command": "count", "to": 3})
        assert answers == [{"number": 0}, {"number": 1}, {"number": 2}]
        with pytest.raises(MereError, match="it did not work"):
            await asyncio.to_thread(collect, deep, {"command": "fail"})
        with pytest.raises(MereError, match="does not know that command"):
            await asyncio.to_thread(collect, deep, {"command": "dance"})
    finally:
        await stop()
    with pytest.raises(NotServing):
        await asyncio.to_thread(collect, deep, {"command": "count", "to": 1})


async def test_a_socket_that_a_killed_server_left_is_no_server(tmp_path: Path) -> None:
    stop = await start_control(tmp_path, {})
    (tmp_path / "control").rename(tmp_path / "kept")
    await stop()
    (tmp_path / "kept").rename(tmp_path / "control")
    with pytest.raises(NotServing):
        await asyncio.to_thread(collect, tmp_path, {"command": "state"})
    await (await start_control(tmp_path, {}))()
