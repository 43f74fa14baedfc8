"""What calls in a statement may mean of the users' functions: the answer of mere.user_functions(), read for the binder.

Lives in the coordinator process. See catalog/sql/functions.sql; the call runs as the session's role.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp

from mere.sql.dialect import Mere
from mere.sql.functions.user import Input, UserFunction

Call = tuple[str, str]  # schema or "", name
# $2 is the names, $3 the calls; nothing is asked of mere where nobody has a function of such a name.
USER_FUNCTIONS = """CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = ANY ($2::pg_catalog.name[])
AND oid >= 16384) THEN mere.user_functions($3::text::jsonb, pg_catalog.current_schemas(true)) END"""


def calls_arguments(calls: Iterable[Call]) -> list[str]:
    """The parameters of USER_FUNCTIONS."""
    calls = list(calls)
    names = ",".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for _, name in calls)
    return [f"{{{names}}}", json.dumps([list(call) for call in calls])]


@lru_cache(maxsize=512)
def read_functions(text: str) -> Mapping[Call, tuple[UserFunction, ...]]:
    """By the call as it is written, in the order of the search path."""
    found: dict[Call, tuple[UserFunction, ...]] = {}
    for entry in json.loads(text):
        schema, name = entry["call"]
        found[schema, name] = (*found.get((schema, name), ()), _function(entry))
    return found


def _function(entry: Mapping[str, Any]) -> UserFunction:
    types, modes = entry["types"] or entry["inputs"], entry["modes"] or ["i"] * len(entry["inputs"])
    names = entry["names"] or [""] * len(types)
    inputs = [(name, oid) for name, oid, mode in zip(names, types, modes, strict=True) if mode in "ibv"]
    outputs = [(name, oid) for name, oid, mode in zip(names, types, modes, strict=True) if mode in "obt"]
    columns = [tuple(column) for column in entry["columns"]] if entry["columns"] else outputs
    return UserFunction(
        oid=entry["oid"],
        schema=entry["schema"],
        name=entry["name"],
        kind=entry["kind"],
        language=entry["language"],
        source=entry["source"] or "",
        body=entry["body"],
        inputs=tuple(_inputs(inputs, entry["defaults"], entry["default_count"])),
        variadic=entry["variadic"],
        result=entry["result"],
        columns=tuple((name, oid) for name, oid in columns) or None,
        composite=entry["columns"] is not None,
        returns_set=entry["set"],
        strict=entry["strict"],
        volatility=entry["volatility"],
        definer=entry["definer"],
        settings=entry["settings"],
        executable=entry["executable"],
        before_catalog=entry["before_catalog"],
    )


def _inputs(inputs: list[tuple[str, int]], defaults: str | None, count: int) -> Iterable[Input]:
    """The last `count` inputs have defaults."""
    texts: list[str | None] = [None] * (len(inputs) - count)
    texts += _expressions(defaults) if defaults and count else []
    return [Input(name, oid, text) for (name, oid), text in zip(inputs, texts, strict=True)]


def _expressions(text: str) -> list[str]:
    """The members of a list that pg_get_expr() has printed."""
    tree = sqlglot.parse_one(f"SELECT {text}", dialect=Mere)
    assert isinstance(tree, exp.Select)
    return [node.sql(dialect=Mere) for node in tree.expressions]
