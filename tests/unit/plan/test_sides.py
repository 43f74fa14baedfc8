"""Where a join's rows lie: the rules by which a wrong plan is refused."""

from __future__ import annotations

import pytest

from mere.plan import sides
from mere.plan.local import Hash, Place, Spread
from mere.plan.schemes import common, meets

REPLICATED, SINGLE, ANYWHERE = Place(Spread.REPLICATED), Place(Spread.SINGLE), Place(Spread.PARTITIONED)
EQUAL = [(("t", "k"), ("u", "k"))]


def by(*columns: str, scheme: str = "bucket(BIGINT,16)", everywhere_null: bool = False) -> Place:
    return Place(Spread.PARTITIONED, frozenset({Hash(columns, scheme, everywhere_null)}))


def test_an_inner_join_is_right_beside_a_replicated_side_and_where_equal_keys_meet() -> None:
    assert sides.inner(ANYWHERE, REPLICATED, []) == ANYWHERE
    assert sides.inner(REPLICATED, by("u.k"), []) == by("u.k")
    met = sides.inner(by("t.k"), by("u.k"), EQUAL)
    assert met is not None and met.hashes == by("t.k").hashes | by("u.k").hashes


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (ANYWHERE, ANYWHERE),
        (by("t.k"), by("u.v")),
        (by("t.k"), by("u.k", scheme="hash(BIGINT)")),
        (by("t.k"), SINGLE),
    ],
)
def test_rows_that_may_match_apart_are_no_join(left: Place, right: Place) -> None:
    assert sides.inner(left, right, EQUAL) is None
    assert sides.left(left, right, EQUAL) is None
    assert sides.full(left, right, EQUAL) is None
    assert sides.nested(left, right, EQUAL) is None


def test_a_replicated_preserved_side_needs_a_replicated_other() -> None:
    assert sides.left(REPLICATED, by("u.k"), EQUAL) is None
    assert sides.full(by("t.k"), REPLICATED, EQUAL) is None
    assert sides.nested(REPLICATED, by("u.k"), EQUAL) is None
    assert sides.left(by("t.k"), REPLICATED, []) == by("t.k")


def test_the_nulls_of_a_nullable_side_lie_everywhere() -> None:
    joined = sides.left(by("t.k"), by("u.k"), EQUAL)
    assert joined is not None
    assert joined.hashes == by("t.k").hashes | by("u.k", everywhere_null=True).hashes
    both = sides.full(by("t.k"), by("u.k"), EQUAL)
    assert both is not None and all(one.everywhere_null for one in both.hashes)


def test_an_outer_joins_equality_merges_no_columns() -> None:
    """t LEFT JOIN u ON t.k = u.w says nothing of where rows with another column of u are."""
    joined = sides.left(by("t.k"), by("u.k"), EQUAL)
    assert joined is not None
    assert sides.inner(joined, by("v.k"), [(("u", "w"), ("v", "k"))]) is None


def test_keys_of_two_types_meet_where_equal_values_are_one_value() -> None:
    assert common(["INTEGER", "BIGINT"]) == "BIGINT"
    assert common(["DECIMAL(5,1)", "DECIMAL(5,2)"]) == "DECIMAL(38,2)"
    assert common(["DATE", "TIMESTAMP"]) == "TIMESTAMP"
    assert common(["INTEGER", "DOUBLE"]) is None
    assert common(["VARCHAR", "INTEGER"]) is None
    assert meets("SMALLINT", "BIGINT")
    assert not meets("DOUBLE", "BIGINT")
