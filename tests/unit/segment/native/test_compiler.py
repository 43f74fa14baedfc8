"""What kernels may say means in machine code what it means in Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from mere.segment.native.compiler import compile_kernels
from mere.segment.native.language import (
    below,
    bits_in,
    copy,
    load8,
    load8s,
    load16,
    load16s,
    load32,
    load32s,
    load64,
    store8,
    store16be,
    store32be,
    store64,
    store64be,
)
from mere.segment.native.machine import Machine

SQUARES = tuple(number * number for number in range(8))


def machine_code(kernel: Callable[..., Any], arguments: int) -> Callable[..., int]:
    machine = Machine(compile_kernels({"kernel": kernel}))
    function = machine.function("kernel", arguments)
    return lambda *given: (machine, function(*given))[1]


def pair(left: int, right: int) -> tuple[int, int]:
    return left // right, left % right


def choices(value: int) -> int:
    if value in (1, 5, 9) or 20 <= value < 30:
        return ~value & 0xFF
    elif value == 2:
        return value << 4 | 1
    return bits_in(value) * 100 + (1 if below(value, 40) else 2) + (value > 3)


def memory(source: int, to: int) -> int:
    copy(to, source, 8)
    store8(to + 8, load8(source) + load8s(source + 1))
    store16be(to + 9, load16(source + 2) ^ load16s(source))
    store32be(to + 11, load32(source + 4) + load32s(source))
    store64be(to + 15, load64(source))
    store64(to + 23, load64(source))
    return to + 31


@pytest.mark.parametrize(("first", "second"), [(0, 1), (8, 3), (8, 100), (5, 2), (100, 4)])
def test_loops_and_branches(first: int, second: int) -> None:
    assert machine_code(counted, 2)(first, second) == counted(first, second)


def counted(first: int, second: int) -> int:
    total = 0
    for index in range(1, first):
        if index == 3:
            continue
        if index > second:
            break
        total += SQUARES[index & 7] if index % 2 else -index
    while first > 0 and not (total > 1000 or first == second):
        first -= 1
        quotient, rest = pair(first, second)
        total += quotient * 7 + rest
    return total


@pytest.mark.parametrize("value", [0, 1, 2, 3, 5, 9, 19, 20, 29, 30, 39, 40, 2**40])
def test_conditions(value: int) -> None:
    assert machine_code(choices, 1)(value) == choices(value)


def test_memory() -> None:
    source = bytes((200, 130, 3, 250, 5, 6, 7, 255))
    places = [ctypes.create_string_buffer(40) for _ in range(2)]
    given = ctypes.create_string_buffer(source)
    for place, call in zip(places, (memory, machine_code(memory, 2)), strict=True):
        assert call(ctypes.addressof(given), ctypes.addressof(place)) == ctypes.addressof(place) + 31
    assert places[0].raw == places[1].raw


def test_what_is_no_kernel_is_refused() -> None:
    def wrong(value: int) -> int:
        return len(str(value))

    with pytest.raises(SyntaxError, match="a kernel cannot say this"):
        compile_kernels({"kernel": wrong})
