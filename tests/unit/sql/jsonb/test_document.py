"""One jsonb value: text in, PostgreSQL's text out, and an order that is jsonb's."""

from __future__ import annotations

import itertools

import pytest

from mere.sql.jsonb.document import JsonError, identity, pretty, read, sort_key, write


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"b":1,"a":2}', '{"a": 2, "b": 1}'),
        ('{"aa":1,"b":2}', '{"b": 2, "aa": 1}'),
        ('{"a":1,"a":2}', '{"a": 2}'),
        ("[1.50,1e2,-0,1E-3]", "[1.50, 100, 0, 0.001]"),
        ('" \\u00e9\\n\\u001f"', '" é\\n\\u001f"'),
        ("[ ]", "[]"),
    ],
)
def test_text_is_kept_as_jsonb_keeps_it(text: str, kept: str) -> None:
    assert write(read(text)) == kept


@pytest.mark.parametrize(("text", "state"), [("[1,]", "22P02"), ("NaN", "22P02"), ('"\\u0000"', "22P05")])
def test_what_is_no_jsonb_has_its_state(text: str, state: str) -> None:
    with pytest.raises(JsonError, match=rf"^{state}:"):
        read(text)


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(JsonError, match=r"^22P02:"):
        write(read('"\\ud800"'))


def test_order_is_by_kind_then_size_then_members() -> None:
    ascending = ["[]", "null", '"a"', '"b"', "-10", "-1.5", "0", "1", "20", "false", "true"]
    ascending += ["[null]", '["a"]', "[1]", "[[1]]", "[1, 2]", "{}", '{"a": 1}', '{"b": 0}', '{"a": 1, "b": 2}']
    keys = [sort_key(read(text)) for text in ascending]
    assert all(first < second for first, second in itertools.pairwise(keys))


def test_numbers_are_equal_whatever_their_zeros() -> None:
    assert identity(read('{"a": [1.0]}')) == identity(read('{"a": [1.00]}')) == identity(read('{"a": [1]}'))
    assert sort_key(read("1.0")) == sort_key(read("1.00"))


def test_pretty_goes_around_what_is_empty() -> None:
    assert pretty(read('{"a": []}')) == '{\n    "a": [\n    ]\n}'
