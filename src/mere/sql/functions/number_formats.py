"""to_char and to_number with number patterns, which must be constants. Coordinator process."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

from mere.errors import FeatureNotSupported
from mere.sql.expressions.build import call, cast, number, string
from mere.sql.expressions.numeric import decimal_of
from mere.sql.expressions.typed import Typed
from mere.sql.functions.registry import BoundCall, scalar
from mere.sql.types import NUMERIC, TEXT, PgType

_PLAIN = r"""(?:"[^"]*"|[^\w.,"])*"""  # characters that stand for themselves
_TEMPLATE = re.compile(
    rf"^(?P<before>{_PLAIN})(?P<leading>SG|S|MI|PL)?(?P<currency>L)?(?P<after>{_PLAIN})(?P<whole>[09,G]*)"
    rf"(?:V(?P<shifted>[09]*)|(?P<point>[.D])(?P<fraction>[09]*))?(?P<th>TH)?(?P<trailing>SG|S|MI|PR|PL)?"
    rf"(?P<rest>{_PLAIN})$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A pattern of digits: `whole` of 9 0 and commas before the point, `fraction` of 9 and 0 after it."""

    fill: bool
    leading: str
    whole: str
    point: bool
    fraction: str
    trailing: str
    prefix: str = ""
    suffix: str = ""
    currency: bool = False
    ordinal: str = ""  # th or TH
    shift: int = 0  # digits behind V: the number times ten for each

    @property
    def positions(self) -> int:
        return sum(character in "09" for character in self.whole)

    @property
    def forced(self) -> int:
        """Digits before the point that show even as leading zeros."""
        digits = [character for character in self.whole if character in "09"]
        return len(digits) - digits.index("0") if "0" in digits else 0


def parse_picture(template: str) -> Picture | None:
    bare = re.sub(r'("[^"]*")|FM', lambda found: found[1] or "", template, flags=re.IGNORECASE)
    match = _TEMPLATE.match(bare)
    if match is None or (match["leading"] and match["after"]) or (match["th"] and match["point"]):
        return None
    shifted = match["shifted"] or ""
    return Picture(
        bare != template,
        (match["leading"] or "").upper(),
        match["whole"].upper().replace("G", ",") + shifted,
        match["point"] is not None,
        match["fraction"] or "",
        (match["trailing"] or "").upper(),
        _unquoted(match["before"] + match["after"]),
        _unquoted(match["rest"]),
        match["currency"] is not None,
        match["th"] or "",
        len(shifted),
    )


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _special(bound: BoundCall, template: str) -> exp.Expression | None:
    """Patterns that are no picture of digits: Roman numerals and exponents."""
    value = bound.arguments[0]
    number_sql = cast(value.sql, "DOUBLE")
    plain = template.upper()
    if plain.removeprefix("FM") in ("RN",):
        roman = call("mere_roman", number_sql)
        if template.endswith("rn"):
            roman = call("lower", roman)
        return roman if plain.startswith("FM") else call("lpad", roman, number(15), string(" "))
    scientific = re.fullmatch(r"(FM)?[09](?:[.D]([09]+))?EEEE", plain)
    if scientific is None:
        return None
    digits = len(scientific.group(2) or "")
    if value.type.oid == NUMERIC and value.decimal is not None:
        text = call("mere_scientific", value.sql.copy(), number(digits))
        text = call("replace", text, string("."), string("")) if not digits else text
    else:
        text = call("format", string(f"{{:.{digits}e}}"), number_sql)
    if scientific.group(1):
        return text
    padded = exp.DPipe(this=string(" "), expression=text.copy())
    return exp.Case(ifs=[exp.If(this=exp.LT(this=number_sql.copy(), expression=number(0)), true=text)], default=padded)


def _picture(bound: BoundCall) -> Picture:
    template = bound.constant_text(1)
    picture = parse_picture(template) if template is not None else None
    if picture is None or (picture.leading and picture.trailing):
        raise FeatureNotSupported(f"to_char with the number format {template!r} is not supported over lake data")
    return picture


@scalar(
    "to_char(int4,text)", "to_char(int8,text)", "to_char(numeric,text)", "to_char(float4,text)", "to_char(float8,text)"
)
def _to_char(bound: BoundCall) -> exp.Expression:
    template = bound.constant_text(1)
    special = _special(bound, template) if template is not None else None
    if special is not None:
        return special
    picture = _picture(bound)
    decimals = len(picture.fraction)
    value = bound.arguments[0]
    if decimal_of(value) is None:
        sql: exp.Expression = call("mere_float_text", cast(value.sql, "DOUBLE"))
    else:
        sql = value.sql
    if picture.shift:
        factor = cast(number(10**picture.shift), f"DECIMAL({picture.shift + 1},0)")
        sql = exp.Mul(this=cast(sql, f"DECIMAL(38,{picture.shift})"), expression=factor)
    rounded = cast(sql, f"DECIMAL(38,{decimals})")
    text = call("mere_digits_text", rounded)
    body = call(
        "mere_picture",
        call("mere_whole_part", text, _forced(picture, rounded), exp.Boolean(this=picture.point)),
        number(picture.positions),
        string(picture.whole),
    )
    if picture.point:
        body = exp.DPipe(this=body, expression=_fraction(picture, text.copy()))
    fits = exp.LTE(this=call("mere_whole_digits", text.copy()), expression=number(picture.positions))
    overflow = string(re.sub("[09]", "#", picture.whole) + ("." + "#" * decimals if picture.point else ""))
    shown = exp.Case(
        ifs=[exp.If(this=exp.Is(this=sql.copy(), expression=exp.Null()), true=exp.Null())],
        default=exp.Case(ifs=[exp.If(this=fits, true=body)], default=overflow),
    )
    negative = exp.LT(this=rounded.copy(), expression=number(0))
    made = _signed(picture, shown, negative)
    if picture.ordinal:
        suffix = call("mere_number_ordinal", rounded.copy(), fits.copy())
        made = exp.DPipe(this=made, expression=call("upper", suffix) if picture.ordinal == "TH" else suffix)
    return _framed(bound, picture, made)


def _forced(picture: Picture, rounded: exp.Expression) -> exp.Expression:
    """FM leaves a zero its one digit."""
    if not picture.fill or picture.forced or not picture.point or "0" in picture.fraction:
        return number(picture.forced)
    zero = exp.EQ(this=rounded.copy(), expression=number(0))
    return exp.Case(ifs=[exp.If(this=zero, true=number(1))], default=number(0))


def _framed(bound: BoundCall, picture: Picture, made: exp.Expression) -> exp.Expression:
    """What the pattern writes before and behind the number; L is the currency of the session's locale."""
    if picture.prefix:
        made = exp.DPipe(this=string(picture.prefix), expression=made)
    if picture.currency:
        symbol = bound.context.env.constant("rtrim(pg_catalog.to_char(0, 'FML0'), '0')", PgType(TEXT))
        made = exp.DPipe(this=symbol.sql, expression=made)
    return exp.DPipe(this=made, expression=string(picture.suffix)) if picture.suffix else made


def _fraction(picture: Picture, text: exp.Expression) -> exp.Expression:
    """After the point; FM cuts zeros that stand on a 9."""
    digits = call("mere_fraction_digits", text)
    if picture.fill:
        keep = picture.fraction.rfind("0") + 1
        digits = call("mere_cut_zeros", digits, number(keep))
    return exp.DPipe(this=string("."), expression=digits)


def _signed(picture: Picture, body: exp.Expression, negative: exp.Expression) -> exp.Expression:
    style = picture.leading or picture.trailing
    place = "leading" if picture.leading else "trailing" if picture.trailing else ""
    negative = exp.Paren(this=negative)
    arguments = (body, negative, exp.Boolean(this=picture.fill))
    if style == "PR":
        return call("mere_sign_brackets", *arguments)
    if style in ("MI", "PL"):
        return call(f"mere_sign_{style.lower()}_{place}", *arguments)
    if style in ("S", "SG"):
        return call(f"mere_sign_{style.lower()}_{place}", *arguments)
    return call("mere_sign_floating", *arguments)


@scalar("to_number(text,text)")
def _to_number(bound: BoundCall) -> Typed:
    template = bound.constant_text(1)
    picture = parse_picture(re.sub("[L$ ]", "", template)) if template is not None else None
    if picture is None or picture.shift or picture.ordinal or picture.prefix or picture.suffix:
        raise FeatureNotSupported(f"to_number with the format {template!r} is not supported over lake data")
    decimals = len(picture.fraction)
    text = call("mere_to_number", bound.sql(0), number(picture.positions), number(decimals))
    sql = cast(text, f"DECIMAL(38,{decimals})")
    return Typed(sql, PgType(NUMERIC), bound.marks, (38, decimals))
