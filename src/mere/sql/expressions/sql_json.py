"""SQL/JSON's query functions in their plain forms: json_exists, json_value, json_query, json_scalar, json_serialize.

Their errors give NULL or false, as the standard has it where nothing else is written. Coordinator process.
"""

from __future__ import annotations

from sqlglot import exp

from mere.errors import UndefinedObject
from mere.sql.coercion import as_text, coerce
from mere.sql.expressions.build import call, cast, string
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import Coercion, Typed
from mere.sql.functions.json_values import to_json_text
from mere.sql.grammar.nodes import Call
from mere.sql.types import BOOL, JSON, JSONB, JSONPATH, TEXT, PgType

_QUERIES = {
    "json_exists": ("mere_sql_json_exists", BOOL),
    "json_value": ("mere_sql_json_value", TEXT),
    "json_query": ("mere_sql_json_query", JSONB),
}
SQL_JSON = frozenset((*_QUERIES, "json_scalar", "json_serialize"))


def bind_sql_json(context: Context, node: Call) -> Typed:
    arguments = context.bind_all(node.expressions)
    wanted = 2 if node.name in _QUERIES else 1
    if len(arguments) != wanted:
        raise UndefinedObject(f"function {node.name} takes {wanted} arguments", sqlstate="42883")
    value = arguments[0]
    if node.name == "json_scalar":
        return Typed(cast(to_json_text(context, value), "JSON"), PgType(JSON), value.marks)
    if node.name == "json_serialize":
        document = coerce(value, PgType(JSON), Coercion.IMPLICIT, context.env) if value.is_unknown else value
        return as_text(document, context.env)
    macro, result = _QUERIES[node.name]
    document = coerce(value, PgType(JSONB), Coercion.EXPLICIT, context.env)
    path = coerce(arguments[1], PgType(JSONPATH), Coercion.IMPLICIT, context.env)
    if node.name == "json_exists":
        found = call("mere_jsonpath_exists", document.sql, path.sql, string("{}"), exp.Boolean(this=True))
        parts = [found, document.sql.copy()]
    else:
        parts = [call("mere_jsonpath_or_null", document.sql, path.sql)]
    return Typed(call(macro, *parts), PgType(result), document.marks | path.marks)
