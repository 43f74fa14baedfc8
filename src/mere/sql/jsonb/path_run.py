"""jsonpath over one jsonb value, by the rules of jsonpath_exec.c. Pure; segments.

A predicate is True, False or None (unknown); a path's items are a list. Errors are JsonErrors of PostgreSQL's states.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import cast

from mere.sql.jsonb.document import Json, JsonError, members, number_text
from mere.sql.jsonb.path_syntax import Node, Path, parse_path

_PREDICATES = frozenset(("or", "and", "not", "exists", "compare", "starts", "regex", "unknown"))
_EXACT = Context(prec=140000, Emax=10**9, Emin=-(10**9))


@dataclass(frozen=True, slots=True)
class _Run:
    """One evaluation: what $ and @ and last mean here."""

    lax: bool
    root: Json
    variables: Mapping[str, Json]
    current: Json = None
    last: int | None = None


def query(value: Json, path: str, variables: Mapping[str, Json], silent: bool = False) -> list[Json]:
    """The items of a path, in order; where errors are silent, those found before the first."""
    parsed, run = _begun(value, path, variables)
    found: list[Json] = []
    try:
        found.extend(_items(run, parsed.root))
    except JsonError as error:
        if not silent or not error.is_of_data:
            raise
    return found


def exists(value: Json, path: str, variables: Mapping[str, Json], silent: bool) -> bool | None:
    """Whether there is any item: lax mode looks no further than the first. None for a silent error."""
    parsed, run = _begun(value, path, variables)
    try:
        return _any(run, parsed.root)
    except JsonError as error:
        if not silent or not error.is_of_data:
            raise
        return None


def _begun(value: Json, path: str, variables: Mapping[str, Json]) -> tuple[Path, _Run]:
    parsed: Path = parse_path(path)
    return parsed, _Run(parsed.lax, value, variables, value)


def _any(run: _Run, node: Node) -> bool:
    items = _items(run, node)
    return any(True for _ in items) if run.lax else bool(list(items))


def _items(run: _Run, node: Node) -> Iterator[Json]:
    """What a node gives, one by one and depth first; a predicate gives its truth, null for unknown."""
    kind = node[0]
    if kind in _PREDICATES:
        yield _truth(run, node)
    elif kind == "path":
        for item in _items(run, node[1]):
            yield from _followed(run, node[2], item)
    elif kind == "signed":
        yield from _signed(run, node)
    else:
        yield _single(run, node)


def _followed(run: _Run, steps: Sequence[Node], item: Json) -> Iterator[Json]:
    if not steps:
        yield item
        return
    for found in _step(run, steps[0], item, run.lax):
        yield from _followed(run, steps[1:], found)


def _single(run: _Run, node: Node) -> Json:
    kind = node[0]
    if kind == "root":
        return run.root
    if kind == "current":
        return run.current
    if kind == "value":
        return cast(Json, node[1])
    if kind == "variable":
        if node[1] not in run.variables:
            raise JsonError("42704", f'could not find jsonpath variable "{node[1]}"')
        return run.variables[node[1]]
    if kind == "last":
        if run.last is None:
            raise JsonError("42601", "LAST is allowed only in array subscripts")
        return Decimal(run.last)
    return _arithmetic(run, node)


def _unwrapped(run: _Run, items: Iterator[Json]) -> Iterator[Json]:
    """Arrays taken apart, one level, as lax mode has it."""
    for item in items:
        if run.lax and isinstance(item, list):
            yield from item
        else:
            yield item


# -- steps ------------------------------------------------------------------------------------------------------------


def _step(run: _Run, step: Node, item: Json, unwrap: bool) -> Iterator[Json]:
    kind = step[0]
    if kind == "elements":
        if not isinstance(item, list) and not run.lax:
            raise JsonError("22039", "jsonpath wildcard array accessor can only be applied to an array")
        yield from item if isinstance(item, list) else [item]
    elif kind == "subscripts":
        yield from _subscripts(run, step, item)
    elif kind == "deep":
        yield from _deep(item, 0, step[1], step[2])
    elif kind == "method" and step[1] in ("type", "size"):
        yield _measure(run, step[1], item)
    elif unwrap and isinstance(item, list):
        for element in item:
            yield from _step(run, step, element, False)
    elif kind == "filter":
        if _truth(replace(run, current=item), step[1]) is True:
            yield item
    elif kind == "method":
        yield _method(step[1], item)
    else:
        yield from _member(run, step, item)


def _member(run: _Run, step: Node, item: Json) -> Iterator[Json]:
    if not isinstance(item, dict):
        wild = "wildcard " if step[0] == "members" else ""
        if not run.lax:
            raise JsonError("2203A", f"jsonpath {wild}member accessor can only be applied to an object")
    elif step[0] == "members":
        yield from (member for _, member in members(item))
    elif step[1] in item:
        yield item[step[1]]
    elif not run.lax:
        raise JsonError("2203A", f'JSON object does not contain key "{step[1]}"')


def _subscripts(run: _Run, step: Node, item: Json) -> Iterator[Json]:
    if not isinstance(item, list):
        if not run.lax:
            raise JsonError("22039", "jsonpath array accessor can only be applied to an array")
        item = [item]
    inner = replace(run, last=len(item) - 1)
    for low_node, high_node in step[1]:
        low = _index(inner, low_node)
        high = low if high_node is low_node else _index(inner, high_node)
        if not run.lax and (low < 0 or low > high or high >= len(item)):
            raise JsonError("22033", "jsonpath array subscript is out of bounds")
        yield from item[max(low, 0) : max(high + 1, 0)]


def _index(run: _Run, node: Node) -> int:
    items = list(_items(run, node))
    number = items[0] if len(items) == 1 else None
    if not isinstance(number, Decimal):
        raise JsonError("22033", "jsonpath array subscript is not a single numeric value")
    return int(number)


def _deep(item: Json, level: int, low: int, high: int | None) -> Iterator[Json]:
    if level >= low:
        yield item
    if high is not None and level >= high:
        return
    inner = [member for _, member in members(item)] if isinstance(item, dict) else item
    for member in inner if isinstance(inner, list) else []:
        yield from _deep(member, level + 1, low, high)


# -- methods ----------------------------------------------------------------------------------------------------------


def _type(item: Json) -> str:
    if item is None:
        return "null"
    names = {dict: "object", list: "array", str: "string", bool: "boolean", Decimal: "number"}
    return names[type(item)]


def _measure(run: _Run, name: str, item: Json) -> Json:
    if name == "type":
        return _type(item)
    if isinstance(item, list):
        return Decimal(len(item))
    if not run.lax:
        raise JsonError("22039", "jsonpath item method .size() can only be applied to an array")
    return Decimal(1)


def _method(name: str, item: Json) -> Json:
    if name == "keyvalue":
        # Its ids are offsets within jsonb's own storage, which is not kept here.
        raise JsonError("0A000", "jsonpath item method .keyvalue() is not supported over lake data")
    if name in ("ceiling", "floor", "abs"):
        if not isinstance(item, Decimal):
            raise JsonError("22036", f"jsonpath item method .{name}() can only be applied to a numeric value")
        if name == "abs":
            return item.copy_abs()
        return item.to_integral_value(ROUND_CEILING if name == "ceiling" else ROUND_FLOOR)
    if name == "string":
        return _string(item)
    return _boolean(item) if name == "boolean" else _number(name, item)


def _string(item: Json) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, Decimal):
        return number_text(item)
    wanted = "a boolean, string, numeric, or datetime value"
    raise JsonError("22036", f"jsonpath item method .string() can only be applied to {wanted}")


def _boolean(item: Json) -> bool:
    if isinstance(item, bool):
        return item
    if isinstance(item, Decimal) and item == item.to_integral_value():
        return item != 0
    if isinstance(item, str):
        word = item.strip().lower()
        for value, words in ((True, ("true", "yes", "on", "1")), (False, ("false", "no", "off", "0"))):
            if word and any(text.startswith(word) for text in words) and word != "o":
                return value
    problem = f'argument "{_shown(item)}" of jsonpath item method .boolean() is invalid for type boolean'
    raise JsonError("22036", problem)


def _shown(item: Json) -> str:
    return _string(item) if isinstance(item, str | bool | Decimal) else ""


def _number(name: str, item: Json) -> Decimal:
    """double(), number(), decimal(), integer(), bigint() of a number or a string."""
    kinds = {"double": "double precision", "number": "numeric", "decimal": "numeric"}
    problem = f'argument "{_shown(item)}" of jsonpath item method .{name}() is invalid for type {kinds.get(name, name)}'
    if not isinstance(item, str | Decimal):
        raise JsonError("22036", f"jsonpath item method .{name}() can only be applied to a string or numeric value")
    try:
        number = Decimal(item.strip() if isinstance(item, str) else item)
    except InvalidOperation:
        raise JsonError("22036", problem) from None
    if not number.is_finite() or "_" in str(item):
        raise JsonError("22036", problem)
    if name == "double":
        double = float(number)
        if math.isinf(double):
            raise JsonError("22036", problem)
        return Decimal(repr(double).removesuffix(".0"))
    if name in ("integer", "bigint"):
        if isinstance(item, str) and not re.fullmatch(r"\s*[+-]?\d+\s*", item):
            raise JsonError("22036", problem)
        number = number.to_integral_value(ROUND_HALF_UP)
        if not -(2**31 if name == "integer" else 2**63) <= number < (2**31 if name == "integer" else 2**63):
            raise JsonError("22036", problem)
    return number


# -- arithmetic -------------------------------------------------------------------------------------------------------


def _signed(run: _Run, node: Node) -> Iterator[Json]:
    for item in _unwrapped(run, _items(run, node[2])):
        if not isinstance(item, Decimal):
            raise JsonError("2203B", f"operand of unary jsonpath operator {node[1]} is not a numeric value")
        yield item.copy_negate() if node[1] == "-" else item


def _arithmetic(run: _Run, node: Node) -> Decimal:
    sign = node[1]
    sides = []
    for word, part in (("left", node[2]), ("right", node[3])):
        items = list(_unwrapped(run, _items(run, part)))
        if len(items) != 1 or not isinstance(items[0], Decimal):
            raise JsonError("22038", f"{word} operand of jsonpath operator {sign} is not a single numeric value")
        sides.append(items[0])
    left, right = sides
    if sign in "/%" and not right:
        raise JsonError("22012", "division by zero")
    if sign == "+":
        return _EXACT.add(left, right)
    if sign == "-":
        return _EXACT.subtract(left, right)
    if sign == "*":
        return _EXACT.multiply(left, right)
    return _EXACT.remainder(left, right) if sign == "%" else _quotient(left, right)


def _quotient(left: Decimal, right: Decimal) -> Decimal:
    """With as many decimals as numeric's division gives (select_div_scale)."""
    (weight, first), (other_weight, other_first) = _leading(left), _leading(right)
    weight -= other_weight + (first <= other_first)
    scale = min(max(16 - weight * 4, _scale(left), _scale(right), 0), 1000)
    digits = Context(prec=scale + max(left.adjusted() - right.adjusted(), 0) + 10, rounding=ROUND_DOWN)
    return digits.divide(left, right).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _EXACT)


def _leading(number: Decimal) -> tuple[int, int]:
    """The weight of the first digit to base 10000, and that digit."""
    if not number:
        return 0, 0
    weight = number.adjusted() // 4
    return weight, int(number.copy_abs().scaleb(-4 * weight))


def _scale(number: Decimal) -> int:
    return max(-cast(int, number.as_tuple().exponent), 0)


# -- predicates -------------------------------------------------------------------------------------------------------


def _truth(run: _Run, node: Node) -> bool | None:
    kind = node[0]
    if kind in ("and", "or"):
        decisive: bool = kind == "or"
        left = _truth(run, node[1])
        if left is decisive:
            return left
        right = _truth(run, node[2])
        return None if left is None and right is not decisive else right
    if kind == "not":
        inner = _truth(run, node[1])
        return None if inner is None else not inner
    if kind == "unknown":
        return _truth(run, node[1]) is None
    if kind == "exists":
        try:
            return _any(run, node[1])
        except JsonError as error:
            _raise_fatal(error)
            return None
    if kind == "compare":
        return _pairs(run, node[2], node[3], node[1])
    if kind == "starts":
        return _pairs(run, node[1], node[2], "starts")
    if kind == "regex":
        return _pairs(run, node[1], ("value", None), "regex", _pattern(node[2], node[3]))
    raise JsonError("0A000", "this jsonpath predicate is not supported over lake data")


def _raise_fatal(error: JsonError) -> None:
    """An error within a predicate makes it unknown; what is not supported, or no variable, stays an error."""
    if not error.is_of_data:
        raise error


def _pairs(run: _Run, left: Node, right: Node, how: str, pattern: re.Pattern[str] | None = None) -> bool | None:
    """True when any pair is; in strict mode unknown when any pair is."""
    try:
        lefts = list(_unwrapped(run, _items(run, left)))
        rights = list(_unwrapped(run, _items(run, right)))
    except JsonError as error:
        _raise_fatal(error)
        return None
    found = unknown = False
    for one in lefts:
        for other in rights:
            if pattern is not None:
                result = bool(pattern.search(one)) if isinstance(one, str) else None
            elif how == "starts":
                result = one.startswith(other) if isinstance(one, str) and isinstance(other, str) else None
            else:
                result = _compared(one, other, how)
            if result is None and not run.lax:
                return None
            if result and run.lax:
                return True
            found, unknown = found or bool(result), unknown or result is None
    return True if found else None if unknown else False


def _compared(one: Json, other: Json, how: str) -> bool | None:
    if type(one) is not type(other):
        return how == "!=" if one is None or other is None else None
    if isinstance(one, dict | list):
        return None
    if one is None:
        return how in ("==", "<=", ">=")
    below, above = one < other, one > other  # type: ignore[operator]
    return {
        "==": not below and not above,
        "!=": below or above,
        "<": below,
        "<=": not above,
        ">": above,
        ">=": not below,
    }[how]


_PLAIN_PATTERN = re.compile(
    r"(?:[^\\\[\](){}*+?|^$]|\\[dws.^$*+?()\[\]{}|\\/-]|[.^$]|\((?!\?)|\)|\||\[\^?\w[\w -]*\]"
    r"|[*+?](?![*+?])|\{\d+(?:,\d*)?\})*\Z"
)


@lru_cache(maxsize=1000)
def _pattern(text: str, flags: str) -> re.Pattern[str]:
    """like_regex's pattern where it means the same to Python; 0A000 otherwise."""
    options = re.NOFLAG
    for flag in flags:
        options |= {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE, "q": re.NOFLAG}.get(flag, re.NOFLAG)
    if "q" in flags:
        return re.compile(re.escape(text), options)
    if "x" in flags or not _PLAIN_PATTERN.match(text):
        raise JsonError("0A000", f'like_regex "{text}" is not supported over lake data')
    if "m" not in flags:
        text = re.sub(r"(\\.)|\$", lambda match: match[1] or r"\Z", text, flags=re.DOTALL)
    return re.compile(text, options)
