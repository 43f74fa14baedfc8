"""What PostgreSQL is told of the parameters in AT clauses, which it does not see."""

from __future__ import annotations

from mere.session.travel import parameter_types, without_time_travel
from mere.sql.types import INT4, INT8, TIMESTAMPTZ


def test_a_version_is_a_bigint_and_a_time_an_instant() -> None:
    text = "SELECT * FROM a AT (VERSION => $2) JOIN b AT (timestamp => $1) USING (k) WHERE a.n < $3"
    assert parameter_types(text, ()) == (TIMESTAMPTZ, INT8)
    assert "$2" not in without_time_travel(text)


def test_what_the_client_says_stays_said() -> None:
    assert parameter_types("SELECT * FROM a AT (VERSION => $1) WHERE n = $2", (INT4, INT4)) == (INT4, INT4)
    assert parameter_types("SELECT * FROM a AT (VERSION => $1) WHERE n = $2", (0, INT4)) == (INT8, INT4)


def test_statements_without_such_parameters_stay_as_they_are() -> None:
    assert parameter_types("SELECT * FROM a AT (VERSION => 1 + $1::int) WHERE n = $2", (0, INT4)) == (0, INT4)
    assert parameter_types("SELECT $1", ()) == ()
