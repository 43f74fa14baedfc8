"""What GROUP BY, HAVING and the aggregates of a SELECT say. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.plan.above.calls import QUERY, Call, bare, call_of, clauses_above, column_text, is_grouping, own_nodes
from mere.plan.above.carry import Replace, correlated, nested_query, sources
from mere.plan.columns import every
from mere.plan.undivided import Undivided

Sets = list[tuple[exp.Expression, ...]]


@dataclass(slots=True)
class Grouping:
    """`keys` are all grouping expressions, each once; `sets` the grouping sets, one of all keys for a plain GROUP BY.

    `subqueries` are correlated ones above the groups: they depend on the keys, so any row of a group gives their value.
    """

    keys: list[exp.Expression]
    sets: Sets
    explicit: bool
    names: frozenset[str]
    calls: dict[exp.Expression, Call] = field(default_factory=dict)
    subqueries: dict[exp.Expression, Call] = field(default_factory=dict)

    def common(self) -> list[exp.Expression]:
        """The keys that are in every set."""
        return [key for key in self.keys if all(key in members for members in self.sets)]

    def replacing(
        self, key: Callable[[exp.Expression], exp.Expression], finals: Mapping[exp.Expression, exp.Expression]
    ) -> Replace:
        """Puts columns for keys and merged values for aggregates, in clauses above the groups."""

        def replace(node: exp.Expression) -> exp.Expression | None:
            if node in self.keys:
                return key(node)
            if node in finals and (node in self.subqueries or call_of(node) is not None):
                return finals[node].copy()
            if isinstance(node, exp.Column) and node.table in self.names:
                raise Undivided(f"column {node.name} outside of groups")
            return None

        return replace

    def visit(self, node: exp.Expression) -> None:
        if node in self.keys or is_grouping(node):
            return
        if (call := call_of(node)) is not None:
            self.calls.setdefault(node, call)
            return
        if nested_query(node) is not None:
            if correlated(node, self.names):
                self._note(node)
                return
            if isinstance(node, (exp.Exists, *QUERY)):
                return
        for child in node.iter_expressions():
            if isinstance(child, exp.Expression):
                self.visit(child)

    def _note(self, node: exp.Expression) -> None:
        query = nested_query(node)
        assert query is not None
        above = any(call_of(part) is not None for part in own_nodes(node) if part is not node)
        if above or self.explicit or any(self._is_ours(part) for part in every(query, exp.Expression)):
            raise Undivided("a correlated subquery above groups")
        self.subqueries.setdefault(node, Call(node, "any_value", (node,), False, (), None))

    def _is_ours(self, node: exp.Expression) -> bool:
        """An aggregate in a nested query over nothing but our columns is computed here, not there."""
        if call_of(node) is None:
            return False
        tables = {column.table for column in every(node, exp.Column)}
        return bool(tables) and tables <= self.names


def read_grouping(select: exp.Select) -> Grouping | None:
    """None for a SELECT that groups nothing."""
    group = select.args.get("group")
    aggregates = any(call_of(node) is not None for clause in clauses_above(select) for node in own_nodes(clause))
    if group is None and select.args.get("having") is None and not aggregates:
        return None
    items = [] if group is None else list(group.expressions)
    for key in ("rollup", "cube", "grouping_sets"):
        items += (group.args.get(key) or []) if group is not None else []
    sets: Sets = [()]
    for item in items:
        sets = [(*known, *more) for known in sets for more in _sets_of(item)]
    sets = [_unique(members) for members in sets]
    explicit = any(isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets) for item in items)
    keys = _unique(key for members in sets for key in members)
    return Grouping(list(keys), sets, explicit, sources(select))


def _unique(keys: Iterable[exp.Expression]) -> tuple[exp.Expression, ...]:
    return tuple(dict.fromkeys(keys))


def _sets_of(item: exp.Expression) -> Sets:
    if isinstance(item, exp.Rollup):
        members = [_members(part) for part in item.expressions]
        return [_flat(members[:count]) for count in range(len(members), -1, -1)]
    if isinstance(item, exp.Cube):
        members = [_members(part) for part in item.expressions]
        masks = range(2 ** len(members) - 1, -1, -1)
        return [_flat([part for place, part in enumerate(members) if mask >> place & 1]) for mask in masks]
    if isinstance(item, exp.GroupingSets):
        sets: Sets = []
        for part in item.expressions:
            nested = isinstance(part, exp.Rollup | exp.Cube | exp.GroupingSets)
            sets += _sets_of(part) if nested else [_members(part)]
        return sets
    return [(item,)]


def _members(part: exp.Expression) -> tuple[exp.Expression, ...]:
    return tuple(part.expressions) if isinstance(part, exp.Tuple) else (part,)


def _flat(members: Sequence[tuple[exp.Expression, ...]]) -> tuple[exp.Expression, ...]:
    return tuple(key for part in members for key in part)


def plain_columns(nodes: Iterable[exp.Expression]) -> frozenset[str]:
    """Those of the expressions that are columns, as places name them."""
    return frozenset(name for name in (column_text(bare(node)) for node in nodes) if name is not None)
