"""What names mean: one call of mere.resolve() on the backing connection, read into the binder's relations.

Lives in the coordinator process. The call runs as the session's role, so what it sees is what the user may see.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mere.catalog.backend import Backend
from mere.catalog.functions import read_functions
from mere.sql.relations import Check, Column, Key, Kind, Policy, Relation, Resolved
from mere.sql.types import PgType

Name = tuple[str, ...]
RESOLVE = "mere.resolve($1::text::jsonb, pg_catalog.current_schemas(true))"  # its text goes to `read_resolved`
RESOLVE_REFRESHED = "mere.resolve($1::text::jsonb, pg_catalog.current_schemas(true), {oid})"
_KEPT = 512
_EVERY_RIGHT = frozenset(("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"))
_READABLE_TO_ALL: None = None


def names_argument(names: Iterable[Name]) -> str:
    """The parameter of RESOLVE."""
    return json.dumps([list(name) for name in names])


async def resolve(backend: Backend, names: Iterable[Name]) -> Resolved:
    """One round trip. Names that do not exist are simply not there."""
    rows = await backend.fetch(f"SELECT {RESOLVE}", [names_argument(names)])
    return read_resolved(rows[0][0] or "{}")


class _Answers:
    """Answers already read, by their texts: the same tables are asked for again and again."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Resolved] = OrderedDict()

    def get(self, text: str, functions: str) -> Resolved:
        key = (text, functions)
        known = self._known.get(key)
        if known is None:
            known = replace(_read(json.loads(text)), functions=read_functions(functions) if functions else {})
            self._known[key] = known
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return known


_answers = _Answers()


def read_resolved(text: str, functions: str = "") -> Resolved:
    """`functions`: the text that USER_FUNCTIONS gave, where it was asked for and found any."""
    return _answers.get(text, functions)


def _read(answer: Mapping[str, Any]) -> Resolved:
    relations = {entry["oid"]: entry for entry in answer["relations"] or []}
    rights = {(entry["oid"], entry["role"]): entry for entry in answer["rights"] or []}

    def relation(oid: int, role: int) -> Relation:
        found = _relation(relations[oid], rights.get((oid, role), {}))
        if found.kind is not Kind.PARTITIONED:
            return found
        # The right to a partitioned table is one to its partitions, by this way.
        partitions = [_relation(relations[leaf], {}) for leaf in relations[oid]["partitions"] or []]
        return replace(
            found, partitions=tuple(replace(leaf, privileges=_EVERY_RIGHT, moves=True) for leaf in partitions)
        )

    by_name = {tuple(name): relation(oid, answer["me"]) for name, oid in answer["named"]}
    in_views: dict[int, dict[tuple[str, str], Relation]] = {}
    for view, oid, role in answer["inside"]:
        if oid in relations:
            entry = relations[oid]
            in_views.setdefault(view, {})[entry["schema"], entry["name"]] = relation(oid, role)
    return Resolved(by_name, in_views)


def _relation(entry: Mapping[str, Any], right: Mapping[str, Any]) -> Relation:
    facts = entry["facts"] or {}
    return Relation(
        oid=entry["oid"],
        schema=entry["schema"],
        name=entry["name"],
        kind=Kind(entry["kind"]),
        columns=tuple(_column(column, right) for column in entry["columns"] or []),
        owner=entry["owner"],
        privileges=frozenset(right.get("privileges", ())),
        view_sql=entry["view_sql"],
        table_id=facts.get("table_id"),
        path=facts.get("path"),
        policy=Policy(facts.get("policy", "random"), tuple(facts.get("keys") or ()), facts.get("buckets") or 0),
        checks=tuple(Check(name, expression) for name, expression in entry["checks"] or []),
        keys=tuple(Key(name, tuple(columns)) for name, columns in entry["keys"] or []),
        temporary=entry["temporary"],
        guarded=entry["guarded"],
        materialized=entry["materialized"],
        populated=entry["populated"],
        bounds=entry["bounds"],
    )


def _column(entry: Sequence[Any], right: Mapping[str, Any]) -> Column:
    attnum, name, oid, typmod, not_null, default, identity, generated, field_id, element_id, initial = entry
    readable = right.get("readable", _READABLE_TO_ALL)
    return Column(
        attnum=attnum,
        name=name,
        type=PgType(oid, typmod),
        not_null=not_null,
        default=default,
        identity=identity,
        generated=generated,
        field_id=field_id,
        element_id=element_id,
        initial_default=initial,
        readable=readable is None or attnum in readable,
        insertable=attnum in (right.get("insertable") or ()),
        updatable=attnum in (right.get("updatable") or ()),
    )
