"""A call of a user's function in Python: its arguments as Python takes them, its result as PostgreSQL's type.

Lives in the gateway's process.
"""

from __future__ import annotations

from mere.errors import FeatureNotSupported, InsufficientPrivilege
from mere.sql.bind.environment import ScopeEnvironment
from mere.sql.coercion import coerce
from mere.sql.expressions import Coercion, Typed
from mere.sql.expressions.build import call, cast, number
from mere.sql.expressions.context import marks_of
from mere.sql.expressions.typed import COLUMN, VOLATILE, Carrier
from mere.sql.functions.python import CARRIERS, PythonFunction, call_name
from mere.sql.functions.user import Meant
from mere.sql.types import NUMERIC, STRINGS, TEXT, TYPES, PgType, type_name

_DUMMY = ("", "INTEGER")  # the engine tells how many rows there are by the columns


def python_call(environment: ScopeEnvironment, meant: Meant, given: list[Typed]) -> Typed:
    """`given` are the arguments in their places, coerced to what the function declares."""
    function = meant.function
    if not function.executable:
        raise InsufficientPrivilege(f"permission denied for function {function.name}")
    oids = [argument.type.oid for argument in given]
    for oid in (*oids, function.result):
        if oid not in CARRIERS:
            raise FeatureNotSupported(f"a function in Python cannot take or return {type_name(oid)}")
    carriers = [_carrier(argument.type.oid, argument.decimal) for argument in given]
    python = PythonFunction(
        identity=function.oid,
        name=function.name,
        source=function.source,
        parameters=tuple(zip((put.name for put in function.inputs), carriers, strict=True)) or (_DUMMY,),
        arguments=tuple(TYPES[oid].name for oid in oids),
        carrier=CARRIERS[function.result],
        result=TYPES[function.result].name,
        arrow=function.language == "python_arrow",
        strict=function.strict,
    )
    arguments = [cast(argument.sql, carrier) for argument, carrier in zip(given, carriers, strict=True)]
    marks = marks_of(given) | COLUMN | (VOLATILE if function.volatility == "v" else 0)
    made = Typed(call(call_name(python), *(arguments or [number(0)])), PgType(function.result), marks)
    if python.carrier != "VARCHAR" or function.result in STRINGS:
        return made
    text = Typed(made.sql, PgType(TEXT), marks)
    return coerce(text, PgType(function.result), Coercion.EXPLICIT, environment)


def _carrier(oid: int, decimal: Carrier) -> str:
    if oid != NUMERIC:
        return CARRIERS[oid]
    return f"DECIMAL({decimal[0]},{decimal[1]})" if decimal is not None else "DOUBLE"


__all__ = ["python_call"]
