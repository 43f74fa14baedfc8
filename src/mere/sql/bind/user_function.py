"""Functions of the users' in SQL, put in the place of their calls, as PostgreSQL does it where it can.

The arguments are bound where the call stands; the body is bound in a scope of its own, whose outermost names are the
arguments. Lives in the gateway's process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from mere.errors import DatatypeMismatch, FeatureNotSupported, InsufficientPrivilege, MereError
from mere.sql.bind.binding import Binding
from mere.sql.bind.block import Block
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.bind.function_body import body_query
from mere.sql.bind.growth import weight
from mere.sql.bind.parse import parse
from mere.sql.bind.scope import Frame, Level, Namespace, RangeColumn, RangeItem, Scope, copy_of, quoted, refer
from mere.sql.coercion import coerce
from mere.sql.expressions import Coercion, Typed
from mere.sql.expressions.build import case, cast_to, conjunction, is_null, paren
from mere.sql.expressions.context import marks_of
from mere.sql.expressions.typed import AGGREGATE, COLUMN, PLACEHOLDER, SET, SUBQUERY, VOLATILE, WINDOW
from mere.sql.functions.user import Meant, UserFunction
from mere.sql.grammar.nodes import Call
from mere.sql.types import RECORD, VOID, PgType, duckdb_type, type_name

_LARGEST = 50_000  # nodes of an expression in which functions stand
_OF_GROUPS = AGGREGATE | WINDOW | SET
_EXPRESSION = frozenset({"expressions", "kind"})


@dataclass(slots=True)
class Argument(RangeColumn):
    """An argument as its function's body sees it: a column that no FROM shows. `again` binds it anew, for what holds a
    query cannot stand twice in one tree; `node` is its syntax where PostgreSQL can evaluate it without any row."""

    function: str = ""
    again: Callable[[], Typed] | None = None
    node: exp.Expression | None = None
    reads: int = 0

    def read(self) -> Typed:
        self.reads += 1
        if self.reads > 1 and self.typed.marks & (VOLATILE | SET):
            raise FeatureNotSupported(
                f"function {self.function}() is not supported over lake data with an argument that is volatile:"
                " it uses it more than once"
            )
        if self.reads > 1 and self.typed.contains_subquery and self.again is not None:
            return self.again()
        return copy_of(self.typed)


@dataclass(frozen=True, slots=True)
class Called:
    """A function whose body is being bound: its arguments, and where they stand."""

    function: UserFunction
    arguments: tuple[Argument, ...]
    scope: Scope
    around: Called | None  # whose body calls it

    def argument(self, number: int) -> Argument | None:
        """$number, or None."""
        return self.arguments[number - 1] if 0 < number <= len(self.arguments) else None


def value_of(environment: ScopeEnvironment, node: Call, meant: Meant, bound: list[Typed]) -> Typed:
    """A call where a value stands. `bound` are its arguments as they are written."""
    function = meant.function
    _check(environment, function)
    if function.returns_set:
        raise FeatureNotSupported(f"{function.name}() in a select list is not supported; call it in FROM")
    if function.returns_row or function.result == VOID:
        raise FeatureNotSupported(
            f"function {function.name}() is not supported over lake data: it returns no one value"
        )
    called = _called(environment, node, meant, bound)
    tree = body_query(function)
    single = _single_expression(tree)
    if single is not None:
        typed = _expression(environment.binding, called, single, meant.resolved.result)
    else:
        typed = _subquery(environment.binding, called, tree, meant.resolved.result)
    typed = _strict(called, typed)
    if weight(typed.sql) > _LARGEST:
        raise MereError("functions in functions make this statement too large", sqlstate="54001")
    return typed


@dataclass(frozen=True, slots=True)
class FunctionRows:
    """A call in FROM: the query, and its columns as PostgreSQL names them."""

    block: Block
    names: tuple[str, ...]
    correlated: bool  # with what stands to its left, or around
    plain: bool  # values without a name of their own


def rows_of(environment: ScopeEnvironment, node: Call, meant: Meant, bound: list[Typed]) -> FunctionRows:
    """A call of a function that returns a set, in FROM."""
    function = meant.function
    _check(environment, function)
    called = _called(environment, node, meant, bound)
    _refuse_evaluating_often(called)
    scope = called.scope
    block = environment.binding.query(body_query(function), scope, scope.frame)
    columns = function.columns or ((function.name, meant.resolved.result),)
    if len(block.outputs) != len(columns):
        raise FeatureNotSupported(
            f"function {function.name}() returns whole rows, which is not supported over lake data"
        )
    inside = ScopeEnvironment(environment.binding, scope)
    block.coerce([_as(inside, function, o.typed, oid) for o, (_, oid) in zip(block.outputs, columns, strict=True)])
    if function.strict and called.arguments:
        block = _unless_null(environment.binding, called, block)
    correlated = any(argument.reads and argument.typed.marks & COLUMN for argument in called.arguments)
    return FunctionRows(block, tuple(name for name, _ in columns), correlated, plain=function.columns is None)


# -- what a call needs ------------------------------------------------------------------------------------------------


def _check(environment: ScopeEnvironment, function: UserFunction) -> None:
    if not function.executable:
        raise InsufficientPrivilege(f"permission denied for function {function.name}")
    if function.definer or function.settings:
        what = "SECURITY DEFINER" if function.definer else "SET"
        raise FeatureNotSupported(f"function {function.name}() is not supported over lake data: it has {what}")
    around = environment.scope.frame.called
    while around is not None:
        if around.function.oid == function.oid:
            raise FeatureNotSupported(f"function {function.name}() is not supported over lake data: it calls itself")
        around = around.around
    if function.volatility == "v" and environment.binding.changes and _reads_relations(function):
        raise FeatureNotSupported(
            f"function {function.name}() cannot read tables while rows are changed: it is VOLATILE",
            hint="Declare it STABLE: it then sees the tables as they were before the statement.",
        )


def _reads_relations(function: UserFunction) -> bool:
    return body_query(function).find(exp.Table) is not None


def _called(environment: ScopeEnvironment, node: Call, meant: Meant, bound: list[Typed]) -> Called:
    function = meant.function
    arguments = _arguments(environment, node, meant, bound)
    lookup, views = environment.binding.resolved.by_name.get, environment.scope.frame.views
    frame = Frame(lookup, views=views, printed=function.body is not None)
    scope = Scope(Level(), None, frame)
    called = Called(function, arguments, scope, environment.scope.frame.called)
    scope.frame = replace(frame, called=called)
    named: list[RangeColumn] = [argument for argument in arguments if argument.name]
    scope.namespace = Namespace([RangeItem(function.name, named)], named)
    return called


def _arguments(environment: ScopeEnvironment, node: Call, meant: Meant, bound: list[Typed]) -> tuple[Argument, ...]:
    function = meant.function
    defaults = ScopeEnvironment(
        environment.binding, Scope(Level(), None, replace(environment.binding.frame(), printed=True))
    )
    arguments = []
    for given, place, oid in zip(function.inputs, meant.places, _concrete(meant), strict=True):
        if place is None:
            written, env = _default(given.default or "NULL"), defaults
            typed = env.expression(written)
        else:
            written, env = node.expressions[place], environment
            written = written.expression if isinstance(written, exp.Kwarg) else written
            typed = bound[place]
        arguments.append(_argument(env, function, given.name, written, typed, oid))
    return tuple(arguments)


def _concrete(meant: Meant) -> list[int]:
    return [
        meant.resolved.arguments[place] if place is not None else given.oid
        for given, place in zip(meant.function.inputs, meant.places, strict=True)
    ]


def _default(text: str) -> exp.Expression:
    node: exp.Expression = parse(f"SELECT {text}").expressions[0]
    return node


def _argument(
    env: ScopeEnvironment, function: UserFunction, name: str, written: exp.Expression, typed: Typed, oid: int
) -> Argument:
    target = PgType(oid)
    if not duckdb_type(target):
        raise FeatureNotSupported(
            f"function {function.name}() is not supported over lake data: it takes {type_name(oid)}"
        )

    def given(value: Typed) -> Typed:
        # Arguments have no modifiers, but a numeric keeps the digits that it has.
        return replace(
            coerce(value, value.type if value.type.oid == oid else target, Coercion.IMPLICIT, env), type=target
        )

    node = None
    if not typed.marks & ~PLACEHOLDER:
        node = exp.Cast(
            this=exp.Paren(this=env.written(written).copy()),
            to=exp.DataType(this=exp.DType.USERDEFINED, kind=type_name(oid)),
        )

    def again() -> Typed:
        return given(env.expression(written))

    return Argument(name, given(typed), function=function.name, again=again, node=node)


def placed(environment: ScopeEnvironment, node: Call, meant: Meant, bound: list[Typed]) -> list[Typed]:
    """The arguments of a call in the function's order, of its types."""
    return [argument.typed for argument in _arguments(environment, node, meant, bound)]


# -- what a body gives ------------------------------------------------------------------------------------------------


def _single_expression(tree: exp.Expression) -> exp.Expression | None:
    """What SELECT expression, with nothing else, selects."""
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1:
        return None
    if any(value for key, value in tree.args.items() if key not in _EXPRESSION):
        return None
    node = tree.expressions[0]
    node = node.this if isinstance(node, exp.Alias) else node
    return None if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and node.is_star) else node


def _expression(binding: Binding, called: Called, node: exp.Expression, result: int) -> Typed:
    if node.find(exp.Query) is not None:
        _refuse_evaluating_often(called)
    inside = ScopeEnvironment(binding, called.scope)
    typed = inside.known(inside.expression(node))
    given = marks_of([argument.typed for argument in called.arguments])
    if typed.marks & _OF_GROUPS & ~given:
        raise FeatureNotSupported(
            f"function {called.function.name}() is not supported over lake data: it groups or numbers rows"
        )
    typed = _as(inside, called.function, typed, result)
    return replace(typed, sql=paren(typed.sql))


def _subquery(binding: Binding, called: Called, tree: exp.Expression, result: int) -> Typed:
    """The first row of a query, or NULL."""
    _refuse_evaluating_often(called)
    scope = called.scope
    block = binding.query(tree, scope, scope.frame)
    if len(block.outputs) != 1:
        raise FeatureNotSupported(f"function {called.function.name}() is not supported over lake data: it returns rows")
    single = isinstance(tree, exp.Select) and not tree.args.get("group") and block.outputs[0].typed.contains_aggregate
    block.coerce([_as(ScopeEnvironment(binding, scope), called.function, block.outputs[0].typed, result)])
    sql = block.close()
    output = block.outputs[0]
    if not single:
        sql = _first(binding, sql, output.alias)
    column = refer(output.typed, exp.Column(this=quoted(output.alias)))
    marks = block.marks & (VOLATILE | PLACEHOLDER) | SUBQUERY
    marks |= marks_of([argument.typed for argument in called.arguments if argument.reads]) & (COLUMN | PLACEHOLDER)
    return replace(column, sql=exp.Subquery(this=sql), marks=marks, fields=())


def _first(binding: Binding, sql: exp.Expression, alias: str) -> exp.Expression:
    if not isinstance(sql, exp.Select) or sql.args.get("limit") is not None or sql.args.get("offset") is not None:
        inner = exp.Subquery(this=sql, alias=exp.TableAlias(this=quoted(binding.alias("mere_function"))))
        sql = exp.Select(expressions=[exp.Column(this=quoted(alias))], from_=exp.From(this=inner))
    sql.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    return sql


def _as(env: ScopeEnvironment, function: UserFunction, typed: Typed, oid: int) -> Typed:
    """As what the function says that it returns."""
    if typed.type.oid == RECORD or not duckdb_type(PgType(oid)):
        raise FeatureNotSupported(
            f"function {function.name}() is not supported over lake data: it returns {type_name(oid)}"
        )
    try:
        target = typed.type if typed.type.oid == oid else PgType(oid)
        return replace(coerce(env.known(typed), target, Coercion.ASSIGNMENT, env), type=PgType(oid))
    except DatatypeMismatch as error:
        raise FeatureNotSupported(
            f"function {function.name}() is not supported over lake data: {error.message}"
        ) from error


def _nullable(called: Called) -> list[exp.Expression]:
    """A test for each argument that may be NULL."""
    return [is_null(argument.read().sql) for argument in called.arguments if argument.typed.value is None]


def _strict(called: Called, typed: Typed) -> Typed:
    if not called.function.strict or not (tests := _nullable(called)):
        return typed
    value = cast_to(typed.sql, typed.type) if typed.bare else typed.sql
    sql = case(conjunction(tests, exp.Or), exp.Null(), value)
    marks = typed.marks | marks_of([argument.typed for argument in called.arguments])
    return replace(typed, sql=exp.Paren(this=sql), marks=marks, value=None, bare=False, is_null=False)


def _unless_null(binding: Binding, called: Called, block: Block) -> Block:
    """No rows where an argument is NULL."""
    tests = _nullable(called)
    if not tests:
        return block
    inner = block.close()
    wrapper = binding.alias("mere_function")
    outputs = [
        replace(output, typed=typed)
        for (_, typed), output in zip(block.references(wrapper), block.outputs, strict=True)
    ]
    source = exp.Subquery(this=inner, alias=exp.TableAlias(this=quoted(wrapper)))
    where = exp.Where(this=exp.Not(this=exp.Paren(this=conjunction(tests, exp.Or))))
    return Block(exp.Select(from_=exp.From(this=source), where=where), outputs, marks=block.marks)


def _refuse_evaluating_often(called: Called) -> None:
    """Inside of a query an argument is evaluated for each row there, or within its groups."""
    for argument in called.arguments:
        if argument.typed.marks & (VOLATILE | _OF_GROUPS):
            raise FeatureNotSupported(
                f"function {called.function.name}() is a query, which cannot take an argument over lake data that is"
                " volatile, or that holds an aggregate"
            )
