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

    `wrapper` is the alias under which a closed query would stand inside another.
    """

    tree: exp.Expression
    outputs: list[Output]
    closed: bool = False
    wrapper: str = ""
    marks: int = 0
    correlated: bool = False
    extra: list[tuple[exp.Expression, str]] = field(default_factory=list)  # columns behind the outputs

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
        if not projections:
            projections.append(exp.Alias(this=exp.Null(), alias=quoted("mere_nothing")))
        self.tree.set("expressions", projections)
        self.closed = True
        return self.tree

    def references(self, alias: str) -> list[tuple[str, Typed]]:
        """After `close`: each output as a column of this query standing under `alias`."""
        return [(output.name, refer(output.typed, column_sql(alias, output.alias))) for output in self.outputs]
