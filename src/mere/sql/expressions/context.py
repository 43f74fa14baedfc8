"""One binding pass: the environment, and the table of handlers by syntax node. Coordinator process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.dialect import Mere
from mere.sql.expressions.typed import Environment, Typed

Handler = Callable[["Context", exp.Expression], Typed]


class Context:
    """Binds nodes with one environment. `source` of a Typed stays the node, for what PostgreSQL must evaluate."""

    __slots__ = ("env", "in_aggregate", "in_window")

    def __init__(self, env: Environment) -> None:
        self.env = env
        self.in_aggregate = False
        self.in_window = False

    def bind(self, node: exp.Expression) -> Typed:
        handler = HANDLERS.get(type(node))
        if handler is None:
            raise FeatureNotSupported(f"{type(node).__name__} expressions are not supported")
        return handler(self, node)

    def bind_all(self, nodes: list[exp.Expression]) -> list[Typed]:
        return [self.bind(node) for node in nodes]

    def postgres_text(self, node: exp.Expression) -> str:
        """The node as PostgreSQL's own text, for what PostgreSQL evaluates."""
        return self.env.written(node).sql(dialect=Mere)

    @property
    def wide_decimals(self) -> bool:
        """A first attempt overflowed 18 digits: carry products and sums of decimals in 38."""
        return bool(getattr(self.env, "wide_decimals", False))


HANDLERS: dict[type[exp.Expression], Handler] = {}


def handles(*kinds: type[exp.Expression]) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for kind in kinds:
            HANDLERS[kind] = handler
        return handler

    return register


def marks_of(parts: list[Typed] | tuple[Typed, ...]) -> int:
    marks = 0
    for part in parts:
        marks |= part.marks
    return marks


def retype(typed: Typed, sql: exp.Expression) -> Typed:
    return replace(typed, sql=sql)
