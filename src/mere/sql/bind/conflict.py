"""INSERT ... ON CONFLICT over a declared key: what is proposed, joined with the rows that have the key already.

Keys of lake tables are informational, so this looks at the rows that the statement sees, as MERGE does; who keeps two
at a time apart is session/upserts.py. Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.bind.assignment import Value, bind_assignments
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block
from mere.sql.bind.bound import BoundMerge
from mere.sql.bind.changed_rows import returning_apart
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.finish import finish
from mere.sql.bind.from_clause import FromPart
from mere.sql.bind.merge import MATCHED, NOT_BY_TARGET, Sides, When, check_privileges, join_sides, merge_outputs
from mere.sql.bind.scope import Level, Namespace, RangeColumn, RangeItem, Scope, identifier_name, quoted
from mere.sql.bind.target import (
    Extras,
    TargetTable,
    bind_checks,
    bind_default,
    require_lake,
    returning_scope,
    store,
    target_scan,
)
from mere.sql.bind.view_target import not_updatable
from mere.sql.bind.with_clause import WithTables, attach
from mere.sql.relations import Column, Relation

_PROPOSED, _ORDER = "mere_proposed", "mere_order"
_TWICE = "21000:ON CONFLICT DO UPDATE command cannot affect row a second time"


def arbiter(target: TargetTable, conflict: exp.OnConflict, given: Sequence[Column]) -> list[Column]:
    """The columns of the key that decides. None: no proposed row can be in conflict, since it brings no key along."""
    require_lake(target, "ON CONFLICT")
    columns = _key(target.relation, conflict)
    missing = [column for column in columns if column not in given]
    for column in missing:
        if column.default is not None and "nextval" not in column.default:
            raise FeatureNotSupported(f'ON CONFLICT needs a value for key column "{column.name}"')
    return [] if missing else columns


def _key(relation: Relation, conflict: exp.OnConflict) -> list[Column]:
    by_number = {column.attnum: column for column in relation.columns}
    keys = {key.name: [by_number[attnum] for attnum in key.columns] for key in relation.keys}
    constraint = conflict.args.get("constraint")
    if constraint is not None:
        name = identifier_name(constraint)
        if name not in keys:
            message = f'constraint "{name}" for table "{relation.name}" does not exist'
            raise UndefinedObject(message, sqlstate="42704")
        return keys[name]
    if conflict.args.get("index_predicate") is not None:
        raise FeatureNotSupported("ON CONFLICT over a partial index is not supported on lake tables")
    listed = conflict.args.get("conflict_keys") or []
    if listed:
        names = {_column_name(node) for node in listed}
        for columns in keys.values():
            if {column.name for column in columns} == names:
                return columns
        message = "there is no unique or exclusion constraint matching the ON CONFLICT specification"
        raise SqlSyntaxError(message, sqlstate="42P10")
    if len(keys) > 1:
        raise FeatureNotSupported("ON CONFLICT on a lake table with several keys needs one of them named")
    return next(iter(keys.values()), [])


def _column_name(node: exp.Expression) -> str:
    node = node.this if isinstance(node, exp.Ordered) else node
    if not isinstance(node, exp.Column):
        raise FeatureNotSupported("ON CONFLICT over an expression is not supported on lake tables")
    return identifier_name(node.this)


def bind_upsert(
    binding: Binding, node: exp.Insert, target: TargetTable, source: Block, key: list[Column], tables: WithTables
) -> BoundMerge:
    """`source` gives columns of the target by their names, the key's among them."""
    conflict = node.args["conflict"]
    updates = bool(conflict.expressions)
    scope = Scope(Level(), None, tables.frame)
    proposed = _proposed(binding, source, key, updates)
    scan = target_scan(binding, target)
    scan.builder.whole = True
    if scan.condition is not None or target.view is not None:
        raise not_updatable(scan.access.relation)
    item = scan.item
    sides = Sides(proposed, item, item.emitted)
    scope.namespace = Namespace([item], list(item.columns)) + proposed.namespace
    environment = ScopeEnvironment(binding, scope)
    whens = [_update(environment, target, conflict), _insert(environment, target, proposed.namespace.items[0])]
    check_privileges(target, whens)
    select = join_sides(binding, whens, sides, scan.tree, _same_key(item, proposed.namespace.items[0], key))
    outputs, defaults = merge_outputs(target, sides, whens)
    extras, returning = Extras(), None
    if node.args.get("returning") is not None:
        seen = returning_scope(binding, target, scan.access, item, [], extras, tables.frame)
        returning = returning_apart(binding, node.args["returning"], seen)
    block = Block(select, outputs, marks=scope.level.marks | source.marks)
    block.extra = [(sql, name) for name, sql in extras.found.items()]
    attach(block, tables)
    checks = bind_checks(binding, target.relation)
    bound = finish(binding, block)
    binding.check_privileges()
    actions = frozenset(when.action for when in whens if when.action)
    constants = binding.rule_constants
    return BoundMerge(target.relation, bound, actions, tuple(defaults), checks, returning, "INSERT", constants)


def _proposed(binding: Binding, source: Block, key: Sequence[Column], updates: bool) -> FromPart:
    """The source under the name EXCLUDED, each key once: the first one is taken, or an UPDATE fails."""
    alone = source.tree.args.get("from_") is None and not source.closed  # one row of VALUES
    alias = binding.alias("excluded")
    tree = source.close()
    if not alone:
        tree = _each_once(tree, key, updates)
    columns = [RangeColumn(name, typed) for name, typed in source.references(alias)]
    derived = exp.Subquery(this=tree, alias=exp.TableAlias(this=quoted(alias)))
    item = RangeItem("excluded", columns, emitted=alias)
    return FromPart(derived, Namespace([item], list(columns)))


def _each_once(tree: exp.Expression, key: Sequence[Column], updates: bool) -> exp.Expression:
    numbered = exp.Alias(this=exp.Window(this=exp.RowNumber()), alias=quoted(_ORDER))
    inner = exp.Subquery(this=tree, alias=exp.TableAlias(this=quoted(_PROPOSED)))
    ordered = exp.Select(expressions=[exp.Star(), numbered], from_=exp.From(this=inner))
    parts = [quoted(column.name) for column in key]
    columns: list[exp.Expression] = [exp.Column(this=part) for part in parts]
    tests: list[exp.Expression] = [exp.Is(this=column.copy(), expression=exp.Null()) for column in columns]
    null = reduce(lambda left, right: exp.Or(this=left, expression=right), tests)
    if updates:
        count = exp.Window(this=exp.Count(this=exp.Star()), partition_by=columns)
        failure = exp.Anonymous(this="error", expressions=[exp.Literal.string(_TWICE)])
        single = exp.LTE(this=count, expression=exp.Literal.number(1))
        keep: exp.Expression = exp.Case(
            ifs=[exp.If(this=exp.Or(this=null, expression=single), true=exp.Boolean(this=True))], default=failure
        )
    else:
        order = exp.Order(expressions=[exp.Ordered(this=exp.Column(this=quoted(_ORDER)))])
        number = exp.Window(this=exp.RowNumber(), partition_by=columns, order=order)
        keep = exp.Or(this=null, expression=exp.EQ(this=number, expression=exp.Literal.number(1)))
    outer = exp.Subquery(this=ordered, alias=exp.TableAlias(this=quoted(_PROPOSED)))
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=outer), qualify=exp.Qualify(this=keep))


def _same_key(target: RangeItem, proposed: RangeItem, key: Sequence[Column]) -> exp.Expression:
    tests: list[exp.Expression] = []
    for column in key:
        own, other = target.find(column.name), proposed.find(column.name)
        assert own is not None and other is not None
        tests.append(exp.EQ(this=own.read().sql, expression=other.read().sql))
    return reduce(lambda left, right: exp.And(this=left, expression=right), tests)


def _update(environment: ScopeEnvironment, target: TargetTable, conflict: exp.OnConflict) -> When:
    """What becomes of a row whose key is there."""
    if not conflict.expressions:
        return When(MATCHED, None, "")
    assignments = bind_assignments(environment, target, conflict.expressions)
    guard = conflict.args.get("where")
    condition = environment.boolean(guard.this, "WHERE").sql if guard is not None else None
    return When(MATCHED, condition, "UPDATE", {entry.column.attnum: entry.value for entry in assignments})


def _insert(environment: ScopeEnvironment, target: TargetTable, proposed: RangeItem) -> When:
    values: dict[int, Value] = {}
    for column in target.relation.columns:
        given = proposed.find(column.name)
        if given is not None:
            values[column.attnum] = store(given.read().sql, column)
        else:
            values[column.attnum] = bind_default(environment, target.relation, column)
    return When(NOT_BY_TARGET, None, "INSERT", values)
