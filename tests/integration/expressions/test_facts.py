"""The tables of functions, operators, casts, types and key words are those of the running PostgreSQL 18."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from harness.postgres import Peer

from mere.sql.functions import catalog, operators, procs
from mere.sql.grammar import keywords
from mere.sql.types import TYPES


@pytest.fixture(scope="module")
def connection(peer: Peer) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(peer.conninfo, autocommit=True) as opened:
        yield opened


def _names(text: str) -> list[str]:
    return [line.split(" ", 1)[0] for line in text.strip().replace("\n    ", " ").split("\n")]


def test_functions(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute(
        """SELECT proname, proargtypes::oid[]::int[], prorettype::int, provariadic::int, prokind, proretset, provolatile
           FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace"""
    ).fetchall()
    known: dict[tuple[str, tuple[int, ...]], tuple[int, int, str, bool, str]] = {
        (row[0], tuple(row[1])): (row[2], row[3], row[4], row[5], row[6]) for row in rows
    }
    for name in _names(procs.FUNCTIONS):
        for signature in catalog.functions(name):
            arguments = signature.arguments
            if signature.variadic:
                last = arguments[-1]
                arrays = {array for array, facts in TYPES.items() if facts.element == last} or {last}
                candidates = [(*arguments[:-1], array) for array in (arrays | {last})]
            else:
                candidates = [arguments]
            found = [known[name, candidate] for candidate in candidates if (name, candidate) in known]
            assert found, signature
            result, variadic, kind, returns_set, volatile = found[0]
            assert result == signature.result, signature
            assert bool(variadic) == signature.variadic, signature
            assert (kind == "a") == (name in catalog.AGGREGATES), signature
            assert (kind == "w") == (name in catalog.WINDOWS), signature
            assert returns_set == (name in catalog.SETS), signature
            assert volatile != "v" or name in catalog.VOLATILE, signature


def test_operators(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute(
        """SELECT oprname, oprleft::int, oprright::int, oprresult::int
           FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace"""
    ).fetchall()
    known: dict[tuple[str, tuple[int, ...]], int] = {
        (name, (left, right) if left else (right,)): result for name, left, right, result in rows
    }
    for name in _names(operators.OPERATORS):
        for signature in catalog.operator(name):
            assert known[name, signature.arguments] == signature.result, signature


def test_casts(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute("SELECT castsource::int, casttarget::int, castcontext FROM pg_cast").fetchall()
    known = {(source, target): context for source, target, context in rows}
    assert {pair: context for pair, (context, _) in catalog.CASTS.items()} == {
        pair: known[pair] for pair in catalog.CASTS
    }


def test_types(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute(
        """SELECT oid::int, typname, format_type(oid, NULL), typcategory, typispreferred, typlen::int, typarray::int,
                  CASE WHEN typcategory = 'A' OR typname = '_record' THEN typelem::int ELSE 0 END FROM pg_type"""
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    for oid, facts in TYPES.items():
        name, sql_name, category, preferred, length, array, element = known[oid]
        assert (facts.name, facts.sql_name, facts.length) == (name, sql_name, length)
        assert (facts.category, facts.preferred) == (category, preferred), name
        assert facts.array == array or category == "P", name
        assert facts.element == element, name


def test_key_words(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute("SELECT catcode, word FROM pg_get_keywords()").fetchall()
    lists = {
        "R": keywords.RESERVED,
        "T": keywords.TYPE_OR_FUNCTION,
        "C": keywords.COLUMN_NAME,
        "U": keywords.UNRESERVED,
    }
    for code, words in lists.items():
        assert words == {word for catcode, word in rows if catcode == code}
