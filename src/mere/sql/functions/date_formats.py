"""to_char, to_date and to_timestamp with date patterns, which must be constants. Coordinator process."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.expressions.build import binary, call, cast, number, string
from mere.sql.expressions.zones import zone
from mere.sql.functions.registry import BoundCall, scalar
from mere.sql.types import DATE, TIMESTAMPTZ

_NAMES = [
    "SSSSS",
    "SSSS",
    "Y,YYY",
    "YYYY",
    "YYY",
    "YY",
    "Y",
    "IYYY",
    "IYY",
    "IY",
    "IDDD",
    "ID",
    "IW",
    "I",
    "MONTH",
    "MON",
    "MM",
    "MI",
    "MS",
    "US",
    "DAY",
    "DY",
    "DDD",
    "DD",
    "D",
    "HH24",
    "HH12",
    "HH",
    "SS",
    "A.M.",
    "P.M.",
    "AM",
    "PM",
    "WW",
    "W",
    "CC",
    "J",
    "Q",
    "RM",
    "TZH",
    "TZM",
    "TZ",
    "OF",
    "B.C.",
    "A.D.",
    "BC",
    "AD",
    "FF1",
    "FF2",
    "FF3",
    "FF4",
    "FF5",
    "FF6",
]
_TOKEN = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<fill>FM|TM)?(?P<name>' + "|".join(map(re.escape, _NAMES)) + r")(?P<th>TH)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A pattern as written, its upper-case name, and whether FM stands before and TH after; or plain text."""

    text: str
    name: str = ""
    fill: bool = False
    ordinal: str = ""


def tokens(template: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(template):
        match = _TOKEN.match(template, position)
        if match is None:
            fill = template[position : position + 2].upper() in ("FM", "FX")
            if not fill:
                found.append(Token(template[position]))
            position += 2 if fill else 1
        elif match.group("quoted"):
            found.append(Token(re.sub(r"\\(.)", r"\1", match.group("quoted")[1:-1])))
            position = match.end()
        else:
            fill = (match.group("fill") or "").upper() == "FM"
            name = match.group("name")
            found.append(Token(name, name.upper(), fill, match.group("th") or ""))
            position = match.end()
    return found


# -- to_char --------------------------------------------------------------------------------------------------------

# strftime directives; the second is the one without leading zeros, for FM.
_DIRECTIVES = {
    "YYYY": ("%Y", "%-Y"),
    "MM": ("%m", "%-m"),
    "DD": ("%d", "%-d"),
    "HH24": ("%H", "%-H"),
    "HH12": ("%I", "%-I"),
    "HH": ("%I", "%-I"),
    "MI": ("%M", "%-M"),
    "SS": ("%S", "%-S"),
    "DDD": ("%j", "%-j"),
    "MS": ("%g", "%g"),
    "US": ("%f", "%f"),
    "FF6": ("%f", "%f"),
    "FF3": ("%g", "%g"),
    "YY": ("%y", "%y"),
    "IYYY": ("%G", "%G"),
    "ID": ("%u", "%u"),
}
_NUMBERS: dict[str, str] = {
    "DD": "day",
    "MM": "month",
    "YYYY": "year",
    "HH24": "hour",
    "MI": "minute",
    "SS": "second",
    "DDD": "dayofyear",
    "Q": "quarter",
}
_Piece = Callable[[exp.Expression], exp.Expression]


def _text(sql: exp.Expression) -> exp.Expression:
    return cast(sql, "VARCHAR")


def _named(directive: str, width: int) -> Callable[[exp.Expression, Token], exp.Expression]:
    """Month and day names: case as the pattern is written, blank-padded unless FM."""

    def build(moment: exp.Expression, token: Token) -> exp.Expression:
        name: exp.Expression = call("strftime", moment, string(directive))
        if token.text.isupper():
            name = call("upper", name)
        elif token.text.islower():
            name = call("lower", name)
        return name if token.fill or not width else call("rpad", name, number(width), string(" "))

    return build


_WORDS = {
    "MONTH": _named("%B", 9),
    "MON": _named("%b", 0),
    "DAY": _named("%A", 9),
    "DY": _named("%a", 0),
}


def _divided(sql: exp.Expression, shift: int, size: int) -> exp.Expression:
    """(sql + shift) // size"""
    return binary(exp.IntDiv, exp.Add(this=sql, expression=number(shift)), number(size))


_PIECES: dict[str, _Piece] = {
    "YYY": lambda x: call("right", call("strftime", x, string("%Y")), number(3)),
    "Y": lambda x: call("right", call("strftime", x, string("%Y")), number(1)),
    "IYY": lambda x: call("right", call("strftime", x, string("%G")), number(3)),
    "IY": lambda x: call("right", call("strftime", x, string("%G")), number(2)),
    "I": lambda x: call("right", call("strftime", x, string("%G")), number(1)),
    "D": lambda x: _text(exp.Add(this=call("dayofweek", x), expression=number(1))),
    "IW": lambda x: call("mere_two_digits", call("weekofyear", x)),
    "WW": lambda x: call("mere_two_digits", _divided(call("dayofyear", x), 6, 7)),
    "W": lambda x: _text(_divided(call("day", x), 6, 7)),
    "CC": lambda x: call("mere_two_digits", _divided(call("year", x), 99, 100)),
    "J": lambda x: _text(call("mere_julian", x)),
    "Q": lambda x: _text(call("quarter", x)),
    "SSSS": lambda x: _text(call("mere_day_seconds", x)),
    "SSSSS": lambda x: _text(call("mere_day_seconds", x)),
    "Y,YYY": lambda x: call("mere_thousands", call("year", x)),
}


def _era_year(x: exp.Expression) -> exp.Expression:
    """Years before Christ are counted from 1, without a zero."""
    return exp.Paren(this=exp.Sub(this=number(1), expression=call("year", x)))


def _era_week_year(x: exp.Expression) -> exp.Expression:
    year = call("isoyear", x)
    return exp.Case(
        ifs=[exp.If(this=exp.GT(this=year, expression=number(0)), true=year.copy())],
        default=exp.Sub(this=number(1), expression=year.copy()),
    )


def _digits(year: _Piece, width: int, last: int) -> _Piece:
    return lambda x: call("right", call("lpad", _text(year(x)), number(width), string("0")), number(last))


# Before Christ: what strftime() writes with a sign, or not at all.
_ANCIENT: dict[str, _Piece] = {
    "YYYY": _digits(_era_year, 4, 4),
    "YYY": _digits(_era_year, 4, 3),
    "YY": _digits(_era_year, 4, 2),
    "Y": _digits(_era_year, 4, 1),
    "Y,YYY": lambda x: call("mere_thousands", _era_year(x)),
    "IYYY": _digits(_era_week_year, 4, 4),
    "IYY": _digits(_era_week_year, 4, 3),
    "IY": _digits(_era_week_year, 4, 2),
    "I": _digits(_era_week_year, 4, 1),
    "IW": lambda x: call("mere_two_digits", call("weekofyear", x)),
    "CC": lambda x: call("mere_ancient_century", call("year", x)),
    "BC": lambda x: string("BC"),
}
_ANCIENT |= dict.fromkeys(("AD", "B.C.", "A.D."), _ANCIENT["BC"])


def _ancient_piece(token: Token, moment: exp.Expression) -> exp.Expression:
    if token.name in ("BC", "AD", "B.C.", "A.D."):
        era = "BC" if len(token.name) == 2 else "B.C."
        return string(era if token.text.isupper() else era.lower())
    made = _ANCIENT[token.name](moment)
    return call("ltrim", made, string("0")) if token.fill else made


def _piece(token: Token, moment: exp.Expression, bound: BoundCall) -> exp.Expression:
    name = token.name
    if name in _WORDS:
        return _WORDS[name](moment, token)
    if name in ("AM", "PM", "A.M.", "P.M."):
        marks = [
            mark if token.text.isupper() else mark.lower()
            for mark in (("AM", "PM") if len(name) == 2 else ("A.M.", "P.M."))
        ]
        return call("mere_meridiem", moment, string(marks[0]), string(marks[1]))
    if name in ("BC", "AD", "B.C.", "A.D."):
        era = "AD" if len(name) == 2 else "A.D."
        return string(era if token.text.isupper() else era.lower())
    if name == "RM":
        roman: exp.Expression = call("mere_roman_month", moment)
        roman = roman if token.text.isupper() else call("lower", roman)
        return roman if token.fill else call("rpad", roman, number(4), string(" "))
    if name in ("TZ", "TZH", "TZM", "OF"):
        return _zone(token, bound)
    maker = _PIECES.get(name)
    if maker is None:
        raise FeatureNotSupported(f'to_char pattern "{token.text}" is not supported over lake data')
    return maker(moment)


def _zone(token: Token, bound: BoundCall) -> exp.Expression:
    name = bound.context.env.time_zone
    if bound.arguments[0].type.oid != TIMESTAMPTZ:
        return string("" if token.name == "TZ" else "+00")
    if token.name == "TZ":
        if name.upper() in ("UTC", "GMT"):
            return string(name.upper() if token.text.isupper() else name.lower())
        shown = call("mere_kernel_zone_name", call("epoch_us", bound.sql(0).copy()), string(name))
        return shown if token.text.isupper() else call("lower", shown)
    offset = call("mere_zone_offset", bound.sql(0).copy(), zone(name))
    text = call("mere_offset_out", offset)
    if token.name == "TZH":
        return call("left", text, number(3))
    if token.name == "TZM":
        return call(
            "mere_two_digits", binary(exp.IntDiv, binary(exp.Mod, call("abs", offset), number(3600)), number(60))
        )
    return text


def _joined(parts: list[exp.Expression]) -> exp.Expression:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return whole


def _template(bound: BoundCall) -> list[Token]:
    template = bound.constant_text(1)
    if template is None:
        raise FeatureNotSupported(f"{bound.node.name}() with a format that is no constant is not supported")
    return tokens(template)


@scalar("to_char(timestamp,text)", "to_char(timestamptz,text)")
def _to_char(bound: BoundCall) -> exp.Expression:
    moment = bound.sql(0)
    if bound.raw[0].type.oid == DATE:
        moment = cast(bound.raw[0].sql, "TIMESTAMP")
    elif bound.arguments[0].type.oid == TIMESTAMPTZ:
        moment = call("timezone", zone(bound.context.env.time_zone), moment)
    template = _template(bound)
    whole = _rendered(template, moment, bound, ancient=False)
    finite: exp.Expression = call("isfinite", moment.copy())
    ifs = [exp.If(this=finite, true=whole)]
    if any(token.name in _ANCIENT for token in template):
        early = exp.LT(this=moment.copy(), expression=cast(string("0001-01-01"), "TIMESTAMP"))
        before = exp.And(this=finite.copy(), expression=early)
        ifs.insert(0, exp.If(this=before, true=_rendered(template, moment, bound, ancient=True)))
    return exp.Case(ifs=ifs)


def _rendered(template: list[Token], moment: exp.Expression, bound: BoundCall, *, ancient: bool) -> exp.Expression:
    """The template's pieces joined; neighbours that strftime() knows are one call of it."""
    parts: list[exp.Expression] = []
    directives = ""
    for token in template:
        directive = None if ancient and token.name in _ANCIENT else _DIRECTIVES.get(token.name)
        if not token.name:
            directives += token.text.replace("%", "%%")
        elif directive is not None:
            directives += directive[1 if token.fill else 0]
        else:
            if directives:
                parts.append(call("strftime", moment.copy(), string(directives)))
            directives = ""
            old = ancient and token.name in _ANCIENT
            parts.append(_ancient_piece(token, moment.copy()) if old else _piece(token, moment.copy(), bound))
        if token.ordinal:
            if directives:
                parts.append(call("strftime", moment.copy(), string(directives)))
            directives = ""
            parts.append(_ordinal(token, moment.copy()))
    if directives or not parts:
        parts.append(call("strftime", moment.copy(), string(directives)))
    return _joined(parts)


def _ordinal(token: Token, moment: exp.Expression) -> exp.Expression:
    field = _NUMBERS.get(token.name)
    if field is None:
        raise FeatureNotSupported(f'to_char pattern "{token.text}{token.ordinal}" is not supported over lake data')
    suffix = call("mere_ordinal", call(field, moment))
    return call("upper", suffix) if token.ordinal == "TH" else suffix


_INTERVAL_PIECES: dict[str, _Piece] = {
    "HH24": lambda x: call("mere_hours_text", binary(exp.IntDiv, call("mere_interval_us", x), number(3_600_000_000))),
    "MI": lambda x: call(
        "mere_two_digits",
        binary(
            exp.IntDiv,
            binary(exp.Mod, call("abs", call("mere_interval_us", x)), number(3_600_000_000)),
            number(60_000_000),
        ),
    ),
    "SS": lambda x: call(
        "mere_two_digits",
        binary(
            exp.IntDiv, binary(exp.Mod, call("abs", call("mere_interval_us", x)), number(60_000_000)), number(1_000_000)
        ),
    ),
    "DD": lambda x: call("mere_two_digits", call("mere_interval_days", x)),
    "MM": lambda x: call("mere_two_digits", binary(exp.Mod, call("mere_interval_months", x), number(12))),
    "YYYY": lambda x: call(
        "lpad", _text(binary(exp.IntDiv, call("mere_interval_months", x), number(12))), number(4), string("0")
    ),
}


@scalar("to_char(interval,text)")
def _interval_to_char(bound: BoundCall) -> exp.Expression:
    parts: list[exp.Expression] = []
    for token in _template(bound):
        maker = _INTERVAL_PIECES.get(token.name)
        if not token.name:
            parts.append(string(token.text))
        elif maker is None or token.fill:
            raise FeatureNotSupported(f'to_char pattern "{token.text}" over an interval is not supported')
        else:
            parts.append(maker(bound.sql(0).copy()))
    return _joined(parts or [string("")])


# -- to_date and to_timestamp -----------------------------------------------------------------------------------------

_INPUT = {
    "YYYY": "%Y",
    "YY": "%y",
    "MM": "%m",
    "DD": "%d",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "MS": "%g",
    "US": "%f",
    "MON": "%b",
    "MONTH": "%B",
    "AM": "%p",
    "PM": "%p",
    "DDD": "%j",
    "DY": "%a",
    "DAY": "%A",
}


_WIDTHS = {"YYYY": r"\d{4,}", "DDD": r"\d{1,3}", "MS": r"\d{1,3}", "US": r"\d{1,6}"}
_LETTERS = frozenset({"MON", "MONTH", "AM", "PM", "DY", "DAY"})


def _input_format(bound: BoundCall) -> tuple[str, str]:
    """For strptime(), and a regular expression of what the template covers: what follows it is ignored."""
    made, covered = "", r"^\s*"
    for token in _template(bound):
        if not token.name:
            made += token.text.replace("%", "%%")
            covered += r"\s*" if token.text == " " else re.escape(token.text)
        elif token.name in _INPUT:
            made += _INPUT[token.name]
            covered += "[A-Za-z]+" if token.name in _LETTERS else _WIDTHS.get(token.name, r"\d{1,2}")
        else:
            raise FeatureNotSupported(f'{bound.node.name} pattern "{token.text}" is not supported over lake data')
    return made, covered


def _parsed(bound: BoundCall) -> exp.Expression:
    name = string(f'"{bound.constant_text(1)}"')
    made, covered = _input_format(bound)
    return call("mere_parse_time", bound.sql(0), string(made), string(covered), name)


@scalar("to_date(text,text)")
def _to_date(bound: BoundCall) -> exp.Expression:
    return cast(_parsed(bound), "DATE")


@scalar("to_timestamp(text,text)")
def _to_timestamp(bound: BoundCall) -> exp.Expression:
    return call("timezone", zone(bound.context.env.time_zone), _parsed(bound))
