"""Results cut in the portions that Execute and FETCH ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pyarrow as pa
import pytest

from mere.session.rows import Portion, RowSource


class Taker:
    """A client that keeps what it is sent."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        self.taken += data

    async def drain(self) -> None:
        pass


def encode(batch: pa.RecordBatch) -> bytes:
    return "".join(f"{value} " for value in batch.column(0).to_pylist()).encode()


def source(*sizes: int, fail: bool = False) -> tuple[RowSource, list[str]]:
    """Batches of these sizes, numbered through, and a log of what was closed."""
    log: list[str] = []

    async def portions() -> AsyncIterator[Portion]:
        start = 0
        for size in sizes:
            batch = pa.RecordBatch.from_pydict({"c0": list(range(start, start + size))})
            start += size
            yield Portion(batch, encode(batch))
        if fail:
            raise RuntimeError("the engine stopped")

    async def close() -> None:
        log.append("closed")

    rows = RowSource(portions(), encode, close)
    rows.when_closed(lambda: log.append("released"))
    return rows, log


async def test_portions_end_within_batches_and_go_on() -> None:
    rows, log = source(3, 0, 4)
    client = Taker()
    assert await rows.send(client, 2) == (2, True)  # type: ignore[arg-type]
    assert await rows.send(client, 3) == (3, True)  # type: ignore[arg-type]
    assert bytes(client.taken) == b"0 1 2 3 4 "
    assert await rows.send(client) == (2, False)  # type: ignore[arg-type]
    assert sorted(log) == ["closed", "released"]


async def test_the_last_row_may_end_a_portion() -> None:
    rows, _ = source(2)
    assert await rows.send(Taker(), 2) == (2, True)  # type: ignore[arg-type]
    assert await rows.send(Taker(), 2) == (0, False)  # type: ignore[arg-type]


async def test_a_failure_half_way_lets_go_of_everything() -> None:
    rows, log = source(2, fail=True)
    with pytest.raises(RuntimeError):
        await rows.send(Taker())  # type: ignore[arg-type]
    assert sorted(log) == ["closed", "released"]


async def test_a_part_leaves_the_rest_in_place() -> None:
    rows, log = source(5)
    client = Taker()
    assert await rows.skip(1) == 1
    assert await rows.part(2).send(client) == (2, False)  # type: ignore[arg-type]
    assert not log
    assert await rows.part(None).send(client) == (2, False)  # type: ignore[arg-type]
    assert bytes(client.taken) == b"1 2 3 4 "
