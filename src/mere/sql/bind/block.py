"""A bound query whose select list is still open, so that a set operation or an INSERT may coerce its columns.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.sql.bind.bound import OutputNames
from mere.sql.bind.scope import column_sql, quoted, refer
from mere.sql.expressions import Typed

ColumnOf = tuple[str, str]  # (alias in FROM, column)


@dataclass(slots=True)
class Output:
    """One column of a query: PostgreSQL's name, its expression and type, and where it comes from."""

    name: str
    typed: Typed
    origin: tuple[int, int] = (0, 0)
    alias: str = ""


@dataclass(slots=True)
class Block:
    """`tree` is a SELECT without its list, or (`closed`) a whole query whose columns the outputs name.

    `wrapper` is the alias under which a closed query would stand inside another. `lineage` says, after `close`, of
    which columns in its FROM an output (by alias) is made, so that a filter on it is a filter on them.
    """

    tree: exp.Expression
    outputs: list[Output]
    closed: bool = False
    wrapper: str = ""
    marks: int = 0
    correlated: bool = False
    extra: list[tuple[exp.Expression, str]] = field(default_factory=list)  # columns behind the outputs
    lineage: dict[str, list[ColumnOf]] = field(default_factory=dict)

    @property
    def typed(self) -> list[Typed]:
        return [output.typed for output in self.outputs]

    def coerce(self, coerced: Sequence[Typed]) -> None:
        """Gives the outputs other expressions: in the list itself, or around a query that is closed."""
        changed = [new.sql != output.typed.sql for new, output in zip(coerced, self.outputs, strict=True)]
        if self.closed and any(changed):
            inner = exp.Subquery(this=self.tree, alias=exp.TableAlias(this=quoted(self.wrapper)))
            self.tree = exp.Select(from_=exp.From(this=inner))
            self.closed = False
        for new, output in zip(coerced, self.outputs, strict=True):
            output.typed = new

    def close(self) -> exp.Expression:
        """The whole query, every column under a name that is unique in it."""
        if self.closed:
            return self.tree
        names = OutputNames()
        projections: list[exp.Expression] = []
        for output in self.outputs:
            output.alias = names.unique(output.name)
            projections.append(exp.Alias(this=output.typed.sql, alias=quoted(output.alias)))
        for sql, alias in self.extra:
            projections.append(exp.Alias(this=sql, alias=quoted(alias)))
        self.lineage = _lineage(self.tree, self.outputs)
        if not projections:
            projections.append(exp.Alias(this=exp.Null(), alias=quoted("mere_nothing")))
        self.tree.set("expressions", projections)
        self.closed = True
        return self.tree

    def references(self, alias: str) -> list[tuple[str, Typed]]:
        """After `close`: each output as a column of this query standing under `alias`."""
        return [(output.name, refer(output.typed, column_sql(alias, output.alias))) for output in self.outputs]


def _lineage(tree: exp.Expression, outputs: Sequence[Output]) -> dict[str, list[ColumnOf]]:
    """Empty where a filter above the query would not mean the same below it."""
    distinct, group = tree.args.get("distinct"), tree.args.get("group")
    if any(tree.args.get(key) for key in ("limit", "offset", "qualify")):
        return {}
    if distinct is not None and distinct.args.get("on") is not None:
        return {}
    if group is not None and any(
        isinstance(item, exp.Rollup | exp.Cube | exp.GroupingSets) for item in group.expressions
    ):
        return {}
    if any(output.typed.contains_window for output in outputs):
        return {}
    found: dict[str, list[ColumnOf]] = {}
    for output in outputs:
        sql = output.typed.sql
        if isinstance(sql, exp.Column) and isinstance(sql.args.get("table"), exp.Identifier):
            found[output.alias] = [(str(sql.args["table"].this), str(sql.this.this))]
    return found
