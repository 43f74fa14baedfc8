"""MERGE: one join of source and target, in which each row knows which WHEN clause acts on it.

Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError
from mere.sql.bind.assignment import Value, bind_assignments, bind_value
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block, Output
from mere.sql.bind.bound import BoundMerge, DefaultColumn
from mere.sql.bind.changed_rows import identity, returning_apart
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.finish import finish
from mere.sql.bind.from_clause import FromPart, bind_from_list
from mere.sql.bind.parse import MERGE_DEFAULT_VALUES
from mere.sql.bind.pruning import collect
from mere.sql.bind.scope import (
    Level,
    Namespace,
    RangeColumn,
    RangeItem,
    Scope,
    column_sql,
    identifier_name,
    quoted,
)
from mere.sql.bind.target import (
    FILE,
    Extras,
    TargetTable,
    bind_checks,
    bind_default,
    find_target,
    null_of,
    require_lake,
    returning_scope,
    target_scan,
)
from mere.sql.bind.view_target import not_updatable
from mere.sql.bind.with_clause import attach, bind_with
from mere.sql.expressions import Typed
from mere.sql.expressions.typed import COLUMN, stored_column
from mere.sql.relations import Column
from mere.sql.types import BOOL, TEXT, PgType

_WHEN, _PRESENT, ACTION = "mere_when", "mere_present", "mere_action"
MATCHED, NOT_BY_TARGET, NOT_BY_SOURCE = "matched", "not matched by target", "not matched by source"


@dataclass(frozen=True, slots=True)
class When:
    """One WHEN clause, bound: `action` is INSERT, UPDATE, DELETE or '' (DO NOTHING); `values` by attnum."""

    match: str
    condition: exp.Expression | None
    action: str
    values: dict[int, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sides:
    """The namespaces of source and target, and the target's alias."""

    source: FromPart
    target: RangeItem
    alias: str


def bind_merge(binding: Binding, node: exp.Merge) -> BoundMerge:
    tables = bind_with(binding, node, None, binding.frame())
    target = find_target(binding, tables.frame, node.this)
    require_lake(target, "MERGE")
    scope = Scope(Level(), None, tables.frame)
    source = bind_from_list(binding, [node.args["using"]], [], scope)
    scan = target_scan(binding, target)
    scan.builder.whole = True
    if scan.condition is not None:
        raise not_updatable(scan.access.relation)
    item = scan.item
    sides = Sides(source, item, item.emitted)
    scope.namespace = Namespace([item], list(item.columns)) + source.namespace
    condition = ScopeEnvironment(binding, scope).boolean(node.args["on"], "MERGE").sql
    whens = [_bind_when(binding, scope, target, sides, when) for when in node.args["whens"].expressions]
    check_privileges(target, whens)
    select = join_sides(binding, whens, sides, scan.tree, condition)
    outputs, defaults = merge_outputs(target, sides, whens)
    extras, returning = Extras(), None
    if node.args.get("returning") is not None:
        seen = returning_scope(binding, target, scan.access, item, source.namespace.items, extras, tables.frame)
        own = len(item.columns)  # MERGE's star shows the source first
        seen.namespace.columns = seen.namespace.columns[own:] + seen.namespace.columns[:own]
        action = RangeColumn(ACTION, Typed(column_sql("mere_rows", ACTION), PgType(TEXT), COLUMN))
        seen.namespace.items.append(RangeItem(ACTION, [action]))
        returning = returning_apart(binding, _with_action(node.args["returning"]), seen)
    checks = bind_checks(binding, target.relation)
    block = Block(select, outputs, marks=scope.level.marks)
    block.extra = [(sql, name) for name, sql in extras.found.items()]
    attach(block, tables)
    bound = finish(binding, block)
    binding.check_privileges()
    actions = frozenset(when.action for when in whens if when.action)
    constants = binding.rule_constants
    return BoundMerge(target.relation, bound, actions, tuple(defaults), checks, returning, rule_constants=constants)


def _bind_when(binding: Binding, scope: Scope, target: TargetTable, sides: Sides, node: exp.When) -> When:
    """The condition and values see what exists in that case: both sides, or one."""
    own = Namespace([sides.target], list(sides.target.columns))
    if node.args.get("matched"):
        match, sight = MATCHED, own + sides.source.namespace
    elif node.args.get("source"):
        match, sight = NOT_BY_SOURCE, own
    else:
        match, sight = NOT_BY_TARGET, sides.source.namespace
    environment = ScopeEnvironment(binding, scope.beside(sight))
    guard = node.args.get("condition")
    condition = environment.boolean(guard, "MERGE WHEN").sql if guard is not None else None
    then = node.args["then"]
    if isinstance(then, exp.Update):
        assignments = bind_assignments(environment, target, then.expressions)
        return When(match, condition, "UPDATE", {entry.column.attnum: entry.value for entry in assignments})
    if isinstance(then, exp.Insert):
        return When(match, condition, "INSERT", _insert_values(environment, target, then))
    word = str(then.this).upper()
    if word not in ("DELETE", "DO NOTHING"):
        raise FeatureNotSupported(f"{word} in MERGE is not supported over lake tables")
    return When(match, condition, "DELETE" if word == "DELETE" else "")


def _insert_values(environment: ScopeEnvironment, target: TargetTable, node: exp.Insert) -> dict[int, Value]:
    listed, row = node.this, node.args.get("expression")
    columns = target.columns()
    if isinstance(listed, exp.Tuple | exp.Paren):
        names = listed.expressions if isinstance(listed, exp.Tuple) else [listed.this]
        columns = [target.column(identifier_name(name.this)) for name in names]
    cells = row.expressions if isinstance(row, exp.Tuple) else [row.this if isinstance(row, exp.Paren) else row]
    if len(cells) == 1 and isinstance(cells[0], exp.Column) and cells[0].name == MERGE_DEFAULT_VALUES:
        columns, cells = [], []
    if len(cells) > len(columns):
        raise SqlSyntaxError("INSERT has more expressions than target columns")
    values: dict[int, Value] = {
        column.attnum: bind_value(environment, target, column, cell)
        for column, cell in zip(columns, cells, strict=False)
    }
    for column in target.relation.columns:
        if column.attnum not in values:
            values[column.attnum] = bind_default(environment, target.relation, column)
    return values


def check_privileges(target: TargetTable, whens: Sequence[When]) -> None:
    for when in whens:
        if when.action:
            touched = [column for column in target.relation.columns if column.attnum in when.values]
            target.check(when.action, touched)


def join_sides(
    binding: Binding, whens: Sequence[When], sides: Sides, tree: exp.Table, condition: exp.Expression
) -> exp.Select:
    """Source JOIN target, outer on the sides whose unmatched rows some clause is about."""
    by_target = any(when.match == NOT_BY_TARGET for when in whens)
    by_source = any(when.match == NOT_BY_SOURCE for when in whens)
    side = {(True, True): "FULL", (True, False): "LEFT", (False, True): "RIGHT"}.get((by_target, by_source))
    source = sides.source
    if not by_source:
        collect(binding, condition, {sides.alias}, strict_only=False)
    if not by_target:
        collect(binding, condition, source.scans - source.nullable, strict_only=False)
    first, joins = source.tree, list(source.joins)
    if by_source:
        first, joins = _marked(source), []
    joins.append(exp.Join(this=tree, side=side, on=condition))
    acting = [exp.Literal.number(number) for number, when in enumerate(whens) if when.action]
    where = exp.Boolean(this=False) if not acting else exp.In(this=_when_number(whens, sides), expressions=acting)
    return exp.Select(from_=exp.From(this=first), joins=joins, where=exp.Where(this=where))


def _marked(source: FromPart) -> exp.Expression:
    """The source with a column that is null exactly where a target row has no match in it."""
    if source.joins or len(source.namespace.items) != 1:
        raise FeatureNotSupported("this source of MERGE is not supported with WHEN NOT MATCHED BY SOURCE")
    alias = source.namespace.items[0].emitted
    star = exp.Column(this=exp.Star(), table=quoted(alias))
    mark = exp.Alias(this=exp.Boolean(this=True), alias=quoted(_PRESENT))
    inner = exp.Select(expressions=[star, mark], from_=exp.From(this=source.tree))
    return exp.Subquery(this=inner, alias=exp.TableAlias(this=quoted(alias)))


def _absent(alias: str, column: str, absent: bool) -> exp.Expression:
    test = exp.Is(this=column_sql(alias, column), expression=exp.Null())
    return test if absent else exp.Not(this=test)


def _when_number(whens: Sequence[When], sides: Sides) -> exp.Expression:
    """The place of the first clause whose case and condition hold for the row; NULL for none."""
    marked = any(when.match == NOT_BY_SOURCE for when in whens)
    source = sides.source.namespace.items[0].emitted
    branches = []
    for number, when in enumerate(whens):
        test = _absent(sides.alias, FILE, absent=when.match == NOT_BY_TARGET)
        if marked and when.match != NOT_BY_TARGET:
            test = exp.And(this=test, expression=_absent(source, _PRESENT, absent=when.match == NOT_BY_SOURCE))
        if when.condition is not None:
            test = exp.And(this=test, expression=exp.Paren(this=when.condition.copy()))
        branches.append(exp.If(this=test, true=exp.Literal.number(number)))
    return exp.Case(ifs=branches)


def merge_outputs(target: TargetTable, sides: Sides, whens: Sequence[When]) -> tuple[list[Output], list[DefaultColumn]]:
    """The action, the target row's place, and each column as the acting clause wants it."""
    number = _when_number(whens, sides)
    actions = exp.Case(
        this=number.copy(),
        ifs=[
            exp.If(this=exp.Literal.number(place), true=exp.Literal.string(when.action))
            for place, when in enumerate(whens)
            if when.action
        ]
        or [exp.If(this=exp.Literal.number(0), true=exp.Null())],
    )
    outputs = [Output(ACTION, Typed(actions, PgType(TEXT), COLUMN)), *identity(sides.alias)]
    defaults: dict[int, DefaultColumn] = {}
    for column in target.relation.columns:
        default_places = []
        branches = []
        for place, when in enumerate(whens):
            value = when.values.get(column.attnum)
            if isinstance(value, DefaultColumn):
                defaults[column.attnum] = value
                default_places.append(exp.Literal.number(place))
                value = null_of(column)
            if value is not None:
                branches.append(exp.If(this=exp.Literal.number(place), true=value))
        outputs.append(Output(column.name, _chosen(column, sides, number, branches)))
        if default_places:
            mark = exp.In(this=number.copy(), expressions=default_places)
            outputs.append(Output(f"mere_default_{column.attnum}", Typed(mark, PgType(BOOL), COLUMN)))
    return outputs, list(defaults.values())


def _chosen(column: Column, sides: Sides, number: exp.Expression, branches: list[exp.If]) -> Typed:
    old = column_sql(sides.alias, column.name)
    sql: exp.Expression = exp.Case(this=number.copy(), ifs=branches, default=old) if branches else old
    return stored_column(sql, column.type)


def _with_action(node: exp.Returning) -> exp.Returning:
    """RETURNING with merge_action() as the column that tells it."""

    def replace(part: exp.Expression) -> exp.Expression:
        if isinstance(part, exp.Anonymous) and part.name.lower() == "merge_action":
            column = exp.Column(this=quoted(ACTION), table=quoted(ACTION))
            if isinstance(part.parent, exp.Returning):
                return exp.Alias(this=column, alias=quoted("merge_action"))
            return column
        return part

    changed = node.transform(replace)
    assert isinstance(changed, exp.Returning)
    return changed
