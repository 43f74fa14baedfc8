"""json_to_record and its kin: the members of JSON objects as columns that the query declares. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.coercion import coerce
from mere.sql.expressions.build import call, string
from mere.sql.expressions.context import Context
from mere.sql.expressions.typed import COLUMN, Coercion, Environment, SetColumn, SetFunction, Typed
from mere.sql.grammar.nodes import Call
from mere.sql.types import JSON, JSONB, STRINGS, TEXT, PgType, element_of

_RECORDS = {"json_to_record": JSON, "jsonb_to_record": JSONB}
_SETS = {"json_to_recordset": JSON, "jsonb_to_recordset": JSONB}


def bind_records(node: exp.Expression, columns: list[tuple[str, PgType]], env: Environment) -> SetFunction:
    name = node.name if isinstance(node, Call) else ""
    oid = _RECORDS.get(name) or _SETS.get(name)
    if oid is None or not isinstance(node, Call) or len(node.expressions) != 1:
        raise FeatureNotSupported("a column definition list is supported for json_to_record and its kin alone")
    context = Context(env)
    document = coerce(context.bind(node.expressions[0]), PgType(oid), Coercion.IMPLICIT, env)
    member = exp.column("mere_object")
    fields, shown = [], []
    for place, (column, target) in enumerate(columns):
        typed = _member(member, column, target, oid, env)
        fields.append(exp.PropertyEQ(this=exp.to_identifier(f"c{place + 1}"), expression=typed.sql))
        element = Typed(exp.column("mere_element"), target, COLUMN, typed.decimal, typed.display)
        shown.append(SetColumn(column, element))
    body = exp.Lambda(this=exp.Struct(expressions=fields), expressions=[exp.to_identifier("mere_object")])
    objects = call("mere_json_objects" if name in _SETS else "mere_json_object", document.sql)
    rows = call("list_transform", objects, body)
    return SetFunction(rows, tuple(shown), struct=True, marks=document.marks)


def _member(document: exp.Expression, column: str, target: PgType, oid: int, env: Environment) -> Typed:
    """One member by the input function of its column's type; JSON's null is NULL to any type."""
    if element_of(target.oid):
        raise FeatureNotSupported("an array in a column definition list is not supported over lake data")
    kind = "jsonb" if oid == JSONB else "json"
    if target.oid in (JSON, JSONB):
        piece = call("mere_json_member_value", call(f"mere_{kind}_get_key", document.copy(), string(column)))
        return coerce(Typed(piece, PgType(oid), COLUMN), target, Coercion.EXPLICIT, env)
    text = Typed(call(f"mere_{kind}_text_key", document.copy(), string(column)), PgType(TEXT), COLUMN)
    return coerce(text, target, Coercion.ASSIGNMENT if target.oid in STRINGS else Coercion.EXPLICIT, env)
