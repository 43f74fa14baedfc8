"""One attempt of a task on its way, seen from the coordinator: an answer, or the loss of what it needs."""

from __future__ import annotations

import asyncio
from typing import Any

from ray.exceptions import RayError, RayTaskError

from mere.errors import MereError
from mere.runtime.base import PartsLost, SegmentLost
from mere.runtime.ray_fleet import Fleet
from mere.runtime.ray_process import line_of
from mere.runtime.ray_segment import Order


class Attempt:
    """`close` ends it on the segment too, unless `ended` says that it came to its end there."""

    def __init__(self, fleet: Fleet, segment: int, order: Order) -> None:
        self.live = fleet.at(segment)
        self.order = order
        self.ended = False
        self._fleet = fleet
        self._segment = segment
        self._trouble: asyncio.Future[PartsLost] = asyncio.get_running_loop().create_future()
        self.live.begin()

    def fail(self, error: PartsLost) -> None:
        if not self._trouble.done():
            self._trouble.set_result(error)

    async def result_of(self, reference: Any) -> Any:
        """The value of an object reference. SegmentLost as soon as it is known, which is before Ray says so."""
        result: asyncio.Future[Any] = asyncio.wrap_future(reference.future())
        either: set[asyncio.Future[Any]] = {result, self.live.lost, self._trouble}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._trouble.done():
                raise self._trouble.result()
            if self.live.lost.done():
                raise self._lost()
            return result.result()
        except RayTaskError as error:
            raise MereError(f"segment {self._segment} failed: {line_of(error.cause)}") from error
        except RayError as error:
            await self._fleet.bury(self.live, error)
            raise self._lost() from error
        finally:
            result.cancel()

    def _lost(self) -> SegmentLost:
        told = self.live.lost.result()
        return SegmentLost(self._segment, told.why, out_of_memory=told.out_of_memory)

    def close(self) -> None:
        self.live.end()
        if not self.ended and not self.live.lost.done():
            self.live.actor.cancel.remote(self.order.key)
