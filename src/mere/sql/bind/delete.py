"""DELETE: a query that gives the place of each row to delete.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.bound import BoundDelete
from mere.sql.bind.changed_rows import changed_rows, identity, returning_apart
from mere.sql.bind.finish import finish
from mere.sql.bind.from_clause import bind_from_list
from mere.sql.bind.scope import Level, RangeItem, Scope, column_sql
from mere.sql.bind.target import (
    Extras,
    find_target,
    require_lake,
    returning_scope,
    target_scan,
)
from mere.sql.bind.with_clause import attach, bind_with
from mere.sql.expressions.typed import stored_column


def bind_delete(binding: Binding, node: exp.Delete) -> BoundDelete:
    tables = bind_with(binding, node, None, binding.frame())
    target = find_target(binding, tables.frame, node.this)
    require_lake(target, "DELETE")
    target.check("DELETE")
    scope = Scope(Level(), None, tables.frame)
    scan = target_scan(binding, target)
    using = node.args.get("using") or []
    others = bind_from_list(binding, list(using), [], scope) if using else None
    select = changed_rows(binding, scan, others, node.args.get("where"), scope)
    outputs = identity(scan.item.emitted)
    extras, returning = Extras(), None
    if node.args.get("returning") is not None:
        scan.builder.whole = True
        outputs += [
            Output(column.name, stored_column(column_sql(scan.item.emitted, column.name), column.type))
            for column in target.relation.columns
        ]
        members = others.namespace.items if others is not None else []
        # A deleted row is `old`, and what the table's own name means; `new` is NULL.
        seen = returning_scope(binding, target, scan.access, None, members, extras, tables.frame)
        _swap_old_and_new(seen.namespace.items)
        returning = returning_apart(binding, node.args["returning"], seen)
    block = Block(select, outputs, marks=scope.level.marks)
    block.extra = [(sql, name) for name, sql in extras.found.items()]
    attach(block, tables)
    bound = finish(binding, block)
    binding.check_privileges()
    return BoundDelete(target.relation, bound, returning)


def _swap_old_and_new(items: list[RangeItem]) -> None:
    for item in items[1:3]:
        item.name = "old" if item.name == "new" else "new"
