"""Cuts a SELECT in two: an inner query that carries columns, and the clauses above it rewritten over them.

Owns the rewriting; the rules say which expressions are carried. Coordinator process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlglot import exp

from mere.plan.above.calls import QUERY
from mere.plan.builder import motions_in
from mere.plan.columns import every
from mere.plan.local import Local
from mere.plan.nodes import motion_table

Replace = Callable[[exp.Expression], exp.Expression | None]
BELOW = ("from_", "joins", "laterals", "where")  # the clauses that a Joined has already placed


def quoted(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def column(name: str, table: str | None = None) -> exp.Column:
    return exp.Column(this=quoted(name), table=None if table is None else quoted(table))


def aliased(node: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=node.copy(), alias=quoted(name))


class Carried:
    """The columns of an inner query that stands under `alias`: each expression once, named in order."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._names: dict[exp.Expression, str] = {}

    def add(self, node: exp.Expression, prefix: str = "mere_c") -> exp.Column:
        if node not in self._names:
            self._names[node.copy()] = f"{prefix}{len(self._names)}"
        return self.reference(node)

    def __contains__(self, node: exp.Expression) -> bool:
        return node in self._names

    def reference(self, node: exp.Expression) -> exp.Column:
        return column(self._names[node], self.alias)

    def replace(self, node: exp.Expression) -> exp.Expression | None:
        return self.reference(node) if node in self else None

    def name(self, node: exp.Expression) -> str:
        return self._names[node]

    @property
    def items(self) -> list[tuple[exp.Expression, str]]:
        return list(self._names.items())

    def projections(self) -> list[exp.Expression]:
        if not self._names:
            return [aliased(exp.Literal.number(1), "mere_nothing")]
        return [aliased(node, name) for node, name in self._names.items()]


def below(select: exp.Select, projections: Sequence[exp.Expression], *more: str) -> exp.Select:
    """The FROM and WHERE of a select, and the clauses named in `more`, with another select list."""
    made = exp.Select(expressions=list(projections))
    for key in (*BELOW, *more):
        value = select.args.get(key)
        if value:
            made.set(key, [item.copy() for item in value] if isinstance(value, list) else value.copy())
    return made


def above(select: exp.Select, source: exp.From, replace: Replace, *, without: Iterable[str] = ()) -> exp.Select:
    """The clauses of a select above its groups, over `source`."""
    made = exp.Select(expressions=[rewritten(item, replace) for item in select.expressions], from_=source)
    for key in ("having", "qualify", "distinct", "order", "limit", "offset"):
        clause = select.args.get(key)
        if clause is not None and key not in without:
            made.set(key, rewritten(clause, replace))
    return made


def rewritten(node: exp.Expression, replace: Replace) -> exp.Expression:
    """A copy in which `replace`, asked from the outside in, has put other expressions; nested queries stay."""

    def visit(part: exp.Expression) -> exp.Expression:
        found = replace(part)
        if found is not None:
            return found
        return part.copy() if isinstance(part, QUERY) else part

    return node.transform(visit)


def source_of(local: Local, alias: str) -> exp.From:
    """A local as the FROM of a query: a motion is named as it is."""
    numbers = motions_in(local.tree)
    if len(numbers) == 1 and _passes_on(local.tree, motion_table(numbers[0])):
        table = exp.to_table(motion_table(numbers[0]))
        table.set("alias", exp.TableAlias(this=quoted(alias)))
        return exp.From(this=table)
    return exp.From(this=exp.Subquery(this=local.tree.copy(), alias=exp.TableAlias(this=quoted(alias))))


def _passes_on(tree: exp.Expression, table: str) -> bool:
    if not isinstance(tree, exp.Select) or any(value for key, value in tree.args.items() if key not in _SIMPLE):
        return False
    source = tree.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table) or source.this.name != table:
        return False
    return all(isinstance(item, exp.Alias) and column(item.alias) == item.this for item in tree.expressions)


_SIMPLE = ("expressions", "from_", "kind")


# Nested queries


def sources(select: exp.Select) -> frozenset[str]:
    """The names under which the FROM of a select shows its columns (and those inside it, which nobody else uses)."""
    return frozenset(_sources(select))


def _sources(select: exp.Select) -> Iterator[str]:
    for key in ("from_", "joins", "laterals"):
        value = select.args.get(key)
        for part in value if isinstance(value, list) else [value] if value else []:
            for node in every(part, exp.Table, exp.Subquery, exp.UDTF, exp.Lateral):
                yield node.alias_or_name


def nested_query(node: exp.Expression) -> exp.Expression | None:
    """The query over which `node` is a whole expression: a scalar subquery, EXISTS, IN, or a comparison with ANY."""
    if isinstance(node, QUERY):
        return node
    inner: object = None
    if isinstance(node, exp.Exists):
        inner = node.this
    elif isinstance(node, exp.In):
        inner = node.args.get("query")
    elif isinstance(node, exp.Binary) and isinstance(node.expression, exp.Any | exp.All):
        inner = node.expression.this
    return inner if isinstance(inner, QUERY) else None


def correlated(node: exp.Expression, names: frozenset[str]) -> bool:
    """Whether a nested query reads columns of the tables in `names`."""
    query = nested_query(node)
    if query is None:
        return False
    inner = {found.alias_or_name for found in every(query, exp.Table, exp.Subquery, exp.UDTF, exp.Lateral)}
    return any(found.table in names and found.table not in inner for found in every(query, exp.Column))
