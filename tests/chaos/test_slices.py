"""TPC-H on segments that die and lose what they made at random moments: every answer is right, and nothing is left.

The segments are of this process (harness.segments), so that hundreds of losses take seconds. MERE_CHAOS_SEEDS=1-50
runs other seeds.
"""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.dispatching import rows_of
from harness.plan_benchmarks import tpch_warehouse
from harness.plan_files import WarehouseFiles
from harness.plan_warehouse import Warehouse
from harness.same_rows import difference
from harness.segments import Segments, running_segments

from mere.demo import tpch
from mere.execute.dispatch import Dispatcher, DispatchOptions
from mere.execute.dispatch_tasks import LakeScan
from mere.plan.distribute import distribute
from mere.runtime.base import Task
from mere.segment.storage import Storage

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300)]

FIRST, LAST = (int(seed) for seed in os.environ.get("MERE_CHAOS_SEEDS", "1-1").split("-"))
SEGMENTS = 3


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield tpch_warehouse(tmp_path_factory.mktemp("tpch"), 0.01)


class Trouble:
    """Strikes about every eighth attempt, before it starts or in its midst."""

    def __init__(self, segments: Segments, seed: int) -> None:
        self._segments = segments
        self._dice = random.Random(seed)
        self.strikes = 0
        segments.before = segments.during = self._moment

    async def _moment(self, segment: int, task: Task) -> None:
        if self._dice.random() > 0.06:
            return
        self.strikes += 1
        act: Callable[[], object] = self._dice.choice(
            [
                lambda: self._segments.kill(segment),
                lambda: self._segments.kill(self._dice.randrange(SEGMENTS), with_parts=True),
                lambda: self._segments.lose_parts(lambda _: self._dice.random() < 0.3),
            ]
        )
        act()


@pytest.mark.parametrize("policy", ["hash", "random"])
@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
async def test_tpch_survives(warehouse: Warehouse, tmp_path: Path, seed: int, policy: str) -> None:
    spread = warehouse.distributed(policy)
    files = WarehouseFiles(spread, tmp_path / "lake")
    storage = Storage(str(tmp_path / "lake"), {})
    struck = 0
    async with running_segments(tmp_path / "engines", storage.location, SEGMENTS) as segments:
        segments.recovery = 0.01
        dispatcher = Dispatcher(segments, DispatchOptions(attempts=1000))
        for number, text in tpch.queries().items():
            bound = spread.bind(text)
            expected = spread.answer(bound)
            plan = distribute(bound, spread.facts(bound, SEGMENTS))
            scans = {name: LakeScan.of(source, SEGMENTS) for name, source in files.sources(bound).items()}
            trouble = Trouble(segments, zlib.crc32(f"{seed} {policy} {number}".encode()))
            rows = await rows_of(dispatcher.open(plan, scans, {}))
            struck += trouble.strikes
            assert difference(expected, rows) is None, f"{number}: {difference(expected, rows)}"
            assert segments.live_parts == 0, number
        assert struck > 22
