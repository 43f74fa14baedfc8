"""jsonpath over one value; tests/integration/expressions compares many more with PostgreSQL."""

from __future__ import annotations

import pytest

from mere.sql.jsonb.document import JsonError, read, write
from mere.sql.jsonb.path_run import query

DOCUMENT = read('{"a": 1, "b": {"c": [1, 2.50, "x"]}, "arr": [{"n": 1}, {"n": 5}]}')


@pytest.mark.parametrize(
    ("path", "items"),
    [
        ('$."b"."c"[*]', '[1, 2.50, "x"]'),
        ('$."arr"."n"', "[1, 5]"),
        ('$."arr"[*]?(@."n" > 1)', '[{"n": 5}]'),
        ('($."a" == 1)', "[true]"),
        ('($."b"."c"[*] > "y")', "[null]"),
        ('($."b"."c"[2] > "y")', "[false]"),
        ('strict ($."b"."c"[*] > "y")', "[null]"),
        ('$."arr"[last]."n"', "[5]"),
        ('$."a" / 3', "[0.33333333333333333333]"),
        ('$."zz"', "[]"),
    ],
)
def test_items(path: str, items: str) -> None:
    assert write(query(DOCUMENT, path, {})) == items


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ('strict $."zz"', "2203A"),
        ('strict $."a"[*]', "22039"),
        ('$."a" / 0', "22012"),
        ('$."no" + 1', "22038"),
        ('$"x"', "42704"),
        ("$.datetime()", "0A000"),
    ],
)
def test_errors(path: str, state: str) -> None:
    with pytest.raises(JsonError, match=rf"^{state}:"):
        query(DOCUMENT, path, {})
