"""A function in FROM: one row set, a column for each result, WITH ORDINALITY.

Lives in the gateway's process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.bind.binding import Binding
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.scope import RangeColumn, RangeItem, Scope, column_sql, identifier_name, quoted, refer
from mere.sql.bind.user_calls import bind_user_rows
from mere.sql.bind.user_function import FunctionRows
from mere.sql.expressions import SetFunction, Typed, bind_expression, bind_set_function, figure_name
from mere.sql.expressions.records import bind_records
from mere.sql.expressions.typed import COLUMN
from mere.sql.grammar.type_names import parse_type
from mere.sql.types import INT8, PgType

_ELEMENT, _LIST = "mere_element", "mere_list"


def bind_function(binding: Binding, node: exp.Expression, scope: Scope) -> tuple[exp.Expression, RangeItem]:
    """`scope` shows what stands to the left: a function in FROM may always read it."""
    alias = node.args.get("alias")
    if node.args.get("rows_from"):
        raise FeatureNotSupported("ROWS FROM is not supported")
    call = _call(node)
    ordinality = bool(node.args.get("ordinality") or node.args.get("offset"))
    declared = list(alias.args.get("columns") or []) if alias is not None else []
    defined = [_defined(column) for column in declared if isinstance(column, exp.ColumnDef)]
    names = [name for name, _ in defined] or [identifier_name(column) for column in declared]
    function = figure_name(call)
    shown = identifier_name(alias.this) if alias is not None and alias.this is not None else function
    environment = ScopeEnvironment(binding, scope)
    rows = bind_user_rows(environment, call)
    if rows is not None:
        return _user_rows(binding, rows, shown, names, ordinality, aliased=shown != function)
    bound = bind_records(call, defined, environment) if defined else _bind_call(call, environment)
    emitted = binding.alias(shown)
    outputs = [(column.name, column.typed) for column in bound.columns]
    if len(outputs) == 1 and not bound.struct and outputs[0][0] == function:
        # A scalar's column has the alias' name, unless the function names its result.
        outputs = [(shown, outputs[0][1])]
    if ordinality:
        outputs.append(("ordinality", Typed(exp.Column(this=quoted("ordinality")), PgType(INT8), COLUMN)))
    if len(names) > len(outputs):
        message = f'table "{shown}" has {len(outputs)} columns available but {len(names)} columns specified'
        raise SqlSyntaxError(message, sqlstate="42P10")
    columns = []
    for number, (name, typed) in enumerate(outputs):
        reference = refer(typed, column_sql(emitted, f"c{number + 1}"))
        columns.append(RangeColumn(names[number] if number < len(names) else name, reference))
    tree = _emit(bound, emitted, ordinality)
    scalar = len(outputs) == 1 and not bound.struct
    return tree, RangeItem(shown, columns, emitted=emitted, scalar=scalar)


def _defined(column: exp.ColumnDef) -> tuple[str, PgType]:
    """A column of a definition list: (a int, b text)."""
    return identifier_name(column.this), parse_type(column.args["kind"].args["kind"])


def _user_rows(
    binding: Binding, rows: FunctionRows, shown: str, names: list[str], ordinality: bool, aliased: bool
) -> tuple[exp.Expression, RangeItem]:
    """A function in SQL stands as the query that it is."""
    if ordinality:
        raise FeatureNotSupported("WITH ORDINALITY is not supported for functions of users over lake data")
    emitted = binding.alias(shown)
    query = rows.block.close()
    binding.derived[emitted] = rows.block.lineage
    shown_names = list(rows.names)
    if aliased and rows.plain:
        shown_names = [shown]  # a set of plain values has the alias' name
    if len(names) > len(shown_names):
        message = f'table "{shown}" has {len(shown_names)} columns available but {len(names)} columns specified'
        raise SqlSyntaxError(message, sqlstate="42P10")
    shown_names[: len(names)] = names
    references = rows.block.references(emitted)
    columns = [RangeColumn(name, typed) for name, (_, typed) in zip(shown_names, references, strict=True)]
    alias = exp.TableAlias(this=quoted(emitted))
    tree: exp.Expression = exp.Subquery(this=query, alias=alias)
    if rows.correlated:
        tree = exp.Lateral(this=exp.Subquery(this=query), alias=alias)
    return tree, RangeItem(shown, columns, emitted=emitted)


def _call(node: exp.Expression) -> exp.Expression:
    """The function call of a FROM item, whichever node the parser made of it."""
    if isinstance(node, exp.Unnest):
        call = node.copy()
        for key in ("alias", "offset"):
            call.set(key, None)
        return call
    call = node.this
    assert isinstance(call, exp.Expression)
    return call


def _bind_call(call: exp.Expression, environment: ScopeEnvironment) -> SetFunction:
    """A set-returning function; or an ordinary one, which is a set of one row."""
    try:
        return bind_set_function(call, environment)
    except (UndefinedObject, FeatureNotSupported) as failure:
        try:
            typed = environment.known(bind_expression(call, environment))
        except (UndefinedObject, FeatureNotSupported):
            raise failure from None
        return single_row(figure_name(call), typed)


def single_row(name: str, typed: Typed) -> SetFunction:
    from mere.sql.expressions import SetColumn

    element = refer(typed, exp.Column(this=quoted(_ELEMENT)))
    rows = exp.Array(expressions=[typed.sql])
    return SetFunction(rows, (SetColumn(name, element),), struct=False, marks=typed.marks)


def _emit(bound: SetFunction, emitted: str, ordinality: bool) -> exp.Expression:
    """SELECT the columns, as c1, c2 ..., FROM (SELECT unnest(rows)): beside the tables read, LATERAL."""
    correlated = bool(bound.marks & COLUMN)
    alias = exp.TableAlias(this=quoted(emitted))
    if bound.table is not None and not correlated and not ordinality and len(bound.columns) == 1 and not bound.struct:
        alias.set("columns", [quoted("c1")])
        return exp.Table(this=bound.table, alias=alias)
    projections: list[exp.Expression] = [
        _alias(_member(column.typed.sql, f"c{number + 1}") if bound.struct else column.typed.sql, f"c{number + 1}")
        for number, column in enumerate(bound.columns)
    ]
    inner = exp.Select(expressions=[_alias(_unnest(bound.rows), _ELEMENT)])
    if ordinality:
        rows = exp.Column(this=quoted(_LIST))
        length = exp.Anonymous(this="len", expressions=[rows.copy()])
        numbers = exp.Anonymous(this="range", expressions=[_one(), exp.Add(this=length, expression=_one())])
        inner = exp.Select(
            expressions=[_alias(_unnest(rows), _ELEMENT), _alias(_unnest(numbers), "ordinality")],
            from_=exp.From(
                this=exp.Subquery(
                    this=exp.Select(expressions=[_alias(bound.rows, _LIST)]),
                    alias=exp.TableAlias(this=quoted(f"{emitted}_list")),
                )
            ),
        )
        projections.append(_alias(exp.Column(this=quoted("ordinality")), f"c{len(bound.columns) + 1}"))
    source = exp.Subquery(this=inner, alias=exp.TableAlias(this=quoted(f"{emitted}_rows")))
    select = exp.Select(expressions=projections, from_=exp.From(this=source))
    if correlated:
        return exp.Lateral(this=exp.Subquery(this=select), alias=alias)
    return exp.Subquery(this=select, alias=alias)


def _member(element: exp.Expression, name: str) -> exp.Expression:
    """A field of the element, where the expression is not one already."""
    if not isinstance(element, exp.Column):
        return element
    return exp.Anonymous(this="struct_extract", expressions=[element, exp.Literal.string(name)])


def _alias(sql: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=sql, alias=quoted(name))


def _unnest(rows: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this="unnest", expressions=[rows])


def _one() -> exp.Expression:
    return exp.Literal.number(1)
