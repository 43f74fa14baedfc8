"""UPDATE: a query that gives each row to change with its place and all its new values.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from mere.sql.bind.assignment import Assignment, bind_assignments
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.bound import BoundUpdate, DefaultColumn
from mere.sql.bind.changed_rows import changed_rows, identity, returning_apart
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.finish import finish
from mere.sql.bind.from_clause import bind_from_list
from mere.sql.bind.scope import Level, RangeItem, Scope, column_sql
from mere.sql.bind.target import (
    Extras,
    TargetTable,
    bind_checks,
    find_target,
    null_of,
    require_lake,
    returning_scope,
    target_scan,
)
from mere.sql.bind.with_clause import attach, bind_with
from mere.sql.expressions.typed import stored_column


def bind_update(binding: Binding, node: exp.Update) -> BoundUpdate:
    tables = bind_with(binding, node, None, binding.frame())
    target = find_target(binding, tables.frame, node.this)
    require_lake(target, "UPDATE")
    scope = Scope(Level(), None, tables.frame)
    scan = target_scan(binding, target)
    scan.builder.whole = True
    clause = node.args.get("from_")
    others = bind_from_list(binding, [clause.this], [], scope) if clause is not None else None
    select = changed_rows(binding, scan, others, node.args.get("where"), scope)
    assignments = bind_assignments(ScopeEnvironment(binding, scope), target, node.expressions)
    changed = tuple(assignment.column for assignment in assignments)
    target.check("UPDATE", changed)
    outputs, defaults = _new_row(target, scan.item, assignments)
    block = Block(select, [*identity(scan.item.emitted), *outputs], marks=scope.level.marks)
    extras, returning = Extras(), None
    if node.args.get("returning") is not None:
        members = others.namespace.items if others is not None else []
        seen = returning_scope(binding, target, scan.access, scan.item, members, extras, tables.frame)
        returning = returning_apart(binding, node.args["returning"], seen)
    checks = bind_checks(binding, target.relation)
    block.extra = [(sql, name) for name, sql in extras.found.items()]
    attach(block, tables)
    bound = finish(binding, block)
    binding.check_privileges()
    return BoundUpdate(target.relation, bound, changed, tuple(defaults), checks, returning, binding.rule_constants)


def _new_row(
    target: TargetTable, item: RangeItem, assignments: Sequence[Assignment]
) -> tuple[list[Output], list[DefaultColumn]]:
    """Every column of the table: the new value, or the old one as it is."""
    values = {assignment.column.attnum: assignment.value for assignment in assignments}
    outputs: list[Output] = []
    defaults: list[DefaultColumn] = []
    for column in target.relation.columns:
        value = values.get(column.attnum)
        if isinstance(value, DefaultColumn):
            defaults.append(value)
            value = null_of(column)
        sql = column_sql(item.emitted, column.name) if value is None else value
        outputs.append(Output(column.name, stored_column(sql, column.type)))
    return outputs, defaults
