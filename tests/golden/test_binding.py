"""The binder's golden cases."""

from __future__ import annotations

import pytest

from golden.binding import DIRECTORY, cases, output

FILES = sorted(DIRECTORY.glob("*.sql"))


@pytest.mark.parametrize(
    ("statement", "expected"), [pytest.param(*case, id=case[0][:60]) for file in FILES for case in cases(file)]
)
def test_output(statement: str, expected: str) -> None:
    assert output(statement) == expected
