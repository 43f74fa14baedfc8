"""Which function a call means: the users' and PostgreSQL's own are candidates alike."""

from __future__ import annotations

import pytest

from mere.sql.functions.resolution import AmbiguousName, Resolved
from mere.sql.functions.user import Input, Meant, UserFunction, meant_by
from mere.sql.types import FLOAT8, INT4, INT8, NUMERIC, TEXT, UNKNOWN


def function(oid: int, *inputs: Input, schema: str = "public", before_catalog: bool = False) -> UserFunction:
    return UserFunction(
        oid=oid,
        schema=schema,
        name="f",
        kind="f",
        language="sql",
        source="",
        body=None,
        inputs=inputs,
        variadic=False,
        result=INT4,
        columns=None,
        composite=False,
        returns_set=False,
        strict=False,
        volatility="v",
        definer=False,
        settings=False,
        executable=True,
        before_catalog=before_catalog,
    )


def places(found: Meant | Resolved | None) -> tuple[int, tuple[int | None, ...]]:
    assert isinstance(found, Meant)
    return found.function.oid, found.places


A, B = Input("a", INT4), Input("b", TEXT)


def test_the_closest_types_win() -> None:
    ints, texts = function(1, A), function(2, Input("a", TEXT))
    assert places(meant_by("f", [ints, texts], (INT4,), [None], False)) == (1, (0,))
    assert places(meant_by("f", [ints, texts], (UNKNOWN,), [None], False)) == (2, (0,))
    assert meant_by("f", [ints, texts], (FLOAT8,), [None], False) is None


def test_the_first_in_the_path_hides_the_same_arguments_behind_it() -> None:
    assert places(meant_by("f", [function(1, A), function(2, A, schema="other")], (INT4,), [None], False))[0] == 1


def test_arguments_go_to_their_names_and_the_rest_to_defaults() -> None:
    three = function(1, A, Input("b", TEXT, "'x'"), Input("c", INT8, "3"))
    assert places(meant_by("f", [three], (INT4, INT8), [None, "c"], False)) == (1, (0, None, 1))
    assert places(meant_by("f", [three], (TEXT, INT4), ["b", "a"], False)) == (1, (1, 0, None))
    assert meant_by("f", [three], (TEXT,), ["b"], False) is None, "a has no default"
    assert meant_by("f", [three], (INT4, INT4), [None, "a"], False) is None, "a twice"
    assert meant_by("f", [three], (INT4, INT4), [None, "z"], False) is None


def test_fewer_defaults_are_better_and_as_many_are_ambiguous() -> None:
    one, two = function(1, A), function(2, A, Input("b", TEXT, "'x'"))
    assert places(meant_by("f", [two, one], (INT4,), [None], False)) == (1, (0,))
    with pytest.raises(AmbiguousName):
        meant_by("f", [two, function(3, A, Input("c", INT8, "3"))], (INT4,), [None], False)


def test_postgres_own_function_of_the_same_arguments_wins_unless_the_path_says_otherwise() -> None:
    numeric = Input("a", NUMERIC)
    assert isinstance(meant_by("abs", [function(1, numeric)], (NUMERIC,), [None], True), Resolved)
    first = function(1, numeric, before_catalog=True)
    assert places(meant_by("abs", [first], (NUMERIC,), [None], True))[0] == 1
    assert places(meant_by("abs", [function(1, Input("a", TEXT))], (TEXT,), [None], True))[0] == 1
    assert meant_by("abs", [function(1, B)], (NUMERIC,), [None], False) is None, "a schema was named"
