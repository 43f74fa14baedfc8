"""An object store in memory that fails on command, and a clock that only moves when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from obstore.store import MemoryStore

from mere.ha.objects import Found, Objects, Stamp, Unreachable


@dataclass(slots=True)
class FakeClock:
    """Monotonic seconds; sleeping moves them. `rate` makes it a fast or slow one beside true time."""

    now: float = 1000.0
    rate: float = 1.0
    on_sleep: Callable[[float], object] = field(default=lambda seconds: None)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.on_sleep(seconds)

    def pass_true_time(self, seconds: float) -> None:
        self.now += seconds * self.rate


class Unsteady(Objects):
    """One node's way to a store that several share.

    `down`: no answer to anything. `lost_replies`: so many writes arrive whose replies do not. `late`: so many writes
    get no answer and arrive only at `deliver`. `took`: called before each request, for a slow store.
    """

    def __init__(self, store: MemoryStore, prefix: str = "pair/") -> None:
        super().__init__(lambda _: store, prefix, 1.0)
        self.down = False
        self.lost_replies = 0
        self.late = 0
        self.took: Callable[[], object] = lambda: None
        self.requests: list[str] = []
        self._on_the_way: list[tuple[str, bytes, Stamp | None]] = []

    def _ask(self, what: str) -> None:
        self.requests.append(what)
        self.took()
        if self.down:
            raise Unreachable("the store is down")

    def get(self, key: str) -> Found | None:
        self._ask(f"GET {key}")
        return super().get(key)

    def put(self, key: str, data: bytes, expected: Stamp | None) -> Stamp:
        self._ask(f"PUT {key}")
        if self.late:
            self.late -= 1
            self._on_the_way.append((key, data, expected))
            raise Unreachable("no answer")
        stamp = super().put(key, data, expected)
        if self.lost_replies:
            self.lost_replies -= 1
            raise Unreachable("the reply was lost")
        return stamp

    def overwrite(self, key: str, data: bytes) -> None:
        self._ask(f"PUT {key}")
        super().overwrite(key, data)

    def delete(self, key: str) -> None:
        self._ask(f"DELETE {key}")
        super().delete(key)

    def deliver(self) -> None:
        """The late writes arrive, in order, each still conditional."""
        while self._on_the_way:
            super().put(*self._on_the_way.pop(0))
