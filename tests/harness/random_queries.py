"""Random SELECTs over the binder's tables: joins of every kind, subqueries, grouping and set operations, many NULLs.

Every query is one that PostgreSQL accepts nearly always; what it refuses is skipped by the test.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

Column = tuple[str, str]  # (name, 'i' for numbers or 's' for text)

TABLES: dict[str, tuple[Column, ...]] = {
    "t": (("a", "i"), ("b", "s"), ("c", "i")),
    "u": (("a", "i"), ("d", "i")),
    "w": (("a", "i"), ("e", "i")),
    "big": (("a", "i"), ("f", "s")),
    "v": (("p", "i"), ("q", "i")),
    "vagg": (("b", "s"), ("n", "i"), ("s", "i")),
    "sv": (("k", "i"), ("label", "s"), ("twice", "i")),
}
_SET_OPERATORS = ("union", "union all", "intersect", "except", "except all")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of FROM and its columns by their own names."""

    sql: str
    alias: str
    columns: tuple[Column, ...]

    @property
    def qualified(self) -> list[Column]:
        return [(f"{self.alias}.{name}", kind) for name, kind in self.columns]


class QueryMaker:
    """Makes queries from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._aliases = 0

    def query(self) -> str:
        self._aliases = 0
        return self._query(self._random.choice((1, 2, 2)), [])[0]

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, items: Sequence[str]) -> str:
        return self._random.choice(items)

    def _member(self, depth: int) -> Member:
        self._aliases += 1
        alias = f"x{self._aliases}"
        if depth <= 0 or self._chance(0.65):
            name = self._pick(list(TABLES))
            return Member(f"{name} {alias}", alias, TABLES[name])
        if self._chance(0.6):
            sql, columns = self._query(depth - 1, [])
            return Member(f"({sql}) {alias}", alias, tuple(columns))
        rows = [f"({self._pick('123')}, {self._pick(('null', '10', '3'))})" for _ in range(2)]
        return Member(f"(values {', '.join(rows)}) {alias} (a, z)", alias, (("a", "i"), ("z", "i")))

    def _from(self, depth: int) -> tuple[str, list[Column]]:
        first = self._member(depth)
        sql, shown, bare = first.sql, first.qualified, [name for name, _ in first.columns]
        for _ in range(self._random.choice((0, 0, 1, 1, 2, 3))):
            other = self._member(depth)
            side = self._pick(("", "left ", "right ", "full "))
            names = [
                name for name, kind in other.columns if kind == "i" and name in ("a", "k0") and bare.count(name) == 1
            ]
            merges = names and all((f"x{number}.{names[0]}", "s") not in shown for number in range(self._aliases))
            if merges and len(set(bare)) == len(bare) and self._chance(0.4):
                sql += f" {side}join {other.sql} using ({names[0]})"
                bare += [name for name, _ in other.columns if name != names[0]]
            elif self._chance(0.15):
                sql += f" cross join {other.sql}"
                bare += [name for name, _ in other.columns]
            else:
                sql += f" {side}join {other.sql} on {self._join_condition(shown, other, side)}"
                bare += [name for name, _ in other.columns]
            shown = shown + other.qualified
        return sql, shown

    def _join_condition(self, shown: list[Column], other: Member, side: str) -> str:
        left, right = _numbers(shown), _numbers(other.qualified)
        if not left or not right:
            return "true"
        more = f" and {self._condition(shown + other.qualified, 0)}" if side != "full " and self._chance(0.3) else ""
        return f"{self._pick(left)} = {self._pick(right)}{more}"

    def _condition(self, columns: list[Column], depth: int) -> str:
        numbers, texts = _numbers(columns), [name for name, kind in columns if kind == "s"]
        if depth > 0 and self._chance(0.25):
            left, right = self._condition(columns, depth - 1), self._condition(columns, depth - 1)
            return f"({left} {self._pick(('and', 'or'))} {right})"
        if depth > 0 and self._chance(0.1):
            return f"not ({self._condition(columns, depth - 1)})"
        if depth > 0 and numbers and self._chance(0.2):
            test = self._pick(("in", "not in", "= any", "> all"))
            return f"{self._pick(numbers)} {test} ({self._query(depth - 1, columns, single=True)[0]})"
        if depth > 0 and self._chance(0.15):
            return f"{self._pick(('', 'not '))}exists ({self._query(depth - 1, columns)[0]})"
        if texts and self._chance(0.2):
            return f"{self._pick(texts)} {self._pick(('=', '<', '<>'))} 'one'"
        if not numbers:
            return "true"
        if self._chance(0.2):
            return f"{self._pick(numbers)} is {self._pick(('', 'not '))}null"
        if self._chance(0.4):
            test = self._pick(("=", "<", ">=", "<>", "is distinct from"))
            return f"{self._pick(numbers)} {test} {self._pick(numbers)}"
        return (
            f"{self._pick(numbers)} {self._pick(('=', '<', '>', '<=', '>='))} {self._pick(('0', '1', '2', '3', '10'))}"
        )

    def _query(self, depth: int, outer: list[Column], single: bool = False) -> tuple[str, list[Column]]:
        """`outer` are columns that the query may read from around it; `single` asks for one number."""
        if depth > 0 and self._chance(0.12):
            left, columns = self._query(depth - 1, [], single=True)
            right, _ = self._query(depth - 1, [], single=True)
            return f"({left}) {self._pick(_SET_OPERATORS)} ({right})", columns
        source, shown = self._from(depth)
        where = f" where {self._condition(shown + outer, depth)}" if self._chance(0.7) else ""
        numbers = _numbers(shown) or ["1"]
        if single:
            return f"select {self._pick(numbers)} as k0 from {source}{where}", [("k0", "i")]
        if self._chance(0.25):
            return self._grouped(source + where, shown, numbers)
        chosen = self._random.sample(shown, min(len(shown), self._random.choice((1, 2, 3))))
        listed = ", ".join(f"{name} as k{place}" for place, (name, _) in enumerate(chosen))
        columns = [(f"k{place}", kind) for place, (_, kind) in enumerate(chosen)]
        if depth > 0 and self._chance(0.2):
            inner, _ = self._query(depth - 1, shown + outer, single=True)
            listed += f", (select max(z.k0)::int from ({inner}) z) as m"
            columns.append(("m", "i"))
            return f"select {listed} from {source}{where}", columns
        distinct = "distinct " if self._chance(0.2) else ""
        return f"select {distinct}{listed} from {source}{where}", columns

    def _grouped(self, source: str, shown: list[Column], numbers: list[str]) -> tuple[str, list[Column]]:
        keys = self._random.sample(shown, min(len(shown), self._random.choice((1, 1, 2))))
        grouping = ", ".join(name for name, _ in keys)
        if self._chance(0.25):
            grouping = f"{self._pick(('rollup', 'cube'))} ({grouping})"
        having = f" having count(*) {self._pick(('>', '<='))} {self._pick('012')}" if self._chance(0.3) else ""
        listed = ", ".join(f"{name} as g{place}" for place, (name, _) in enumerate(keys))
        columns = [(f"g{place}", kind) for place, (_, kind) in enumerate(keys)]
        aggregates = f"count(*)::int as n, sum({self._pick(numbers)})::int as s"
        sql = f"select {listed}, {aggregates} from {source} group by {grouping}{having}"
        return sql, [*columns, ("n", "i"), ("s", "i")]


def _numbers(columns: Sequence[Column]) -> list[str]:
    return [name for name, kind in columns if kind == "i"]
