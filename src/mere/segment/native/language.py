"""What kernels may say besides arithmetic: loads, stores and copies at addresses.

A kernel is a Python function of integers. To the compiler every value is a number of 64 bits that wraps around; `//`,
`%` and `>>` take it without a sign, comparisons with one. It knows assignment, if, while, for over range, return (of
several values too), calls of other kernels, tables (tuples of integers in a module), and the functions below, whose
bodies say what they mean. Nothing is checked: callers size the output for the worst case before a kernel runs.
"""

from __future__ import annotations

import ctypes


def load8(address: int) -> int:
    return ctypes.c_uint8.from_address(address).value


def load16(address: int) -> int:
    return ctypes.c_uint16.from_address(address).value


def load32(address: int) -> int:
    return ctypes.c_uint32.from_address(address).value


def load64(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def load8s(address: int) -> int:
    """With a sign."""
    return ctypes.c_int8.from_address(address).value


def load16s(address: int) -> int:
    return ctypes.c_int16.from_address(address).value


def load32s(address: int) -> int:
    return ctypes.c_int32.from_address(address).value


def store8(address: int, value: int) -> None:
    ctypes.c_uint8.from_address(address).value = value


def store16(address: int, value: int) -> None:
    ctypes.c_uint16.from_address(address).value = value


def store32(address: int, value: int) -> None:
    ctypes.c_uint32.from_address(address).value = value


def store64(address: int, value: int) -> None:
    ctypes.c_uint64.from_address(address).value = value


def store16be(address: int, value: int) -> None:
    """Most significant byte first."""
    ctypes.c_uint16.__ctype_be__.from_address(address).value = value


def store32be(address: int, value: int) -> None:
    ctypes.c_uint32.__ctype_be__.from_address(address).value = value


def store64be(address: int, value: int) -> None:
    ctypes.c_uint64.__ctype_be__.from_address(address).value = value


def copy(to: int, source: int, size: int) -> None:
    """The places do not overlap."""
    ctypes.memmove(to, source, size)


def below(left: int, right: int) -> bool:
    """Whether the left number is less, both without a sign."""
    return left % 2**64 < right % 2**64


def high_product(left: int, right: int) -> int:
    """The upper 64 of the 128 bits of a product, all without a sign."""
    return (left % 2**64) * (right % 2**64) >> 64


def bits_in(value: int) -> int:
    """How many bits a number without a sign takes; at least 1."""
    return max((value % 2**64).bit_length(), 1)


def zeros_below(value: int) -> int:
    """How many zero bits stand below the lowest bit that is set; there must be one."""
    return (value & -value).bit_length() - 1
