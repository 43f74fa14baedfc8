"""What INSERT, UPDATE, DELETE and MERGE share: the target table, column defaults, CHECK, RETURNING.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.errors import FeatureNotSupported, MereError, SqlSyntaxError, UndefinedObject
from mere.sql.bind.binding import Access, Binding, ScanBuilder, denied
from mere.sql.bind.block import Block, Output
from mere.sql.bind.bound import ROWS, BoundCheck, BoundSelect, DefaultColumn
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.finish import finish
from mere.sql.bind.from_item import scan_range, table_name
from mere.sql.bind.parse import parse
from mere.sql.bind.scope import (
    Frame,
    Level,
    Namespace,
    RangeColumn,
    RangeItem,
    Scope,
    column_sql,
    identifier_name,
    refer,
)
from mere.sql.bind.targets import bind_targets
from mere.sql.coercion import coerce
from mere.sql.expressions import Coercion, Typed
from mere.sql.expressions.typed import stored_column
from mere.sql.lexer import quote_identifier
from mere.sql.relations import Column, Kind, Relation
from mere.sql.types import duckdb_type

FILE, POSITION = "mere_file", "mere_pos"


@dataclass(slots=True)
class TargetTable:
    """The table that a statement changes, and the name by which it calls it."""

    relation: Relation
    shown: str
    aliased: bool

    def column(self, name: str) -> Column:
        for column in self.relation.columns:
            if column.name == name:
                return column
        message = f'column "{name}" of relation "{self.relation.name}" does not exist'
        raise UndefinedObject(message, sqlstate="42703")


def find_target(frame: Frame, node: exp.Expression) -> TargetTable:
    if not isinstance(node, exp.Table):
        raise FeatureNotSupported("this target is not supported over lake tables")
    name = table_name(node)
    relation = frame.lookup(name)
    if relation is None:
        raise UndefinedObject(f'relation "{".".join(name)}" does not exist')
    if relation.kind is Kind.VIEW:
        raise FeatureNotSupported(f'writing through view "{relation.name}" is not supported over lake tables')
    alias = node.args.get("alias")
    if alias is None or alias.this is None:
        return TargetTable(relation, relation.name, False)
    return TargetTable(relation, identifier_name(alias.this), True)


def require_lake(target: TargetTable, verb: str) -> None:
    if target.relation.kind is not Kind.LAKE:
        message = f'{verb} of "{target.relation.name}", which is not a lake table, cannot read lake tables'
        raise FeatureNotSupported(message)


def check_write(relation: Relation, privilege: str, columns: Iterable[Column] = ()) -> None:
    """The privilege on the table; INSERT and UPDATE also by grants on each of the columns."""
    if privilege in relation.privileges:
        return
    listed = list(columns)
    granted = {"INSERT": "insertable", "UPDATE": "updatable"}.get(privilege)
    if granted is None or not listed or not all(getattr(column, granted) for column in listed):
        raise denied(relation)


def target_scan(binding: Binding, target: TargetTable) -> tuple[exp.Table, RangeItem, ScanBuilder]:
    """The target as a scan that tells file and position of each row."""
    access = binding.access(target.relation, target=True)
    emitted = binding.alias(target.shown)
    builder = binding.scan(emitted, access)
    builder.row_identity = True
    item = scan_range(target.relation, access, target.shown, emitted)
    if not target.aliased:
        item.relation = target.relation
    tree = exp.Table(
        this=exp.Identifier(this=builder.name, quoted=False),
        alias=exp.TableAlias(this=exp.Identifier(this=emitted, quoted=True)),
    )
    return tree, item, builder


def assign(environment: ScopeEnvironment, typed: Typed, column: Column) -> exp.Expression:
    """A value as the column stores it: an assignment cast, then exactly the stored DuckDB type."""
    return store(coerce(typed, column.type, Coercion.ASSIGNMENT, environment, column=column.name).sql, column)


def store(sql: exp.Expression, column: Column) -> exp.Expression:
    duckdb = duckdb_type(column.type)
    return exp.Cast(this=sql, to=exp.DataType.build(duckdb, dialect="duckdb")) if duckdb else sql


def null_of(column: Column) -> exp.Expression:
    return store(exp.Null(), column)


def is_default(node: exp.Expression) -> bool:
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, exp.Var) and str(node.this).upper() == "DEFAULT"


def default_text(relation: Relation, column: Column) -> str | None:
    """The expression by which PostgreSQL fills the column; None for NULL."""
    if column.generated:
        message = f'generated column "{column.name}" of relation "{relation.name}" is not supported'
        raise FeatureNotSupported(message)
    if column.identity and column.default is None:
        table = f"{quote_identifier(relation.schema)}.{quote_identifier(relation.name)}".replace("'", "''")
        name = column.name.replace("'", "''")
        return f"pg_catalog.nextval(pg_catalog.pg_get_serial_sequence('{table}', '{name}'))"
    return column.default


def bind_default(environment: ScopeEnvironment, relation: Relation, column: Column) -> exp.Expression | DefaultColumn:
    """The default as DuckDB computes it; what only PostgreSQL can give (nextval) stays as text."""
    text = default_text(relation, column)
    if text is None:
        return null_of(column)
    if "nextval" in text:
        return DefaultColumn(column, text)
    alone = ScopeEnvironment(environment.binding, Scope(Level(), None, environment.scope.frame))
    try:
        return assign(alone, alone.expression(expression_of(text)), column)
    except MereError:
        return DefaultColumn(column, text)


def expression_of(text: str) -> exp.Expression:
    """The syntax of one expression that PostgreSQL printed."""
    node = parse(f"SELECT {text}").expressions[0]
    assert isinstance(node, exp.Expression)
    return node


def rows_item(relation: Relation, shown: str, access: Access | None) -> RangeItem:
    """The columns of `mere_rows`: the rows as they are to be written."""
    if access is not None:
        return scan_range(relation, access, shown, ROWS)
    columns = [
        RangeColumn(column.name, stored_column(column_sql(ROWS, column.name), column.type))
        for column in relation.columns
    ]
    return RangeItem(shown, columns, emitted=ROWS)


def bind_checks(binding: Binding, relation: Relation) -> tuple[BoundCheck, ...]:
    """CHECK passes where it is true or null; so what is false breaks it."""
    if not relation.checks:
        return ()
    item = rows_item(relation, relation.name, None)
    scope = Scope(Level(), None, binding.frame(), Namespace([item], list(item.columns)))
    environment = ScopeEnvironment(binding, scope)
    checks = []
    for check in relation.checks:
        condition = environment.boolean(expression_of(check.expression), "CHECK").sql
        violation = exp.Is(this=exp.Paren(this=condition), expression=exp.Boolean(this=False))
        checks.append(BoundCheck(check.name, violation))
    return tuple(checks)


@dataclass(slots=True)
class Extras:
    """Columns that the changing query gives besides the row, because RETURNING reads them."""

    found: dict[str, exp.Expression] = field(default_factory=dict)

    def column(self, source: RangeColumn, name: str) -> RangeColumn:
        """`source`, read from `mere_rows` under `name`; noted when it is used."""

        def used() -> None:
            if name not in self.found:
                self.found[name] = source.read().sql

        return RangeColumn(source.name, refer(source.typed, column_sql(ROWS, name)), used, source.origin)


def returning_scope(
    target: TargetTable,
    access: Access,
    old: RangeItem | None,
    others: Sequence[RangeItem],
    extras: Extras,
    frame: Frame,
) -> Scope:
    """What RETURNING sees: the row as written, `old` and `new`, and the other tables of the statement.

    `old` is the row before: None for INSERT, where all of it is NULL.
    """
    new = rows_item(target.relation, target.shown, access)
    if not target.aliased:
        new.relation = target.relation
    items = [new, RangeItem("new", list(new.columns), emitted=ROWS)]
    if old is None:
        before = [
            RangeColumn(column.name, stored_column(null_of(column), column.type)) for column in target.relation.columns
        ]
    else:
        before = [
            extras.column(column, f"mere_old_{table_column.attnum}")
            for column, table_column in zip(old.columns, target.relation.columns, strict=True)
        ]
    items.append(RangeItem("old", before))
    shown = list(new.columns)
    number = 0
    for other in others:
        columns = []
        for column in other.columns:
            columns.append(extras.column(column, f"mere_from_{number}"))
            number += 1
        items.append(RangeItem(other.name, columns, other.relation))
        shown += columns
    return Scope(Level(), None, frame, Namespace(items, shown))


def bind_returning(binding: Binding, node: exp.Returning, scope: Scope) -> BoundSelect:
    """RETURNING as a query over `mere_rows`."""
    if not node.expressions:
        raise SqlSyntaxError("RETURNING must have at least one column")
    environment = ScopeEnvironment(binding, scope)
    targets = bind_targets(environment, node.expressions)
    rows = exp.Table(this=exp.Identifier(this=ROWS, quoted=False))
    outputs: list[Output] = [target.output for target in targets]
    block = Block(exp.Select(from_=exp.From(this=rows)), outputs)
    block.marks = scope.level.marks
    return finish(binding, block)
