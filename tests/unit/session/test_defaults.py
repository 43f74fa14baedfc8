"""Which defaults have one value for all rows of a statement."""

from __future__ import annotations

import pytest

from mere.session.defaults import is_stable


@pytest.mark.parametrize(
    "expression",
    ["5", "'x'::text", "now()", "CURRENT_TIMESTAMP", "(1 + 2)", "upper('x'::text)", "ARRAY[1, 2]", "pg_catalog.now()"],
)
def test_one_value(expression: str) -> None:
    assert is_stable(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "random()",
        "clock_timestamp()",
        "gen_random_uuid()",
        "(nextval('s'::regclass) * 10)",
        "public.upper('x'::text)",
        '"Mine"()',
        "upper(own(1))",
    ],
)
def test_a_value_for_each_row(expression: str) -> None:
    assert not is_stable(expression)
