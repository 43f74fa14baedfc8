"""The smallest environment in which a value can be cast: the session's time zone, and no names. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import UndefinedObject
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import Subquery, Typed
from mere.sql.grammar.nodes import Call
from mere.sql.types import PgType


class SessionEnvironment:
    """Implements `sql.expressions.Environment` where nothing but literals and given values can occur."""

    def __init__(self, time_zone: str) -> None:
        self._time_zone = time_zone

    @property
    def time_zone(self) -> str:
        return self._time_zone

    def column(self, node: exp.Column) -> Typed:
        raise UndefinedObject(f'column "{node.name}" does not exist', sqlstate="42703")

    def whole_row(self, node: exp.Column | exp.Identifier) -> tuple[Typed, ...] | None:
        return None

    def subquery(self, node: exp.Expression) -> Subquery:
        raise UndefinedObject("no query can stand here", sqlstate="42601")

    def parameter(self, number: int) -> Typed:
        raise UndefinedObject(f"there is no parameter ${number}", sqlstate="42P02")

    def constant(self, sql: str, type: PgType) -> Typed:
        raise UndefinedObject(f"{sql} cannot stand here", sqlstate="42601")

    def call(self, context: Context, node: Call) -> Typed | None:
        return None

    def written(self, node: exp.Expression) -> exp.Expression:
        return node

    def once(self, sql: str, type: PgType) -> Typed | None:
        return None

    def window(self, name: str) -> exp.Window | None:
        return None
