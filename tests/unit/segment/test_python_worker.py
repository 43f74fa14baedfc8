"""The worker's half of functions in Python: bodies, batches, and what is told of errors."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from mere.segment.python_worker import Function, failure, pack, unpack


def function(source: str, arguments: tuple[str, ...] = ("int8",), result: str = "int8", **spec: Any) -> Function:
    names = [chr(ord("a") + number) for number in range(len(arguments))]
    given = {"name": "f", "source": source, "names": names, "arguments": arguments, "result": result}
    return Function({"strict": False, "arrow": False, **given, **spec})


def test_a_body_may_hold_functions_texts_of_many_lines_and_nothing_at_all() -> None:
    body = 'def twice(x):\n    return x * 2\n\nreturn f"""{twice(a)}\n  kept"""'
    assert function(body, result="text")([pa.array([1])]).to_pylist() == ["2\n  kept"]
    assert function("", result="int8")([pa.array([1])]).to_pylist() == [None]


def test_a_body_may_stand_indented_as_a_whole() -> None:
    assert function("\n    b = a + 1\n    return b\n")([pa.array([1])]).to_pylist() == [2]
    with pytest.raises(ZeroDivisionError) as raised:
        function("\n    b = 1\n    return a / 0\n")([pa.array([1])])
    assert failure(raised.value)["line"] == 3
    with pytest.raises(IndentationError):
        function("    b = 1\n  return b")


def test_arguments_without_a_usable_name_are_in_args() -> None:
    made = function("return args[0] + args[1]", ("int8", "int8"), names=["", "class"])
    assert made([pa.array([1, 2]), pa.array([10, 20])]).to_pylist() == [11, 22]


def test_strict_functions_are_not_called_for_null() -> None:
    columns = [pa.array([1, None, 3]), pa.array([1, 1, None])]
    assert function("return a + b", ("int8", "int8"), strict=True)(columns).to_pylist() == [2, None, None]
    arrays = function("import pyarrow.compute as pc\nreturn pc.add(a, b)", ("int8", "int8"), strict=True, arrow=True)
    assert arrays(columns).to_pylist() == [2, None, None]


def test_arrays_may_be_those_of_numpy_but_have_to_be_as_long() -> None:
    doubled = function("return a.to_numpy() * 2", arrow=True)
    assert doubled([pa.array([1, 2])]).to_pylist() == [2, 4]
    with pytest.raises(ValueError, match="1 values for 2 rows"):
        function("return a[:1]", arrow=True)([pa.array([1, 2])])
    with pytest.raises(TypeError, match="returns an array"):
        function("return 5", arrow=True)([pa.array([1, 2])])


def test_sd_belongs_to_one_function() -> None:
    counter = function("SD['n'] = SD.get('n', 0) + 1\nreturn SD['n']")
    assert counter([pa.array([0, 0])]).to_pylist() == [1, 2]
    assert counter([pa.array([0])]).to_pylist() == [3]
    assert function("return len(SD)")([pa.array([0])]).to_pylist() == [0]


def test_an_error_is_told_with_its_line() -> None:
    with pytest.raises(KeyError) as raised:
        function("x = {}\nreturn x[a]")([pa.array([1])])
    assert failure(raised.value) == {"error": "KeyError: 1", "line": 2}
    with pytest.raises(SyntaxError) as broken:
        function("return (")
    assert failure(broken.value)["syntax"] is True


def test_batches_cross_as_they_are() -> None:
    columns = [pa.array([1, None]), pa.array(["é", ""]), pa.array([dt.date(2024, 2, 29), None])]
    assert unpack(bytes(pack(columns))) == columns
