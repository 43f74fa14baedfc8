"""Function calls: the overload by PostgreSQL's rules, then DuckDB's form from the allow-list. Coordinator process."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported, SqlSyntaxError, UndefinedObject
from mere.sql.coercion import coerce
from mere.sql.expressions.build import call
from mere.sql.expressions.conditionals import bind_coalesce, bind_extreme, bind_nullif
from mere.sql.expressions.context import Context, handles, marks_of
from mere.sql.expressions.sql_json import SQL_JSON, bind_sql_json
from mere.sql.expressions.typed import AGGREGATE, COLUMN, PLACEHOLDER, SET, VOLATILE, Coercion, Typed
from mere.sql.functions import catalog
from mere.sql.functions.named import positional
from mere.sql.functions.registry import NORMAL_FORMS, SCALARS, BoundCall, Entry
from mere.sql.functions.resolution import AmbiguousName, Resolved, resolve_function
from mere.sql.grammar.nodes import Call
from mere.sql.grammar.type_names import parse_type
from mere.sql.types import ANY, BY_NAME, INT4, INT8, INTERVAL, NAME, STRINGS, TEXT, PgType, element_of, type_name

# SQL's own spellings of functions that PostgreSQL evaluates once for a statement.
_SESSION_VALUES: dict[str, tuple[str, int]] = {
    "current_date": ("current_date", BY_NAME["date"]),
    "current_time": ("current_time", BY_NAME["timetz"]),
    "current_timestamp": ("current_timestamp", BY_NAME["timestamptz"]),
    "localtime": ("localtime", BY_NAME["time"]),
    "localtimestamp": ("localtimestamp", BY_NAME["timestamp"]),
    "current_user": ("current_user", NAME),
    "current_role": ("current_user", NAME),
    "user": ("current_user", NAME),
    "session_user": ("session_user", NAME),
    "system_user": ("system_user", TEXT),
    "current_catalog": ("current_catalog", NAME),
    "current_schema": ("current_schema", NAME),
}
_PLAIN_SCHEMAS = ("", "pg_catalog")
_SAME_FOR_ALL_ROWS = frozenset(("lastval", "pg_database_size", "pg_is_in_recovery"))  # though called volatile
_SEQUENCES = frozenset(("nextval", "setval", "currval", "lastval"))


@dataclass(frozen=True, slots=True)
class Found:
    """A resolved call with its arguments as bound."""

    resolved: Resolved
    arguments: list[Typed]


def unsupported(name: str, types: list[int]) -> FeatureNotSupported:
    return FeatureNotSupported(f"function {name}({', '.join(type_name(oid) for oid in types)}) is not supported")


@handles(Call)
def bind_call(context: Context, node: exp.Expression) -> Typed:
    assert isinstance(node, Call)
    name = node.name
    if not node.args.get("keyword") and (user := context.env.call(context, node)) is not None:
        return user
    if node.args.get("schema", "") not in _PLAIN_SCHEMAS and node.args.get("schema") is not None:
        raise FeatureNotSupported(f"function {node.args['schema']}.{name}() is not supported over lake data")
    if node.args.get("keyword"):
        return _keyword(context, node)
    if name in catalog.AGGREGATES or name in catalog.WINDOWS:
        from mere.sql.expressions.aggregates import bind_aggregate

        return bind_aggregate(context, node, None, None)
    if name in catalog.SETS:
        from mere.sql.expressions.sets import bind_set_in_list

        return bind_set_in_list(context, node)
    if name in SQL_JSON:
        return bind_sql_json(context, node)
    return _function(context, node)


def _keyword(context: Context, node: Call) -> Typed:
    name = node.name
    known = _SESSION_VALUES.get(name)
    if known is not None:
        return session_value(context, context.postgres_text(node), known[1])
    if name == "grouping":
        return _grouping(context, node)
    arguments = context.bind_all(node.expressions)
    if name == "coalesce":
        return bind_coalesce(context, arguments)
    if name in ("greatest", "least"):
        return bind_extreme(context, name, arguments)
    if name == "nullif":
        return bind_nullif(context, arguments)
    if name.startswith("is_n"):
        return _is_normalized(context, name, arguments[0])
    if name == "is_json":
        return Typed(call("mere_is_json", arguments[0].sql, arguments[1].sql), PgType(16), arguments[0].marks)
    raise FeatureNotSupported(f"{name} is not supported")


def _is_normalized(context: Context, name: str, value: Typed) -> Typed:
    form = "nfc" if name == "is_normalized" else name.removeprefix("is_")
    text = coerce(value, PgType(TEXT), Coercion.IMPLICIT, context.env)
    made = call(NORMAL_FORMS[form], text.sql.copy())
    return Typed(exp.Paren(this=exp.EQ(this=text.sql, expression=made)), PgType(16), text.marks)


def session_value(context: Context, text: str, oid: int) -> Typed:
    """What PostgreSQL alone knows, or fixes for the transaction: one value for the statement."""
    return context.env.constant(text, PgType(oid))


def _grouping(context: Context, node: Call) -> Typed:
    arguments = context.bind_all(node.expressions)
    sql = exp.Cast(
        this=call("grouping", *(argument.sql for argument in arguments)),
        to=exp.DataType(this=exp.DType.USERDEFINED, kind="INTEGER"),
    )
    return Typed(sql, PgType(INT4), marks_of(arguments) | AGGREGATE)


def find(context: Context, name: str, arguments: list[Typed]) -> Resolved:
    """The overload for bound arguments, or 42883 / 42725 in PostgreSQL's words."""
    types = tuple(argument.type.oid for argument in arguments)
    try:
        resolved = resolve_function(name, types)
    except AmbiguousName:
        raise UndefinedObject(f"function {_spelled(name, types)} is not unique", sqlstate="42725") from None
    if resolved is None:
        if not catalog.functions(name):
            raise FeatureNotSupported(f"function {_spelled(name, types)} is not supported over lake data")
        raise UndefinedObject(
            f"function {_spelled(name, types)} does not exist",
            sqlstate="42883",
            hint="No function matches the given name and argument types. You might need to add explicit type casts.",
        )
    return resolved


def _spelled(name: str, types: tuple[int, ...]) -> str:
    return f"{name}({', '.join(type_name(oid) for oid in types)})"


def coerced(context: Context, arguments: list[Typed], resolved: Resolved) -> list[Typed]:
    """Each argument as the overload declares it; "any" arguments stay as they are."""
    declared = resolved.signature.arguments
    made = []
    for index, (argument, target) in enumerate(zip(arguments, resolved.arguments, strict=True)):
        original = declared[min(index, len(declared) - 1)] if declared else ANY
        if original == ANY and not argument.is_unknown:
            made.append(argument)
        else:
            keep = argument.type if argument.type.oid == target else PgType(target)
            made.append(coerce(argument, keep, Coercion.IMPLICIT, context.env))
    return made


def _function(context: Context, node: Call) -> Typed:
    name = node.name
    if node.args.get("distinct") or node.args.get("order"):
        raise SqlSyntaxError(f"DISTINCT specified, but {name} is not an aggregate function", sqlstate="42809")
    if name in _SEQUENCES and node.find(exp.Column, exp.Query) is None:
        number = context.env.once(context.postgres_text(node), PgType(INT8))
        if number is not None:
            return number
    arguments = context.bind_all(positional(name, node.expressions))
    if len(arguments) == 1:
        as_cast = _type_function(context, name, arguments[0])
        if as_cast is not None:
            return as_cast
    if node.args.get("variadic"):
        return _variadic(context, node, arguments)
    resolved = find(context, name, arguments)
    return apply(context, node, resolved, arguments)


def apply(context: Context, node: Call, resolved: Resolved, arguments: list[Typed]) -> Typed:
    name = node.name
    entry = SCALARS.get(str(resolved.signature)) or SCALARS.get(name)
    marks = marks_of(arguments)
    if entry is None:
        return _left_to_postgres(context, node, resolved, marks)
    if name in catalog.VOLATILE:
        marks |= VOLATILE
    try:
        bound = BoundCall(context, node, resolved, coerced(context, arguments, resolved), arguments, marks)
        return build(entry, bound)
    except FeatureNotSupported:
        if marks & ~PLACEHOLDER:
            raise
        return _left_to_postgres(context, node, resolved, marks)


def build(entry: Entry, bound: BoundCall) -> Typed:
    made = call(entry, *(argument.sql for argument in bound.arguments)) if isinstance(entry, str) else entry(bound)
    if isinstance(made, Typed):
        return made
    return Typed(made, PgType(bound.resolved.result), bound.marks)


def _left_to_postgres(context: Context, node: Call, resolved: Resolved, marks: int) -> Typed:
    """No DuckDB form: PostgreSQL evaluates it once when nothing in it depends on a row."""
    if marks & ~PLACEHOLDER or node.name in ("set_config", "pg_sleep"):
        raise unsupported(node.name, list(resolved.arguments))
    if node.name in catalog.VOLATILE - _SAME_FOR_ALL_ROWS:
        value = context.env.once(context.postgres_text(node), PgType(resolved.result))
        if value is None:
            raise unsupported(node.name, list(resolved.arguments))
        return value
    return context.env.constant(context.postgres_text(node), PgType(resolved.result))


def _type_function(context: Context, name: str, argument: Typed) -> Typed | None:
    """date(x), text(x), float8(x): a type's name called as a function is a cast (func_get_detail)."""
    if name not in BY_NAME or name in ("char", "interval", "time", "timestamp") or SCALARS.get(name):
        return None
    oid = BY_NAME[name]
    source = argument.type.oid
    if argument.is_unknown or source == oid or (source in STRINGS) != (oid in STRINGS):
        return coerce(argument, parse_type(name), Coercion.EXPLICIT, context.env)
    if catalog.cast_context(source, oid) is not None and (oid == INTERVAL or name in catalog.STABLE or oid):
        return coerce(argument, parse_type(name), Coercion.EXPLICIT, context.env)
    return None


def _variadic(context: Context, node: Call, arguments: list[Typed]) -> Typed:
    """f(VARIADIC array): only what takes a list in DuckDB."""
    entry = SCALARS.get(f"{node.name}(variadic)")
    element = element_of(arguments[-1].type.oid)
    if entry is None or not element:
        raise FeatureNotSupported(f"VARIADIC arguments of {node.name}() are not supported")
    stand_in = [*arguments[:-1], Typed(arguments[-1].sql, PgType(element), arguments[-1].marks)]
    resolved = find(context, node.name, stand_in)
    bound = BoundCall(context, node, resolved, arguments, arguments, marks_of(arguments))
    return build(entry, bound)


__all__ = ["COLUMN", "SET", "Found", "apply", "bind_call", "build", "coerced", "find", "session_value", "unsupported"]
