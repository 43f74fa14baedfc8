"""JOIN USING and NATURAL: which columns are merged, and into what.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.errors import UndefinedObject
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.scope import Namespace, RangeColumn, RangeItem, quoted, refer
from mere.sql.expressions import Typed, bind_expression, unify

_LEFT, _RIGHT = "mere_left", "mere_right"


def natural_names(left: Namespace, right: Namespace) -> list[str]:
    """The names that both sides show, in the left side's order."""
    shown = {column.name for column in right.columns}
    return list(dict.fromkeys(column.name for column in left.columns if column.name in shown))


def merge_columns(
    left: Namespace, right: Namespace, names: Sequence[str], side: str, environment: ScopeEnvironment
) -> tuple[Namespace, exp.Expression]:
    """The namespace after the join (merged columns first, as the star shows them) and the ON condition."""
    merged: list[RangeColumn] = []
    conditions: list[exp.Expression] = []
    for name in names:
        own, other = _only(left, name, "left"), _only(right, name, "right")
        conditions.append(_equality(own.read(), other.read(), environment))
        merged.append(_merged(name, own, other, side, environment))
    taken = set(names)
    rest = [column for column in left.columns + right.columns if column.name not in taken]
    condition = conditions[0]
    for other_condition in conditions[1:]:
        condition = exp.And(this=condition, expression=other_condition)
    return Namespace(left.items + right.items, merged + rest), condition


def _only(namespace: Namespace, name: str, which: str) -> RangeColumn:
    found = [column for column in namespace.columns if column.name == name]
    if not found:
        message = f'column "{name}" specified in USING clause does not exist in {which} table'
        raise UndefinedObject(message, sqlstate="42703")
    if len(found) > 1:
        message = f'common column name "{name}" appears more than once in {which} table'
        raise UndefinedObject(message, sqlstate="42702")
    return found[0]


def _pair(environment: ScopeEnvironment, left: Typed, right: Typed) -> ScopeEnvironment:
    """An environment that knows two columns only: the sides of one USING column."""
    columns = [RangeColumn(_LEFT, left), RangeColumn(_RIGHT, right)]
    scope = environment.scope.beside(Namespace([RangeItem("mere_using", columns)], columns))
    return ScopeEnvironment(environment.binding, scope)


def _equality(left: Typed, right: Typed, environment: ScopeEnvironment) -> exp.Expression:
    node = exp.EQ(this=exp.Column(this=quoted(_LEFT)), expression=exp.Column(this=quoted(_RIGHT)))
    return bind_expression(node, _pair(environment, left, right)).sql


def _merged(name: str, own: RangeColumn, other: RangeColumn, side: str, environment: ScopeEnvironment) -> RangeColumn:
    """buildMergedJoinVar(): the left column, the right one of a right join, COALESCE of a full one; of one type."""

    def used() -> None:
        for column in (own, other):
            if column.used is not None:
                column.used()

    left, right = own.typed, other.typed
    if side != "FULL" and left.type == right.type and left.decimal == right.decimal:
        chosen = other if side == "RIGHT" else own
        return RangeColumn(name, chosen.typed, used, chosen.origin)
    ours, theirs = unify([left, right], "JOIN/USING", environment)
    if side != "FULL":
        return RangeColumn(name, theirs if side == "RIGHT" else ours, used)
    sql = exp.Coalesce(this=ours.sql.copy(), expressions=[theirs.sql.copy()])
    return RangeColumn(name, refer(ours, sql), used)
