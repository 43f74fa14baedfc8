"""WITH: common tables, plain and recursive.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.growth import apart, note_weights
from mere.sql.bind.scope import CommonTable, Frame, Level, Scope, identifier_name, quoted, refer
from mere.sql.coercion import coerce
from mere.sql.expressions import Coercion, Typed
from mere.sql.expressions.typed import VOLATILE
from mere.sql.types import NUMERIC, TYPES

_MOST_TABLES = 16


@dataclass(slots=True)
class WithTables:
    """The frame in which the query's own names stand, and the CTEs to write in front of it."""

    frame: Frame
    expressions: list[exp.CTE] = field(default_factory=list)
    recursive: bool = False
    marks: int = 0
    correlated: bool = False


def bind_with(binding: Binding, node: exp.Expression, outer: Scope | None, frame: Frame) -> WithTables:
    clause = node.args.get("with_")
    result = WithTables(frame)
    if clause is None:
        return result
    result.recursive = bool(clause.args.get("recursive"))
    if clause.args.get("search"):
        raise FeatureNotSupported("SEARCH and CYCLE are not supported over lake tables")
    names = [identifier_name(table.args["alias"].this) for table in clause.expressions]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise SqlSyntaxError(f'WITH query name "{name}" specified more than once', sqlstate="42712")
    for name, table in zip(names, clause.expressions, strict=True):
        _bind_table(binding, name, table, outer, result, node)
    return result


def _bind_table(
    binding: Binding, name: str, table: exp.CTE, outer: Scope | None, result: WithTables, around: exp.Expression
) -> None:
    given = [identifier_name(column) for column in table.args["alias"].args.get("columns") or []]
    emitted = binding.alias(name)
    query = table.this
    if result.recursive and isinstance(query, exp.Union) and _names_table(query.expression, name):
        block = _bind_recursive(binding, name, emitted, given, query, outer, result.frame)
    else:
        block = binding.query(query, outer, result.frame)
    tree = block.close()
    binding.derived[emitted] = block.lineage
    if not note_weights(binding, emitted, block):
        tree = apart(binding, tree, correlated=block.correlated)
    result.marks |= block.marks
    result.correlated = result.correlated or block.correlated
    result.expressions.append(
        exp.CTE(
            this=tree,
            alias=exp.TableAlias(this=quoted(emitted), columns=[quoted(output.alias) for output in block.outputs]),
            materialized=_materialized(table, block) or _is_read_too_often(binding, emitted, tree, name, around),
        )
    )
    result.frame = result.frame.with_table(name, _common_table(name, emitted, given, block))


def _materialized(table: exp.CTE, block: Block) -> bool | None:
    """As written; and a query that is not the same twice is run once, whatever DuckDB would do."""
    return True if block.marks & VOLATILE else table.args.get("materialized")


def _is_read_too_often(
    binding: Binding, emitted: str, tree: exp.Expression, name: str, around: exp.Expression
) -> bool | None:
    """True for what several read, and many tables stand in: written out for each of them, again and again, a dozen of
    WITH queries may read a table thousands of times."""
    tables = sum(binding.tables_in.get(found.name, 1) for found in tree.find_all(exp.Table))
    often = tables > _MOST_TABLES and sum(found.name == name for found in around.find_all(exp.Table)) > 1
    binding.tables_in[emitted] = 1 if often else tables
    return often or None


def _common_table(name: str, emitted: str, given: Sequence[str], block: Block) -> CommonTable:
    if len(given) > len(block.outputs):
        message = f'WITH query "{name}" has {len(block.outputs)} columns available but {len(given)} columns specified'
        raise SqlSyntaxError(message, sqlstate="42P10")
    shown = [*given, *(output.name for output in block.outputs[len(given) :])]
    columns = [(column, output.alias, output.typed) for column, output in zip(shown, block.outputs, strict=True)]
    return CommonTable(emitted, tuple(columns))


def _names_table(node: exp.Expression, name: str) -> bool:
    return any(
        identifier_name(table.this) == name
        for table in node.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and table.args.get("db") is None
    )


def _bind_recursive(
    binding: Binding,
    name: str,
    emitted: str,
    given: Sequence[str],
    query: exp.Union,
    outer: Scope | None,
    frame: Frame,
) -> Block:
    """The first part decides the columns' types; the recursive part is coerced to them."""
    binding.leave_open(query.expression)
    first = binding.query(query.this, outer, frame)
    environment = ScopeEnvironment(binding, Scope(Level(), outer, frame))
    first.coerce([_anchor(environment.known(typed), environment) for typed in first.typed])
    start = first.close()
    within = frame.with_table(name, _common_table(name, emitted, given, first))
    again = binding.query(query.expression, outer, within)
    if len(again.outputs) != len(first.outputs):
        raise SqlSyntaxError("each UNION query must have the same number of columns")
    coerced = [
        _same_carrier(coerce(typed, target.type, Coercion.IMPLICIT, environment), target)
        for typed, target in zip(again.typed, first.typed, strict=True)
    ]
    again.coerce(coerced)
    tree = exp.Union(this=start, expression=again.close(), distinct=bool(query.args.get("distinct")))
    for output in first.outputs:
        output.typed = refer(output.typed, output.typed.sql)
    return Block(tree, first.outputs, True, "", first.marks | again.marks, first.correlated or again.correlated)


def _anchor(typed: Typed, environment: ScopeEnvironment) -> Typed:
    """A numeric column of a recursion gets room to grow: what comes back must fit the first part's type."""
    if typed.type.oid != NUMERIC or typed.decimal is None:
        return _cast(typed, TYPES[typed.type.oid].duckdb) if typed.type.oid in TYPES else typed
    scale = max(typed.decimal[1], 10)
    return _cast(_with_carrier(typed, (38, scale)), f"DECIMAL(38,{scale})")


def _with_carrier(typed: Typed, carrier: tuple[int, int]) -> Typed:
    return replace(typed, decimal=carrier)


def _cast(typed: Typed, duckdb: str) -> Typed:
    if not duckdb:
        return typed
    return typed.with_sql(exp.Cast(this=typed.sql, to=exp.DataType.build(duckdb, dialect="duckdb")))


def _same_carrier(typed: Typed, target: Typed) -> Typed:
    if target.decimal is None or typed.decimal == target.decimal:
        return typed
    precision, scale = target.decimal
    return _cast(_with_carrier(typed, target.decimal), f"DECIMAL({precision},{scale})")


def attach(block: Block, tables: WithTables) -> None:
    """Writes the CTEs in front of the bound query."""
    block.marks |= tables.marks
    block.correlated = block.correlated or tables.correlated
    if tables.expressions:
        existing = block.tree.args.get("with_")
        later = list(existing.expressions) if existing is not None else []
        recursive = tables.recursive or bool(existing is not None and existing.args.get("recursive"))
        block.tree.set("with_", exp.With(expressions=[*tables.expressions, *later], recursive=recursive))
