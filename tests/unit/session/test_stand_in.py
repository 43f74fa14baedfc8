"""When a stand-in begins, by the order in which things happen on the event loop."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from mere.catalog.backend import Backend
from mere.session import stand_in
from mere.session.stand_in import StandIn

SOON = 5.0


class Connection:
    """A backing connection: `busy` with a statement, `standing`, or idle; never both."""

    def __init__(self) -> None:
        self.busy = False
        self.closed = asyncio.Event()
        self.stood = 0
        self._over: asyncio.Event | None = None

    @property
    def standing(self) -> bool:
        return self._over is not None

    async def stand_in(self, statement: str, began: float) -> str | None:
        assert not self.busy
        self.stood += 1
        self._over = asyncio.Event()
        await self._over.wait()
        self._over = None
        return None

    async def end_stand_in(self) -> None:
        if self._over is not None:
            self._over.set()


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(stand_in, "_MOMENT", 0.02)
    return Connection()


def stand_in_of(connection: Connection) -> StandIn:
    def cancel(reason: str) -> None:
        raise AssertionError(f"nobody cancelled: {reason}")

    return StandIn(cast(Backend, connection), cancel)


async def begun(stand: StandIn) -> None:
    """Until the moment is over, and the stand-in about to begin."""
    stand.expect()
    async with asyncio.timeout(SOON):
        while stand._task is None:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_a_long_statement_is_stood_in_for_until_its_end(connection: Connection) -> None:
    stand = stand_in_of(connection)
    await begun(stand)
    await asyncio.sleep(0)
    assert connection.standing
    async with asyncio.timeout(SOON):
        await stand.end()
    assert not connection.standing


async def test_a_statement_that_ends_at_that_moment(connection: Connection) -> None:
    stand = stand_in_of(connection)
    stand.expect()
    stand._begin()
    async with asyncio.timeout(SOON):
        await stand.end()
    assert connection.stood == 0


async def test_a_statement_that_asks_postgresql_at_that_moment_goes_first(connection: Connection) -> None:
    stand = stand_in_of(connection)
    stand.expect()
    stand._begin()
    connection.busy = True
    await asyncio.sleep(0.1)
    assert connection.stood == 0
    connection.busy = False
    async with asyncio.timeout(SOON):
        while not connection.standing:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await stand.end()
