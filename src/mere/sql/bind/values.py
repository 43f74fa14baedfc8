"""VALUES as a query: rows of expressions, each column of one type.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import SqlSyntaxError
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.ordering import apply_limit, order_outputs
from mere.sql.bind.scope import Frame, Level, Scope, column_sql, quoted, refer
from mere.sql.expressions import Typed, unify_columns


def row_cells(row: exp.Expression) -> list[exp.Expression]:
    """The members of one row of VALUES, however the parser wrote a row of one."""
    if isinstance(row, exp.Tuple):
        return list(row.expressions)
    return [row.this if isinstance(row, exp.Paren) else row]


def bind_values(binding: Binding, node: exp.Values, outer: Scope | None, frame: Frame) -> Block:
    level = Level()
    scope = Scope(level, outer, frame)
    environment = ScopeEnvironment(binding, scope)
    rows = [row_cells(row) for row in node.expressions]
    if any(len(row) != len(rows[0]) for row in rows):
        raise SqlSyntaxError("VALUES lists must all be the same length")
    bound = [[environment.expression(cell) for cell in row] for row in rows]
    unified = unify_columns(bound, "VALUES", environment)
    block = values_block(binding, [list(map(environment.known, row)) for row in unified])
    if node.args.get("order") is not None:
        block.tree.set("order", order_outputs(node.args["order"], block))
    apply_limit(binding, node, block, scope)
    block.marks, block.correlated = level.marks, level.correlated
    return block


def values_block(binding: Binding, rows: list[list[Typed]]) -> Block:
    """SELECT of the columns of a VALUES list whose cells are bound; a single row needs no list."""
    names = [f"column{number + 1}" for number in range(len(rows[0]))]
    if len(rows) == 1:
        return Block(exp.Select(), [Output(name, typed) for name, typed in zip(names, rows[0], strict=True)])
    alias = binding.alias("mere_values")
    tuples = [exp.Tuple(expressions=[typed.sql for typed in row]) for row in rows]
    table_alias = exp.TableAlias(this=quoted(alias), columns=[quoted(name) for name in names])
    tree = exp.Select(from_=exp.From(this=exp.Values(expressions=tuples, alias=table_alias)))
    outputs = [Output(name, refer(typed, column_sql(alias, name))) for name, typed in zip(names, rows[0], strict=True)]
    return Block(tree, outputs)
