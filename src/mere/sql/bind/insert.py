"""INSERT: VALUES, a query, or DEFAULT VALUES, each column coerced as an assignment.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.bound import BoundInsert, BoundMerge, DefaultColumn
from mere.sql.bind.bulk import PostgresValues, bind_long_values
from mere.sql.bind.conflict import arbiter, bind_upsert
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.finish import finish
from mere.sql.bind.partitions import bind_routes
from mere.sql.bind.scope import Frame, Level, Scope, column_sql, identifier_name, quoted
from mere.sql.bind.target import (
    Extras,
    TargetTable,
    bind_checks,
    bind_default,
    bind_returning,
    default_text,
    find_target,
    is_default,
    null_of,
    returning_scope,
    store,
)
from mere.sql.bind.values import row_cells
from mere.sql.bind.with_clause import attach, bind_with
from mere.sql.coercion import coerce
from mere.sql.expressions import Coercion, Typed
from mere.sql.expressions.constants import postgres_text
from mere.sql.expressions.typed import stored_column
from mere.sql.grammar.nodes import Call
from mere.sql.relations import Column
from mere.sql.types import BOOL, INTEGERS, PgType

_BOOLEAN = PgType(BOOL)


@dataclass(slots=True)
class Filled:
    """What an INSERT says of each column so far."""

    given: list[Column]
    outputs: list[Output] = field(default_factory=list)
    defaults: list[DefaultColumn] = field(default_factory=list)
    mixed: list[DefaultColumn] = field(default_factory=list)
    numbered: dict[int, str] = field(default_factory=dict)  # nextval() that a query gives to a column, by attnum


def bind_insert(binding: Binding, node: exp.Insert) -> BoundInsert | BoundMerge:
    frame = binding.frame()
    table = node.this.this if isinstance(node.this, exp.Schema) else node.this
    target = find_target(binding, frame, table)
    columns = _columns(target, node.this)
    tables = bind_with(binding, node, None, frame)
    block, filled = _source(binding, node, target, columns, tables.frame)
    target.check("INSERT", columns)
    conflict = node.args.get("conflict")
    if conflict is not None and (key := arbiter(target, conflict, filled.given)):
        if filled.mixed:
            raise FeatureNotSupported("DEFAULT in some rows of VALUES is not supported with ON CONFLICT")
        block.outputs = filled.outputs
        return bind_upsert(binding, node, target, block, key, tables)
    _add_defaults(binding, target, filled, tables.frame)
    attach(block, tables)
    block.outputs = filled.outputs
    source = finish(binding, block)
    checks = bind_checks(binding, target.relation)
    returning = None
    if node.args.get("returning") is not None:
        named = target.relation if target.view is None else target.view.view
        access = binding.access(named, target=True)
        scope = returning_scope(binding, target, access, None, [], Extras(), tables.frame)
        returning = bind_returning(binding, node.args["returning"], scope)
    binding.check_privileges()
    return BoundInsert(
        target.relation,
        source,
        tuple(filled.given),
        tuple(filled.defaults),
        tuple(filled.mixed),
        checks,
        returning,
        bind_routes(binding, target.relation),
        binding.rule_constants,
    )


def _columns(target: TargetTable, node: exp.Expression) -> list[Column]:
    """The columns that the statement names, or all of them."""
    if not isinstance(node, exp.Schema):
        return target.columns()
    names = [identifier_name(column.this if isinstance(column, exp.Column) else column) for column in node.expressions]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise SqlSyntaxError(f'column "{name}" specified more than once', sqlstate="42701")
    return [target.column(name) for name in names]


def _source(
    binding: Binding, node: exp.Insert, target: TargetTable, columns: Sequence[Column], frame: Frame
) -> tuple[Block, Filled]:
    query = node.args.get("expression")
    if query is None:
        return Block(exp.Select(), []), Filled([])
    overriding = str(node.meta.get("overriding", ""))
    ignored = [column for column in columns if overriding == "user" and column.identity]
    if isinstance(query, exp.Values) and not any(query.args.get(key) for key in ("order", "limit", "offset", "with_")):
        rows = [row_cells(row) for row in query.expressions]
        _check_width(rows[0], columns, isinstance(node.this, exp.Schema))
        return _bind_rows(binding, target, rows, columns[: len(rows[0])], ignored, frame)
    if isinstance(query, PostgresValues):
        width = int(query.args["width"])
        _check_width(range(width), columns, isinstance(node.this, exp.Schema))
        return _fit(binding, bind_long_values(binding, query, columns[:width]), columns, ignored, frame)
    while isinstance(query, exp.Subquery) and not any(query.args.get(key) for key in ("order", "limit", "with_")):
        query = query.this
    query, columns, numbered = _without_nextval(query, columns)
    binding.leave_open(query)
    block = binding.query(query, None, frame)
    _check_width(block.outputs, columns, isinstance(node.this, exp.Schema))
    block, filled = _fit(binding, block, columns, ignored, frame)
    filled.numbered = numbered
    return block, filled


def _without_nextval(
    query: exp.Expression, columns: Sequence[Column]
) -> tuple[exp.Expression, Sequence[Column], dict[int, str]]:
    """INSERT ... SELECT nextval('s'), a FROM ...: as if the sequence were that column's default, a number each row."""
    if not isinstance(query, exp.Select) or any(
        query.args.get(key) for key in ("distinct", "group", "order", "having")
    ):
        return query, columns, {}
    numbered: dict[int, str] = {}
    kept: list[exp.Expression] = []
    for item, column in zip(query.expressions, columns, strict=False):
        value = item.unalias()
        if isinstance(value, Call) and value.name == "nextval" and column.type.oid in INTEGERS:
            numbered[column.attnum] = postgres_text(value)
        else:
            kept.append(item)
    if not numbered or any(item.is_star for item in query.expressions):
        return query, columns, {}
    narrowed = query.copy()
    narrowed.set("expressions", [item.copy() for item in (*kept, *query.expressions[len(columns) :])])
    return narrowed, [column for column in columns if column.attnum not in numbered], numbered


def _fit(
    binding: Binding, block: Block, columns: Sequence[Column], ignored: Sequence[Column], frame: Frame
) -> tuple[Block, Filled]:
    """The columns of a query coerced to the table's, under its names."""
    environment = ScopeEnvironment(binding, Scope(Level(), None, frame))
    given = list(columns[: len(block.outputs)])
    block.coerce(
        [
            coerce(typed, column.type, Coercion.ASSIGNMENT, environment, column=column.name)
            for typed, column in zip(block.typed, given, strict=True)
        ]
    )
    filled = Filled(given)
    if block.closed:
        block = _wrapped(binding, block)
    for output, column in zip(block.outputs, given, strict=True):
        stored = stored_column(store(output.typed.sql, column), column.type)
        filled.outputs.append(Output(column.name, stored))
    if ignored:
        kept = [place for place, column in enumerate(given) if column not in ignored]
        filled.outputs = [filled.outputs[place] for place in kept]
        filled.given = [given[place] for place in kept]
    return block, filled


def _wrapped(binding: Binding, block: Block) -> Block:
    """A set operation stands as a derived table, so that its columns can get the table's names and types."""
    alias = binding.alias("mere_insert")
    tree = block.close()
    outputs = [Output(name, typed) for name, typed in block.references(alias)]
    derived = exp.Subquery(this=tree, alias=exp.TableAlias(this=quoted(alias)))
    return Block(exp.Select(from_=exp.From(this=derived)), outputs, marks=block.marks)


def _check_width(given: Sequence[object], columns: Sequence[Column], named: bool) -> None:
    if len(given) > len(columns):
        raise SqlSyntaxError("INSERT has more expressions than target columns")
    if named and len(given) < len(columns):
        raise SqlSyntaxError("INSERT has more target columns than expressions")


def _bind_rows(
    binding: Binding,
    target: TargetTable,
    rows: Sequence[Sequence[exp.Expression]],
    columns: Sequence[Column],
    ignored: Sequence[Column],
    frame: Frame,
) -> tuple[Block, Filled]:
    """VALUES: each cell is coerced by itself; DEFAULT becomes the default where DuckDB can compute it."""
    if any(len(row) != len(columns) for row in rows):
        raise SqlSyntaxError("VALUES lists must all be the same length")
    level = Level()
    environment = ScopeEnvironment(binding, Scope(level, None, frame), evaluated_once=True)
    filled = Filled([])
    cells: list[list[exp.Expression]] = [[] for _ in rows]
    for place, column in enumerate(columns):
        nodes = [row[place] for row in rows]
        if column in ignored or all(is_default(node) for node in nodes):
            continue  # the default, as for a column that is not named
        filled.given.append(column)
        filled.outputs.append(Output(column.name, _typed(exp.Null(), column)))
        default = bind_default(environment, target.relation, column) if any(map(is_default, nodes)) else None
        for row, node in zip(cells, nodes, strict=True):
            if not is_default(node):
                value = environment.expression(node)
                row.append(coerce(value, column.type, Coercion.ASSIGNMENT, environment, column=column.name).sql)
            elif isinstance(default, DefaultColumn):
                row.append(null_of(column))
            elif default is not None:
                row.append(default.copy())
        if isinstance(default, DefaultColumn):
            filled.mixed.append(default)
            mark = f"mere_default_{column.attnum}"
            filled.outputs.append(Output(mark, Typed(exp.Null(), _BOOLEAN)))
            for row, node in zip(cells, nodes, strict=True):
                row.append(exp.Boolean(this=is_default(node)))
    block = _rows_block(binding, cells, filled)
    block.marks = level.marks
    return block, filled


def _typed(sql: exp.Expression, column: Column) -> Typed:
    return stored_column(sql, column.type)


def _rows_block(binding: Binding, cells: list[list[exp.Expression]], filled: Filled) -> Block:
    if len(cells) == 1:
        for output, sql in zip(filled.outputs, cells[0], strict=True):
            output.typed = output.typed.with_sql(_stored(filled, output, sql))
        return Block(exp.Select(), filled.outputs)
    alias = binding.alias("mere_values")
    if not filled.outputs:  # every cell is DEFAULT
        cells = [[exp.Literal.number(1)] for _ in cells]
    names = [f"column{number + 1}" for number in range(len(cells[0]))]
    for output, name in zip(filled.outputs, names, strict=False):
        output.typed = output.typed.with_sql(_stored(filled, output, column_sql(alias, name)))
    values = exp.Values(
        expressions=[exp.Tuple(expressions=row) for row in cells],
        alias=exp.TableAlias(this=quoted(alias), columns=[quoted(name) for name in names]),
    )
    return Block(exp.Select(from_=exp.From(this=values)), filled.outputs)


def _stored(filled: Filled, output: Output, sql: exp.Expression) -> exp.Expression:
    """Exactly the column's DuckDB type; the marks of defaults are BOOLEAN already."""
    column = next((column for column in filled.given if column.name == output.name), None)
    return sql if column is None else store(sql, column)


def _add_defaults(binding: Binding, target: TargetTable, filled: Filled, frame: Frame) -> None:
    """Columns that get no value: their defaults, computed in the source where DuckDB can."""
    environment = ScopeEnvironment(binding, Scope(Level(), None, frame))
    for column in target.relation.columns:
        if column in filled.given:
            continue
        if column.attnum in filled.numbered:
            filled.defaults.append(DefaultColumn(column, filled.numbered[column.attnum]))
            continue
        if default_text(target.relation, column) is None:
            filled.defaults.append(DefaultColumn(column, None))
            continue
        default = bind_default(environment, target.relation, column)
        if isinstance(default, DefaultColumn):
            filled.defaults.append(default)
        else:
            filled.given.append(column)
            filled.outputs.append(Output(column.name, _typed(default, column)))
