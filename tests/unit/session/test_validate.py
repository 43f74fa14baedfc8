"""What the gateway reads of ALTER TABLE by itself."""

from __future__ import annotations

import pytest

from mere.session.validate import altered_table, using_expressions


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ALTER TABLE t ADD COLUMN a int", ("t",)),
        ("alter table if exists only s.t add check (a > 0)", ("s", "t")),
        ('ALTER TABLE "Weird ""name""" SET SCHEMA x', ('Weird "name"',)),
        ("ALTER TABLE /* which? */ db.s.T RENAME TO u", ("db", "s", "t")),
    ],
)
def test_the_table_that_is_altered(text: str, name: tuple[str, ...]) -> None:
    assert altered_table(text) == name


@pytest.mark.parametrize(
    ("text", "expressions"),
    [
        ("ALTER TABLE t ALTER a TYPE int", {}),
        ("ALTER TABLE t ALTER COLUMN a TYPE int USING a::int", {"a": "a::int"}),
        ("ALTER TABLE t ALTER a SET DATA TYPE text USING left(a, 3) || ','", {"a": "left(a, 3) || ','"}),
        (
            'ALTER TABLE t ALTER a TYPE int USING f(a, b), ALTER "B" TYPE text USING upper("B"), ADD c int',
            {"a": "f(a, b)", "B": 'upper("B")'},
        ),
        ("ALTER TABLE t ALTER a TYPE int, ALTER b TYPE int USING b::int", {"b": "b::int"}),
        ("ALTER TABLE t SET ACCESS METHOD heap", {}),
    ],
)
def test_using_expressions_by_column(text: str, expressions: dict[str, str]) -> None:
    assert using_expressions(text) == expressions
