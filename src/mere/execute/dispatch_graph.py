"""A plan's graph while it runs: which tasks are due, whose output is there, and what a loss makes due again.

Pure: no I/O, no clock, no runtime. One per statement, in the coordinator process.

A *unit* is one slice over one share. Its output is what its last successful attempt left. The graph works backwards
from the root: a unit is due when somebody still needs its output and its own inputs are complete. So a loss needs no
plan of its own: the output is forgotten, and what is needed of it becomes due again.

One thing needs care. A slice may give other rows the second time (LIMIT, equal sort keys, sums of floats in another
order). Where such a slice runs again, everything that was made of its old rows is made again too, or two halves of one
answer would come from two different inputs. A slice that only filters, joins and computes gives the same rows always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mere.lake.message import NewFile
from mere.plan.nodes import DistributedPlan, MotionKind, Where
from mere.runtime.base import Part, Result

Unit = tuple[int, int]  # number of the slice, number of the share
NOTHING = Result((), 0, 0, 0.0)


@dataclass(slots=True)
class Changes:
    """What the dispatcher has to do after something was lost: stop these units, release these parts."""

    stop: set[Unit] = field(default_factory=set)
    release: list[Part] = field(default_factory=list)


class Graph:
    """`stable` are the slices that give the same rows each time; `idle` says that a unit has nothing to read but what
    comes by its motions' parts (see `tasks.Tasks.idle`). `width`: how many shares there are, if not one a segment."""

    def __init__(
        self,
        plan: DistributedPlan,
        root_inputs: Iterable[int],
        stable: frozenset[int],
        idle: Callable[[Unit], bool],
        width: int | None = None,
    ) -> None:
        self._slices = {slice_.number: slice_ for slice_ in plan.slices}
        self._motions = {motion.number: motion for motion in plan.motions}
        self._width = width or plan.segments
        self._stable = stable
        self._idle = idle
        self._root_inputs = tuple(root_inputs)
        self._senders = {
            number: tuple(dict.fromkeys(self._motions[motion].sender for motion in slice_.inputs))
            for number, slice_ in self._slices.items()
        }
        self._outputs: dict[Unit, Result] = {}
        self._running: set[Unit] = set()
        self._spent: set[int] = set()  # slices whose output was released, since nobody needed it any more
        self._taken: set[Unit] = set()  # units whose rows have left for the client
        self._made_by: dict[Part, Unit] = {}
        self._written: dict[Unit, tuple[NewFile, ...]] = {}  # stays when the parts are released

    # What there is

    def units(self, number: int) -> list[Unit]:
        shares = range(self._width) if self._slices[number].where is Where.EVERY else range(1)
        return [(number, share) for share in shares]

    @property
    def complete(self) -> bool:
        return all(self._available(self._motions[motion].sender) for motion in self._root_inputs)

    def has(self, units: Iterable[Unit]) -> bool:
        """Is the output of all of them there, or with the client?"""
        return all(unit in self._outputs or unit in self._taken for unit in units)

    def ready(self, unit: Unit) -> bool:
        """Are all its inputs there?"""
        return all(map(self._available, self._senders[unit[0]]))

    def parts(self, motion: int, share: int | None = None) -> tuple[Part, ...]:
        """The parts of a complete motion, in the order of the senders' shares; only those for one share."""
        units = self.units(self._motions[motion].sender)
        parts = (part for unit in units if unit in self._outputs for part in self._outputs[unit].parts)
        return tuple(part for part in parts if share is None or part.target == share)

    def parts_of(self, unit: Unit) -> tuple[Part, ...]:
        return self._outputs[unit].parts

    def inputs(self, unit: Unit) -> Iterator[tuple[int, tuple[Part, ...]]]:
        """(motion, parts) that the unit reads. One segment alone reads all of what comes; of those that share the work,
        each its target of a Redistribute, all of a Broadcast, and the first what was gathered."""
        slice_ = self._slices[unit[0]]
        for number in slice_.inputs:
            kind = self._motions[number].kind
            if slice_.where is Where.ONE or kind is MotionKind.BROADCAST:
                yield number, self.parts(number)
            elif kind is MotionKind.REDISTRIBUTE:
                yield number, self.parts(number, unit[1])
            else:
                yield number, self.parts(number) if unit[1] == 0 else ()

    def written(self, unit: Unit) -> tuple[NewFile, ...]:
        """The files of its last successful attempt, if that still counts."""
        return self._written.get(unit, ())

    def _available(self, number: int) -> bool:
        return self.has(self.units(number))

    # What happens

    def due(self) -> list[Unit]:
        """Units to start now. Those that have nothing to read are done at once."""
        while True:
            found: list[Unit] = []
            for motion in self._root_inputs:
                self._demand(self._motions[motion].sender, found)
            idle = [unit for unit in dict.fromkeys(found) if self._has_nothing(unit)]
            if not idle:
                return list(dict.fromkeys(found))
            for unit in idle:
                self._keep(unit, NOTHING)

    def _demand(self, number: int, found: list[Unit]) -> None:
        missing = [unit for unit in self.units(number) if unit not in self._outputs and unit not in self._taken]
        if not missing:
            return
        self._spent.discard(number)
        senders = self._senders[number]
        if all(map(self._available, senders)):
            found += [unit for unit in missing if unit not in self._running]
        elif any(unit not in self._running for unit in missing):
            for sender in senders:
                self._demand(sender, found)

    def _has_nothing(self, unit: Unit) -> bool:
        """At least one share of a slice always runs: an aggregate of nothing is a row too."""
        if unit[1] == 0 or self._slices[unit[0]].where is Where.ONE or not self._idle(unit):
            return False
        kinds = {number: self._motions[number].kind for number in self._slices[unit[0]].inputs}
        return not any(parts for number, parts in self.inputs(unit) if kinds[number] is MotionKind.REDISTRIBUTE)

    def start(self, unit: Unit) -> None:
        self._running.add(unit)

    def finish(self, unit: Unit, result: Result) -> list[Part]:
        """Returns the parts that nobody needs any more."""
        self._running.discard(unit)
        self._keep(unit, result)
        return self._release_spent()

    def _keep(self, unit: Unit, result: Result) -> None:
        self._outputs[unit] = result
        self._written[unit] = result.files
        self._made_by.update(dict.fromkeys(result.parts, unit))

    def stopped(self, unit: Unit) -> None:
        """Its attempt has ended without output."""
        self._running.discard(unit)

    def take(self, unit: Unit) -> list[Part]:
        """Its rows are on their way to the client: it will not run again. Returns its parts."""
        self._taken.add(unit)
        return self._drop(unit)

    def lost(self, parts: Sequence[Part]) -> Changes:
        """The parts are gone; units that made them become due again if somebody needs them."""
        changes = Changes()
        gone = set(parts)
        for unit in self.makers(parts):
            changes.release += [part for part in self._drop(unit) if part not in gone]
            self._made_again(unit[0], changes)
        # What was released long ago may be needed again for this; other rows then disturb what was made of them.
        while again := self._wanted_again():
            for number in again:
                self._spent.discard(number)
                self._made_again(number, changes)
        return changes

    def knows(self, part: Part) -> bool:
        return part in self._made_by

    def makers(self, parts: Sequence[Part]) -> set[Unit]:
        return {self._made_by[part] for part in parts if part in self._made_by}

    @property
    def passed_on(self) -> bool:
        """Has the client got rows already?"""
        return bool(self._taken)

    # Losses

    def _made_again(self, number: int, changes: Changes) -> None:
        if number not in self._stable:
            for consumer in self._consumers(number):
                self._disturb(consumer, changes)

    def _disturb(self, number: int, changes: Changes) -> None:
        """The slice was made, or is being made, of rows that are no longer true."""
        self._spent.discard(number)
        for unit in self.units(number):
            if unit in self._running:
                changes.stop.add(unit)
                self._running.discard(unit)
            changes.release += self._drop(unit)
        for consumer in self._consumers(number):
            self._disturb(consumer, changes)

    def _wanted_again(self) -> set[int]:
        """Slices whose output was released and is needed again, for units that have to run."""
        again: set[int] = set()

        def look(number: int) -> None:
            if any(unit not in self._outputs and unit not in self._taken for unit in self.units(number)):
                for sender in self._senders[number]:
                    if sender in self._spent:
                        again.add(sender)
                    look(sender)

        for motion in self._root_inputs:
            look(self._motions[motion].sender)
        return again

    def _drop(self, unit: Unit) -> list[Part]:
        result = self._outputs.pop(unit, NOTHING)
        for part in result.parts:
            self._made_by.pop(part, None)
        return list(result.parts)

    def _release_spent(self) -> list[Part]:
        """The parts of slices whose consumers have all finished. What the root reads is the root's to release."""
        released: list[Part] = []
        kept = {self._motions[motion].sender for motion in self._root_inputs}
        for number in self._slices:
            if number in kept or number in self._spent or not self._available(number):
                continue
            consumers = self._consumers(number)
            if consumers and all(c in self._spent or self._available(c) for c in consumers):
                self._spent.add(number)
                for unit in self.units(number):
                    released += self._drop(unit)
        return released

    def everything(self) -> list[Part]:
        """All parts that are left, for the end of the statement."""
        return [part for unit in list(self._outputs) for part in self._drop(unit)]

    def _consumers(self, number: int) -> list[int]:
        return [consumer for consumer, senders in self._senders.items() if number in senders]
