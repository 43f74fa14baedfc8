"""One jsonb value: read from JSON text, written as PostgreSQL writes it, and its place in jsonb's order.

Pure Python over one value, for what DuckDB's own json functions cannot do: they keep neither the digits of a number nor
the order and uniqueness of keys, and nothing in SQL descends to any depth. Runs on segments, called by their kernels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TypeAlias, cast

from mere.sql.raised import raised_text

Json: TypeAlias = "bool | str | Decimal | list[Json] | dict[str, Json] | None"

_MOST_DIGITS = 131072  # before a numeric's point
_LEAST_DIGITS = 16383  # behind it
_NO_CHARACTER = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class JsonError(ValueError):
    """An error of one value with PostgreSQL's state, as the text that the engine translates back."""

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(raised_text(sqlstate, message))
        self.is_of_data = sqlstate.startswith("22")  # not of the path, nor of what is not supported


def _no_constant(text: str) -> Json:
    raise JsonError("22P02", "invalid input syntax for type json")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=_no_constant)


def read(text: str) -> Json:
    """The value; 22P02 for what is no JSON, 22P05 for the character that no text can hold."""
    value = _decoded(text)
    if "\\u0000" in text and _NO_CHARACTER.search(text):
        raise JsonError("22P05", "unsupported Unicode escape sequence")
    return value


def check(text: str) -> None:
    """22P02 for what is no JSON by PostgreSQL's rules; DuckDB's reader is laxer."""
    _decoded(text)


def _decoded(text: str) -> Json:
    try:
        return cast(Json, _DECODER.decode(text))
    except json.JSONDecodeError:
        raise JsonError("22P02", "invalid input syntax for type json") from None


def key_order(key: str) -> tuple[int, bytes]:
    """jsonb keeps keys by length, then bytes."""
    encoded = _bytes(key)
    return len(encoded), encoded


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise JsonError("22P02", "invalid input syntax for type json") from None


def members(value: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    """A jsonb object's members in the order in which it keeps them."""
    return ((key, value[key]) for key in sorted(value, key=key_order))


def number_text(value: Decimal) -> str:
    """As numeric prints it: no exponent, no negative zero."""
    digits = value.as_tuple()
    exponent = cast(int, digits.exponent)
    if len(digits.digits) + exponent > _MOST_DIGITS or -exponent > _LEAST_DIGITS:
        raise JsonError("22003", "value overflows numeric format")
    return format(value if value else value.copy_abs(), "f")


def scalar_text(value: bool | str | Decimal | None) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Decimal):
        return number_text(value)
    return "null" if value is None else "true" if value else "false"


def write(value: Json) -> str:
    """jsonb's text: keys in their order, one blank behind each comma and colon."""
    parts: list[str] = []
    _write(value, parts.append)
    return "".join(parts)


def _write(value: Json, out: Callable[[str], None]) -> None:
    if isinstance(value, dict):
        out("{")
        for index, (key, member) in enumerate(members(value)):
            out((", " if index else "") + encode_basestring(key) + ": ")
            _write(member, out)
        out("}")
    elif isinstance(value, list):
        out("[")
        for index, member in enumerate(value):
            if index:
                out(", ")
            _write(member, out)
        out("]")
    else:
        if isinstance(value, str):
            _bytes(value)
        out(scalar_text(value))


def pretty(value: Json, depth: int = 0) -> str:
    """jsonb_pretty(): four blanks a level, also around what is empty."""
    if isinstance(value, dict):
        lines = [f"{encode_basestring(key)}: {pretty(member, depth + 1)}" for key, member in members(value)]
        opening, closing = "{", "}"
    elif isinstance(value, list):
        lines = [pretty(member, depth + 1) for member in value]
        opening, closing = "[", "]"
    else:
        return scalar_text(value)
    inner = "    " * (depth + 1)
    body = ",\n".join(inner + line for line in lines)
    return f"{opening}\n{body}{chr(10) if lines else ''}{'    ' * depth}{closing}"


# -- order ------------------------------------------------------------------------------------------------------------

# compareJsonbContainers(): null < string < number < boolean < array < object, then by the number of members, then one
# by one; a scalar alone is an array of one that comes before any other, so that an empty array is less than it.
_NULL, _STRING, _NUMBER, _BOOLEAN, _ARRAY, _OBJECT = b"\0", b"\1", b"\2", b"\3", b"\4", b"\5"
_FLIPPED = bytes(255 - byte for byte in range(256))


def sort_key(value: Json) -> bytes:
    """Bytes that compare as the values do, and are the same for equal ones."""
    if isinstance(value, dict | list):
        return _key(value)
    return _ARRAY + _count(1) + b"\0" + _key(value)


def identity(value: Json) -> str:
    """The same text for equal values: numbers without trailing zeros."""
    return write(_shortened(value))


def _shortened(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _shortened(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_shortened(member) for member in value]
    if isinstance(value, Decimal):
        text = number_text(value)
        return Decimal(text.rstrip("0").rstrip(".")) if "." in text else value
    return value


def _count(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _key(value: Json) -> bytes:
    if isinstance(value, dict):
        parts = b"".join(_text_key(key) + _key(member) for key, member in members(value))
        return _OBJECT + _count(len(value)) + parts
    if isinstance(value, list):
        return _ARRAY + _count(len(value)) + b"\1" + b"".join(map(_key, value))
    if isinstance(value, str):
        return _STRING + _text_key(value)
    if isinstance(value, bool):
        return _BOOLEAN + (b"\1" if value else b"\0")
    return _NULL if value is None else _NUMBER + _number_key(value)


def _text_key(text: str) -> bytes:
    return _bytes(text) + b"\0"


def _number_key(value: Decimal) -> bytes:
    if not value:
        return b"\1"
    digits = "".join(map(str, value.as_tuple().digits)).lstrip("0").rstrip("0")
    size = (value.adjusted() + 2**31).to_bytes(4, "big") + digits.encode() + b"\0"
    return b"\0" + size.translate(_FLIPPED) if value < 0 else b"\2" + size
