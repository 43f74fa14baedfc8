"""Who goes first: a transaction that takes rows from a table's files, or maintenance that replaces them."""

from __future__ import annotations

import asyncio

from mere.lake.changing import Changing


async def test_maintenance_gives_way_while_somebody_takes_rows() -> None:
    changing = Changing()
    first, second = await changing.hold(1), await changing.hold(1)
    for release in (first, first, second):
        with changing.replacing(1) as replaced:
            assert replaced is None
        with changing.replacing(2) as replaced:
            assert replaced is not None
        release()
    with changing.replacing(1) as replaced:
        assert replaced is not None


async def test_who_comes_during_the_commit_waits_for_it_and_learns_that_files_were_replaced() -> None:
    changing = Changing()
    with changing.replacing(1) as replaced:
        assert replaced is not None
        coming = asyncio.ensure_future(changing.hold(1))
        await asyncio.sleep(0)
        assert not coming.done()
        replaced(7)
    async with asyncio.timeout(5):
        await coming
    assert changing.replaced_since(1, 6)
    assert not changing.replaced_since(1, 7)
    assert not changing.replaced_since(2, 6)
