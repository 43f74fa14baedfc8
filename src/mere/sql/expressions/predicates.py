"""Boolean expressions: AND, IS, IN, BETWEEN, LIKE, ANY and ALL, and comparisons of rows. Coordinator process."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from mere.errors import DatatypeMismatch, FeatureNotSupported, SqlSyntaxError
from mere.sql.coercion import coerce, to_boolean
from mere.sql.expressions.build import binary, call, cast_node, conjunction, is_null, paren
from mere.sql.expressions.context import Context, handles, marks_of
from mere.sql.expressions.operators import COMPARISONS, SYMBOLS, apply_operator, compare, resolve
from mere.sql.expressions.typed import COLUMN, SUBQUERY, Coercion, Subquery, Typed
from mere.sql.functions.resolution import common_type_oid
from mere.sql.types import BOOL, INTEGERS, NUMERIC, PgType, array_of, element_of

_BOOLEAN = PgType(BOOL)
_EXACT_NUMBERS = INTEGERS | {NUMERIC}  # equal as one type where they are equal as two


@handles(exp.And, exp.Or)
def bind_connector(context: Context, node: exp.Expression) -> Typed:
    """Chains are taken apart without recursion: generated SQL holds thousands of ORs."""
    kind = type(node)
    word = "AND" if kind is exp.And else "OR"
    parts: list[exp.Expression] = []
    current = node
    while type(current) is kind:
        parts.append(current.expression)
        current = current.this
    parts.append(current)
    bound = [to_boolean(context.bind(part), word, context.env) for part in reversed(parts)]
    whole = bound[0].sql
    for part in bound[1:]:
        whole = kind(this=_operand(whole, kind), expression=_operand(part.sql, kind))
    return Typed(whole, _BOOLEAN, marks_of(bound))


def _operand(sql: exp.Expression, kind: type[exp.Expression]) -> exp.Expression:
    loose = exp.Or if kind is exp.And else exp.And
    return exp.Paren(this=sql) if isinstance(sql, loose) or (kind is exp.Or and isinstance(sql, exp.And)) else sql


@handles(exp.Not)
def bind_not(context: Context, node: exp.Expression) -> Typed:
    operand = to_boolean(context.bind(node.this), "NOT", context.env)
    if isinstance(operand.sql, exp.In | exp.Exists | exp.Between):
        return Typed(exp.Not(this=operand.sql), _BOOLEAN, operand.marks)
    return Typed(exp.Not(this=paren(operand.sql)), _BOOLEAN, operand.marks)


@handles(exp.EQ, exp.NEQ, exp.LT, exp.GT, exp.LTE, exp.GTE)
def bind_comparison(context: Context, node: exp.Expression) -> Typed:
    name = SYMBOLS[type(node)]
    if isinstance(node.expression, exp.Any | exp.All):
        return bind_quantified(context, node.this, name, node.expression)
    if isinstance(node.this, exp.Tuple) or isinstance(node.expression, exp.Tuple):
        return _rows(context, name, node.this, node.expression)
    return apply_operator(context, name, [context.bind(node.this), context.bind(node.expression)], node)


# -- rows -------------------------------------------------------------------------------------------------------------


def _row_members(context: Context, node: exp.Expression) -> list[Typed]:
    """The columns of a row: a constructor's members, or a subquery's columns read one by one."""
    if isinstance(node, exp.Paren):
        return _row_members(context, node.this)
    if isinstance(node, exp.Tuple):
        return context.bind_all(node.expressions)
    if isinstance(node, exp.Subquery):
        return _subquery_members(context.env.subquery(node.this))
    typed = context.bind(node)
    if not typed.fields:
        raise SqlSyntaxError("unequal number of entries in row expressions")
    return list(typed.fields)


def _subquery_members(bound: Subquery) -> list[Typed]:
    """One scalar subquery a column: (SELECT c1 FROM (query) ...)."""
    members = []
    for index, column in enumerate(bound.columns):
        names = [f"c{number + 1}" for number in range(len(bound.columns))]
        alias = exp.TableAlias(this=exp.to_identifier("mere_row"), columns=[exp.to_identifier(name) for name in names])
        source = exp.Subquery(this=bound.sql.copy(), alias=alias)
        select = exp.Select(expressions=[exp.column(names[index], "mere_row")], from_=exp.From(this=source))
        members.append(replace(column, sql=exp.Subquery(this=select), marks=bound.marks | SUBQUERY))
    return members


def _rows(context: Context, name: str, left_node: exp.Expression, right_node: exp.Expression) -> Typed:
    left, right = _row_members(context, left_node), _row_members(context, right_node)
    return compare_rows(context, name, left, right)


def compare_rows(context: Context, name: str, left: list[Typed], right: list[Typed]) -> Typed:
    """Column by column, so that a NULL member gives NULL as SQL has it."""
    if len(left) != len(right):
        raise SqlSyntaxError("unequal number of entries in row expressions")
    marks = marks_of(left) | marks_of(right)

    def pair(symbol: str, index: int) -> exp.Expression:
        one, other = _copied(left[index]), _copied(right[index])
        return compare(context, symbol, [one, other], resolve(symbol, [one, other])).sql

    if name in ("=", "<>"):
        joined = conjunction([pair(name, index) for index in range(len(left))], exp.And if name == "=" else exp.Or)
        return Typed(joined, _BOOLEAN, marks)
    strict = name.rstrip("=")
    sql = pair(name, len(left) - 1)
    for index in range(len(left) - 2, -1, -1):
        equal_and_rest = binary(exp.And, pair("=", index), sql)
        sql = binary(exp.Or, pair(strict, index), equal_and_rest)
    return Typed(sql, _BOOLEAN, marks)


def _copied(typed: Typed) -> Typed:
    return replace(typed, sql=typed.sql.copy())


# -- IS ---------------------------------------------------------------------------------------------------------------


@handles(exp.Is)
def bind_is(context: Context, node: exp.Expression) -> Typed:
    test, negate = node.expression, bool(node.args.get("negate"))
    if not isinstance(test, exp.Null):
        return _is_boolean(context, node, test, negate)
    rows = node.this.this if isinstance(node.this, exp.Paren) else node.this
    if isinstance(rows, exp.Tuple):
        members = context.bind_all(rows.expressions)
        return _row_is_null(members, negate)
    operand = context.bind(node.this)
    if operand.fields:
        return _row_is_null(list(operand.fields), negate)
    sql = is_null(operand.sql)
    return Typed(exp.Not(this=sql) if negate else sql, _BOOLEAN, operand.marks)


def _row_is_null(members: list[Typed], negate: bool) -> Typed:
    """IS NULL: every member is; IS NOT NULL: no member is."""
    if not members:
        return Typed(exp.Boolean(this=True), _BOOLEAN)
    tests = [is_null(member.sql) for member in members]
    if negate:
        tests = [exp.Not(this=test) for test in tests]
    return Typed(conjunction(tests), _BOOLEAN, marks_of(members))


def _is_boolean(context: Context, node: exp.Expression, test: exp.Expression, negate: bool) -> Typed:
    word = "UNKNOWN" if isinstance(test, exp.Var) else "TRUE" if test.this else "FALSE"
    operand = to_boolean(context.bind(node.this), f"IS {word}", context.env)
    if isinstance(test, exp.Var):
        sql = is_null(operand.sql)
        return Typed(exp.Not(this=sql) if negate else sql, _BOOLEAN, operand.marks)
    kind = exp.NullSafeNEQ if negate else exp.NullSafeEQ
    return Typed(binary(kind, operand.sql, exp.Boolean(this=test.this)), _BOOLEAN, operand.marks)


@handles(exp.NullSafeEQ, exp.NullSafeNEQ)
def bind_distinct(context: Context, node: exp.Expression) -> Typed:
    """IS [NOT] DISTINCT FROM, by the operands of =."""
    negate = isinstance(node, exp.NullSafeNEQ)
    if isinstance(node.this, exp.Tuple) or isinstance(node.expression, exp.Tuple):
        left, right = _row_members(context, node.this), _row_members(context, node.expression)
        if len(left) != len(right):
            raise SqlSyntaxError("unequal number of entries in row expressions")
        tests = [_distinct(context, negate, one, other) for one, other in zip(left, right, strict=True)]
        joined = conjunction([test.sql for test in tests], exp.Or if negate else exp.And)
        return Typed(joined, _BOOLEAN, marks_of(tests))
    return _distinct(context, negate, context.bind(node.this), context.bind(node.expression))


def _distinct(context: Context, negate: bool, left: Typed, right: Typed) -> Typed:
    for null, other in ((left, right), (right, left)):
        if null.is_null:
            sql = is_null(other.sql)
            return Typed(exp.Not(this=sql) if negate else sql, _BOOLEAN, left.marks | right.marks)
    equal = compare(context, "=", [left, right], resolve("=", [left, right]))
    kind = exp.NullSafeNEQ if negate else exp.NullSafeEQ
    return Typed(kind(this=equal.sql.this, expression=equal.sql.expression), _BOOLEAN, equal.marks)


# -- BETWEEN, IN, LIKE ------------------------------------------------------------------------------------------------


@handles(exp.Between)
def bind_between(context: Context, node: exp.Expression) -> Typed:
    low, high = node.args["low"], node.args["high"]
    if isinstance(node.this, exp.Tuple):
        first = _rows(context, ">=", node.this, low)
        second = _rows(context, "<=", node.this, high)
        return Typed(binary(exp.And, first.sql, second.sql), _BOOLEAN, first.marks | second.marks)
    value, lower, upper = context.bind(node.this), context.bind(low), context.bind(high)
    forward = _between(context, value, lower, upper)
    if not node.args.get("symmetric"):
        return forward
    backward = _between(context, _copied(value), _copied(upper), _copied(lower))
    return Typed(binary(exp.Or, forward.sql, backward.sql), _BOOLEAN, forward.marks)


def _between(context: Context, value: Typed, lower: Typed, upper: Typed) -> Typed:
    first = compare(context, ">=", [value, lower], resolve(">=", [value, lower]))
    again = _copied(value)
    second = compare(context, "<=", [again, upper], resolve("<=", [again, upper]))
    marks = first.marks | second.marks
    if not value.volatile and first.sql.this == second.sql.this:
        sql = exp.Between(this=first.sql.this, low=first.sql.expression, high=second.sql.expression)
        return Typed(sql, _BOOLEAN, marks)
    return Typed(binary(exp.And, first.sql, second.sql), _BOOLEAN, marks)


@handles(exp.In)
def bind_in(context: Context, node: exp.Expression) -> Typed:
    query = node.args.get("query")
    if query is not None:
        return _quantified_query(context, node.this, "=", context.env.subquery(query.this), exp.Any)
    members = node.expressions
    if isinstance(node.this, exp.Tuple) or any(isinstance(member, exp.Tuple) for member in members):
        left = _row_members(context, node.this)
        tests = [
            compare_rows(context, "=", [_copied(item) for item in left], _row_members(context, member))
            for member in members
        ]
        return Typed(conjunction([test.sql for test in tests], exp.Or), _BOOLEAN, marks_of(tests))
    value = context.bind(node.this)
    return _in_list(context, value, _of_one_type(context, value, context.bind_all(members)))


def _of_one_type(context: Context, value: Typed, members: list[Typed]) -> list[Typed]:
    """Several members without columns are an array for PostgreSQL, of the type that they and the value have in
    common."""
    alone = [member for member in members if not member.marks & COLUMN]
    known = {item.type.oid for item in (value, *alone) if not item.is_unknown}
    if len(alone) < 2 or len(known) < 2 or known <= _EXACT_NUMBERS:
        return members
    common = common_type_oid([value.type.oid, *(member.type.oid for member in alone)])
    if not common:
        return members
    target = PgType(common)
    return [
        member if member.marks & COLUMN else coerce(member, target, Coercion.IMPLICIT, context.env)
        for member in members
    ]


def _in_list(context: Context, value: Typed, bound: list[Typed]) -> Typed:
    """One IN where all members compare with the value in the same way, else ORs (transformAExprIn)."""
    sides, tests = [], []
    for member in bound:
        test = compare(context, "=", [value, member], resolve("=", [value, member]))
        sides.append(test.sql)
        tests.append(test)
    marks = marks_of(tests) | value.marks
    first = sides[0].this
    if all(side.this == first for side in sides):
        return Typed(exp.In(this=paren(first), expressions=[side.expression for side in sides]), _BOOLEAN, marks)
    return Typed(conjunction([side.copy() for side in sides], exp.Or), _BOOLEAN, marks)


@handles(exp.Like, exp.ILike)
def bind_like(context: Context, node: exp.Expression) -> Typed:
    name = "~~*" if isinstance(node, exp.ILike) else "~~"
    return apply_operator(context, name, [context.bind(node.this), context.bind(node.expression)], node)


@handles(exp.SimilarTo)
def bind_similar(context: Context, node: exp.Expression) -> Typed:
    from mere.sql.functions.patterns import similar_to

    return similar_to(context, context.bind(node.this), context.bind(node.expression), None)


@handles(exp.Escape)
def bind_escape(context: Context, node: exp.Expression) -> Typed:
    from mere.sql.functions.patterns import like_with_escape, similar_to

    like, escape = node.this, context.bind(node.expression)
    subject, pattern = context.bind(like.this), context.bind(like.expression)
    if isinstance(like, exp.SimilarTo):
        return similar_to(context, subject, pattern, escape)
    return like_with_escape(context, subject, pattern, escape, isinstance(like, exp.ILike))


# -- ANY and ALL ------------------------------------------------------------------------------------------------------


def bind_quantified(context: Context, left: exp.Expression, name: str, right: exp.Any | exp.All) -> Typed:
    operand = right.this
    query = operand.this if isinstance(operand, exp.Subquery) else operand
    if isinstance(query, exp.Query):
        return _quantified_query(context, left, name, context.env.subquery(cast_node(query)), type(right))
    value = context.bind(left)
    array = context.bind(operand)
    if array.is_unknown:
        array = coerce(array, PgType(array_of(value.type.oid)), Coercion.IMPLICIT, context.env)
    element = element_of(array.type.oid)
    if not element:
        raise DatatypeMismatch("op ANY/ALL (array) requires array on right side", sqlstate="42809")
    return _quantified_array(context, value, name, array, isinstance(right, exp.All))


def _quantified_array(context: Context, value: Typed, name: str, array: Typed, every: bool) -> Typed:
    element = PgType(element_of(array.type.oid), array.type.typmod)
    members = array.sql.expressions if isinstance(array.sql, exp.Array) else None
    if members is not None and name == "=" and not every and members:
        typed = [Typed(member, element, array.marks, array.decimal) for member in members]
        return _in_list(context, value, typed)
    item = Typed(exp.column("mere_item"), element, array.marks, array.decimal)
    test = apply_operator(context, name, [value, item], exp.Null())
    body = exp.Lambda(this=test.sql, expressions=[exp.to_identifier("mere_item")])
    results = call("list_transform", array.sql, body)
    macro = "mere_all_true" if every else "mere_any_true"
    return Typed(call(macro, results), _BOOLEAN, test.marks | array.marks)


def _quantified_query(
    context: Context, left: exp.Expression, name: str, bound: Subquery, quantifier: type[exp.Expression]
) -> Typed:
    inner = left.this if isinstance(left, exp.Paren) else left
    members = context.bind_all(inner.expressions) if isinstance(inner, exp.Tuple) else [context.bind(left)]
    if len(members) != len(bound.columns):
        few = len(members) > len(bound.columns)
        raise SqlSyntaxError("subquery has too few columns" if few else "subquery has too many columns")
    if name not in COMPARISONS:
        raise FeatureNotSupported(f"operator {name} with a subquery is not supported")
    values, columns = _aligned(context, name, members, bound)
    marks = marks_of(members) | bound.marks | SUBQUERY
    query = _with_columns(bound, columns)
    value = values[0] if len(values) == 1 else call("row", *values)
    if name == "=" and quantifier is exp.Any:
        return Typed(exp.In(this=paren(value), query=exp.Subquery(this=query)), _BOOLEAN, marks)
    if name == "<>" and quantifier is exp.All:
        return Typed(exp.Not(this=exp.In(this=paren(value), query=exp.Subquery(this=query))), _BOOLEAN, marks)
    right = quantifier(this=exp.Subquery(this=query))
    return Typed(binary(COMPARISONS[name], value, right), _BOOLEAN, marks)


def _aligned(
    context: Context, name: str, members: list[Typed], bound: Subquery
) -> tuple[list[exp.Expression], list[exp.Expression | None]]:
    """Both sides of each comparison as the operator takes them; None for a column that is right as it is."""
    values: list[exp.Expression] = []
    columns: list[exp.Expression | None] = []
    for index, (member, column) in enumerate(zip(members, bound.columns, strict=True)):
        plain = exp.column(f"c{index + 1}", "mere_any")
        reference = column.reference(plain)
        test = compare(context, name, [member, reference], resolve(name, [member, reference]))
        values.append(test.sql.this)
        side = test.sql.expression
        columns.append(None if side is plain or side == plain else side)
    return values, columns


def _with_columns(bound: Subquery, columns: list[exp.Expression | None]) -> exp.Expression:
    if all(column is None for column in columns):
        return bound.sql
    names = [f"c{index + 1}" for index in range(len(columns))]
    alias = exp.TableAlias(this=exp.to_identifier("mere_any"), columns=[exp.to_identifier(name) for name in names])
    chosen = [column or exp.column(name, "mere_any") for name, column in zip(names, columns, strict=True)]
    return exp.Select(expressions=chosen, from_=exp.From(this=exp.Subquery(this=bound.sql, alias=alias)))
