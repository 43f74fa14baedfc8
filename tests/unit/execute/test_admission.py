"""Statements take turns: so many at once, the others in the order of their coming, and only so many of them."""

from __future__ import annotations

import asyncio

import pytest

from mere.errors import MereError
from mere.execute.admission import Admission

pytestmark = pytest.mark.timeout(10)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_first_come_first_served() -> None:
    admission = Admission(2, 10)
    order: list[int] = []
    ends = [asyncio.Event() for _ in range(6)]

    async def statement(number: int) -> None:
        async with admission.turn():
            order.append(number)
            await ends[number].wait()

    tasks = [asyncio.create_task(statement(number)) for number in range(6)]
    await settle()
    assert order == [0, 1] and (admission.running, admission.waiting) == (2, 4)
    ends[1].set()
    await settle()
    assert order == [0, 1, 2]
    for end in ends:
        end.set()
    await asyncio.gather(*tasks)
    assert order == list(range(6)) and (admission.running, admission.waiting) == (0, 0)


async def test_the_queue_has_an_end() -> None:
    admission = Admission(1, 1)
    async with admission.turn():
        waiting = asyncio.create_task(_turn(admission))
        await settle()
        with pytest.raises(MereError) as raised:
            await _turn(admission)
        assert raised.value.sqlstate == "53300" and raised.value.hint is not None
    await waiting


async def test_who_gives_up_leaves_no_gap() -> None:
    admission = Admission(1, 10)
    async with admission.turn():
        gone, last = asyncio.create_task(_turn(admission)), asyncio.create_task(_turn(admission))
        await settle()
        gone.cancel()  # and the turn is passed on before it has noticed
    await asyncio.wait({gone, last})
    assert gone.cancelled() and last.exception() is None
    assert (admission.running, admission.waiting) == (0, 0)


async def _turn(admission: Admission) -> None:
    async with admission.turn():
        pass
