"""The search for the order in which the units of a FROM are joined, and for what moves at each step.

Left-deep: rows joined so far meet one unit after another. At each step either side may stay, be redistributed by
columns of the join, or be broadcast; sides.py says which of these are right. What moves counts, since within a slice
the engine orders the joins itself. A unit that is small or filtered is met early because it makes what moves later
small: so a block is cut where that is cheap. Costs are bytes. Coordinator process; no SQL is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from mere.plan import sides
from mere.plan.columns import Ref
from mere.plan.group import Known
from mere.plan.local import Hash, Place, Spread
from mere.plan.schemes import common, hash_scheme, meets, scheme_types
from mere.plan.sides import Pair, name
from mere.plan.units import FILTER, JOIN, LATERAL, LEFT, Operand, Unit

_MOTION = 300_000.0  # what starting one more stage is worth
_ROW = 12.0  # what a row costs beside its values
_EXHAUSTIVE = 6
_BEAM = 4
_KEPT = 3

REPLICATED = Place(Spread.REPLICATED)


@dataclass(frozen=True, slots=True)
class Move:
    """`columns` and `scheme` of a redistribution; without them a broadcast."""

    columns: tuple[Ref, ...] = ()
    scheme: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Joining the unit to what came before: how either moves first. `before` is None for the first unit."""

    unit: int
    before: Step | None = None
    outer: Move | None = None
    moves: tuple[Move | None, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    mask: int
    place: Place
    cost: float
    step: Step


@dataclass(slots=True)
class Problem:
    """`rows(mask)` and `width(mask)` estimate the join of the units in the mask; `pairs(mask, unit)` are the equal
    columns (joined so far, unit's) of an inner join; `final(place)` is what a place costs the clauses above."""

    units: Sequence[Unit]
    known: Known
    segments: int
    rows: Callable[[int], float]
    width: Callable[[int], float]
    pairs: Callable[[int, int], list[Pair]]
    equal: Callable[[int, Ref], list[Ref]]
    linked: Callable[[int, int], bool]
    final: Callable[[Place, float], float]

    def aliases(self, mask: int) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for number, unit in enumerate(self.units):
            if mask >> number & 1:
                found |= unit.aliases
        return found


def search(problem: Problem) -> Step:
    """The cheapest sequence found."""
    full = (1 << len(problem.units)) - 1
    level = [
        State(1 << number, unit.group.place, 0.0, Step(number))
        for number, unit in enumerate(problem.units)
        if unit.kind == JOIN
    ]
    beam = _KEPT * 64 if len(problem.units) <= _EXHAUSTIVE else _BEAM
    for _ in range(len(problem.units) - 1):
        found: dict[int, list[State]] = {}
        for state in level:
            for number in _next(problem, state.mask):
                for extended in _extended(problem, state, number):
                    _keep(found.setdefault(extended.mask, []), extended)
        states = [state for states in found.values() for state in states]
        level = states if len(states) <= beam else _best(problem, states, beam)
    ranked = [
        (state.cost + problem.final(state.place, problem.rows(full)), place)
        for place, state in enumerate(level)
        if state.mask == full
    ]
    return level[min(ranked)[1]].step


def _best(problem: Problem, states: list[State], beam: int) -> list[State]:
    """The promising ones: cheap so far, and with little to carry on."""
    return sorted(states, key=lambda state: state.cost + 0.5 * _bytes(problem, state.mask))[:beam]


def _bytes(problem: Problem, mask: int) -> float:
    return problem.rows(mask) * (problem.width(mask) + _ROW)


def _keep(states: list[State], new: State) -> None:
    """The cheapest for each place, and no more than a few."""
    for place, old in enumerate(states):
        if old.place == new.place:
            if new.cost < old.cost:
                states[place] = new
            return
    states.append(new)
    if len(states) > _KEPT:
        states.remove(max(states, key=lambda state: state.cost))


def _next(problem: Problem, mask: int) -> list[int]:
    """The units that can be joined now; those without a condition only when nothing else is left."""
    there = problem.aliases(mask)
    open_ = [number for number, unit in enumerate(problem.units) if not mask >> number & 1 and unit.requires <= there]
    open_ = [number for number in open_ if not problem.units[number].is_value] or open_
    linked = [number for number in open_ if problem.units[number].kind != JOIN or problem.linked(mask, number)]
    return linked or open_


def _extended(problem: Problem, state: State, number: int) -> Iterator[State]:
    unit = problem.units[number]
    mask = state.mask | 1 << number
    pairs = [_pairs(problem, state.mask, number, operand) for operand in unit.operands]
    for outer, place, cost in _outer_moves(problem, state, unit, pairs):
        chosen: list[Move | None] = []
        result: Place | None = place
        for operand, own in zip(unit.operands, pairs, strict=True):
            best = _operand_move(problem, unit.kind, result, operand, own) if result is not None else None
            if best is None:
                result = None
                break
            move, result, price = best
            chosen.append(move)
            cost += price
        if result is not None:
            yield State(mask, result, state.cost + cost, Step(number, state.step, outer, tuple(chosen)))


def _pairs(problem: Problem, mask: int, number: int, operand: Operand) -> list[Pair]:
    """Equal columns of the rows so far and of the operand."""
    if problem.units[number].kind == JOIN:
        return problem.pairs(mask, number)
    found = []
    for outer, inner in operand.pairs or ():
        found += [(same, inner) for same in problem.equal(mask, outer)]
    return found


def _outer_moves(
    problem: Problem, state: State, unit: Unit, pairs: Sequence[Sequence[Pair]]
) -> Iterator[tuple[Move | None, Place, float]]:
    yield None, state.place, 0.0
    if any(one.is_value and state.mask >> number & 1 for number, one in enumerate(problem.units)):
        return  # the values are computed where the rows are in the end
    price = _bytes(problem, state.mask)
    partitioned = state.place.spread is not Spread.REPLICATED
    seen: dict[Move, None] = {}
    for operand, equal in zip(unit.operands, pairs, strict=True):
        if operand.group.place.spread is Spread.REPLICATED or (unit.kind != JOIN and operand.pairs is None):
            continue
        # Of equal columns rows that have moved may have kept only the one that a unit names.
        own = equal if unit.kind == JOIN else operand.pairs or ()
        moves = [*_by_hashes(operand.group.place, [(inner, outer) for outer, inner in own], problem.known)]
        seen |= dict.fromkeys([*moves, *_by_pairs(problem, own, outer=True)])
    for move in seen:
        if not partitioned and unit.kind == JOIN:
            continue
        yield move, _moved_to(move), _MOTION + price * _skew(problem, move) if partitioned else price * 0.1
    if unit.kind == JOIN and partitioned and unit.group.place.spread is not Spread.REPLICATED:
        yield Move(), REPLICATED, _MOTION + price * problem.segments


def _operand_move(
    problem: Problem, kind: str, place: Place, operand: Operand, pairs: Sequence[Pair]
) -> tuple[Move | None, Place, float] | None:
    """The cheapest way to bring the operand to where the others are, with the place of the result."""
    own = operand.group.place
    rows = operand.group.rows
    price = rows * (operand.width + _ROW)
    whole = kind != JOIN and operand.pairs is None
    best: tuple[Move | None, Place, float] | None = None
    if not (whole and own.spread is not Spread.REPLICATED):
        result = joined_place(kind, place, own, pairs)
        if result is not None:
            return None, result, 0.0
    if own.spread is Spread.REPLICATED:
        return None
    if not whole and place.spread is Spread.PARTITIONED:
        for move in _by_hashes(place, pairs, problem.known):
            result = joined_place(kind, place, _moved_to(move), pairs)
            cost = _MOTION + price * _skew(problem, move)
            if result is not None and (best is None or cost < best[2]):
                best = move, result, cost
    result = joined_place(kind, place, REPLICATED, pairs)
    cost = _MOTION + price * problem.segments
    if result is not None and (best is None or cost < best[2]):
        best = Move(), result, cost
    return best


def joined_place(kind: str, outer: Place, operand: Place, pairs: Sequence[Pair]) -> Place | None:
    if kind == JOIN:
        return sides.inner(outer, operand, pairs)
    if kind == LEFT:
        return sides.left(outer, operand, pairs)
    assert kind in (FILTER, LATERAL)
    return sides.nested(outer, operand, pairs)


def _moved_to(move: Move) -> Place:
    assert move.scheme is not None
    return Place(Spread.PARTITIONED, frozenset({Hash(tuple(name(ref) for ref in move.columns), move.scheme)}))


def _by_hashes(place: Place, pairs: Sequence[Pair], known: Known) -> Iterator[Move]:
    """Moves of the second side of the pairs that bring its rows to where the hashes of the first side's place say."""
    partners: dict[str, list[Ref]] = {}
    for ours, theirs in pairs:
        partners.setdefault(name(ours), []).append(theirs)
    for one in place.hashes:
        if not all(each in partners for each in one.columns):
            continue
        columns = []
        for each, scheme_type in zip(one.columns, scheme_types(one.scheme), strict=True):
            fitting = [ref for ref in partners[each] if meets(known.types.get(ref, ""), scheme_type)]
            columns += fitting[:1]
        if len(columns) == len(one.columns):
            yield Move(tuple(columns), one.scheme)


def _by_pairs(problem: Problem, pairs: Sequence[Pair], *, outer: bool) -> Iterator[Move]:
    """Redistribution of both sides by one pair of columns, those with the most values first."""
    ranked = []
    for ours, theirs in pairs:
        scheme_type = common([problem.known.types.get(ours, ""), problem.known.types.get(theirs, "?")])
        if scheme_type is not None and scheme_type != "?":
            ranked.append((-_values(problem, ours if outer else theirs), ours, scheme_type))
    ranked.sort(key=lambda entry: entry[0])
    for _, ours, scheme_type in ranked[:2]:
        yield Move((ours,), hash_scheme([scheme_type]))


def _values(problem: Problem, ref: Ref) -> float:
    found = problem.known.statistics.get(ref)
    return found.distinct if found is not None else 1000.0


def _skew(problem: Problem, move: Move) -> float:
    """Few values make uneven shares."""
    values = 1.0
    for ref in move.columns:
        values *= _values(problem, ref)
    return 1.0 if values >= 32 * problem.segments else 1.0 + 0.5 * problem.segments


def mapped(place: Place, classes: Sequence[Sequence[Ref]], known: Known, present: frozenset[str]) -> Place:
    """The place with every hash said for all columns that are equal to its own and there."""
    equal: dict[str, list[Ref]] = {}
    for members in classes:
        there = [ref for ref in members if ref[0] in present]
        for ref in there:
            equal[name(ref)] = there
    hashes = set(place.hashes)
    for one in place.hashes:
        types = scheme_types(one.scheme)
        for position, each in enumerate(one.columns):
            for other in equal.get(each, ()):
                if meets(known.types.get(other, ""), types[position]):
                    columns = (*one.columns[:position], name(other), *one.columns[position + 1 :])
                    hashes.add(replace(one, columns=columns))
    return Place(place.spread, frozenset(hashes))
