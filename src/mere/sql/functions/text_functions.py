"""String and binary string functions. Coordinator process."""

from __future__ import annotations

import re

from sqlglot import exp

from mere.errors import DataError, FeatureNotSupported
from mere.sql.coercion import as_text
from mere.sql.expressions.build import call, cast, conjunction, is_null, number, string
from mere.sql.expressions.typed import Typed
from mere.sql.functions.patterns import pattern_sql, similar_pattern, translate
from mere.sql.functions.registry import NORMAL_FORMS, SCALARS, BoundCall, same, scalar
from mere.sql.types import REGTYPE, TEXT, PgType, array_of

same(
    """
    lower(text) lower; upper(text) upper; casefold lower; initcap mere_initcap
    ltrim(text); ltrim(text,text); rtrim(text); rtrim(text,text); btrim(text) trim; btrim(text,text) trim
    substr(text,int4) mere_substr_from; substring(text,int4) mere_substr_from
    substr(text,int4,int4) mere_substr; substring(text,int4,int4) mere_substr
    substr(bytea,int4,int4) mere_blob_substr; substring(bytea,int4,int4) mere_blob_substr
    substr(bytea,int4) mere_blob_substr_from; substring(bytea,int4) mere_blob_substr_from
    left(text,int4) left; right(text,int4) right; replace mere_replace; translate; repeat mere_repeat
    lpad(text,int4,text) mere_lpad; rpad(text,int4,text) mere_rpad; reverse(text) reverse
    split_part mere_split_part; chr mere_chr; ascii mere_ascii; md5(text) md5; md5(bytea) md5
    starts_with; encode mere_encode; decode mere_decode; to_hex(int4) mere_to_hex4; to_hex(int8) mere_to_hex8
    to_bin(int4) mere_to_bin4; to_bin(int8) bin; to_oct mere_to_oct
    quote_literal(text) mere_quote_literal; quote_nullable(text) mere_quote_nullable
    get_byte mere_get_byte; set_byte mere_set_byte; get_bit(bytea,int8) mere_get_bit
    set_bit(bytea,int8,int4) mere_set_bit; bit_count(bytea) mere_blob_bit_count
    position(bytea,bytea) mere_blob_position; reverse(bytea) mere_blob_reverse
    btrim(bytea,bytea) mere_blob_btrim; ltrim(bytea,bytea) mere_blob_ltrim; rtrim(bytea,bytea) mere_blob_rtrim
    overlay(bytea,bytea,int4,int4) mere_blob_overlay; overlay(bytea,bytea,int4) mere_blob_overlay_whole
    sha224 mere_kernel_sha224; sha384 mere_kernel_sha384; sha512 mere_kernel_sha512; crc32 mere_kernel_crc32
    textcat mere_text_concat; gen_random_uuid uuid; uuidv4 uuid; uuidv7() uuidv7
    like(text,text) mere_like; notlike(text,text) mere_not_like
    """
)


@scalar("length(text)", "length(bpchar)", "char_length", "character_length")
def _length(bound: BoundCall) -> exp.Expression:
    return cast(call("length", bound.sql(0)), "INTEGER")


@scalar("length(bytea)", "octet_length(bytea)")
def _blob_length(bound: BoundCall) -> exp.Expression:
    return cast(call("octet_length", bound.sql(0)), "INTEGER")


@scalar("octet_length(text)", "octet_length(bpchar)")
def _octets(bound: BoundCall) -> exp.Expression:
    return cast(call("strlen", as_text(bound.arguments[0], bound.context.env).sql), "INTEGER")


@scalar("bit_length(text)", "bit_length(bytea)")
def _bits(bound: BoundCall) -> exp.Expression:
    name = "octet_length" if bound.resolved.arguments[0] == 17 else "strlen"
    return cast(exp.Mul(this=call(name, bound.sql(0)), expression=number(8)), "INTEGER")


@scalar("strpos", "position(text,text)")
def _position(bound: BoundCall) -> exp.Expression:
    return cast(call("strpos", bound.sql(0), bound.sql(1)), "INTEGER")


@scalar("substr(text,int4)", "substr(text,int4,int4)", "substring(text,int4)", "substring(text,int4,int4)")
def _substring(bound: BoundCall) -> exp.Expression:
    """A constant start of at least 1 and a constant length are DuckDB's own substring()."""
    start = bound.constant_int(1)
    length = bound.constant_int(2) if len(bound.arguments) > 2 else 0
    if start is not None and start >= 1 and length is not None and length >= 0:
        return call("substring", *(argument.sql for argument in bound.arguments))
    return call("mere_substr" if len(bound.arguments) > 2 else "mere_substr_from", *(a.sql for a in bound.arguments))


@scalar("lpad(text,int4)", "rpad(text,int4)")
def _pad(bound: BoundCall) -> exp.Expression:
    return call(f"mere_{bound.node.name}", bound.sql(0), bound.sql(1), string(" "))


@scalar("overlay(text,text,int4)")
def _overlay(bound: BoundCall) -> exp.Expression:
    return call("mere_overlay", *(a.sql for a in bound.arguments), call("length", bound.sql(1).copy()))


SCALARS["overlay(text,text,int4,int4)"] = "mere_overlay"


@scalar("concat", "concat(variadic)")
def _concat(bound: BoundCall) -> exp.Expression:
    return call("concat", *(as_text(argument, bound.context.env).sql for argument in bound.arguments))


@scalar("concat_ws")
def _concat_ws(bound: BoundCall) -> exp.Expression:
    texts = [as_text(argument, bound.context.env).sql for argument in bound.arguments]
    return call("concat_ws", *texts)


@scalar("sha256")
def _digest(bound: BoundCall) -> exp.Expression:
    return call("unhex", call("sha256", bound.sql(0)))


@scalar("normalize")
def _normalize(bound: BoundCall) -> exp.Expression:
    name = NORMAL_FORMS.get((bound.constant_text(1) or "").lower())
    if name is None:
        raise DataError("invalid normalization form", sqlstate="22023")
    return call(name, bound.sql(0))


@scalar("convert_from")
def _convert_from(bound: BoundCall) -> exp.Expression:
    _check_utf8(bound)
    return call("decode", bound.sql(0))


@scalar("convert_to")
def _convert_to(bound: BoundCall) -> exp.Expression:
    _check_utf8(bound)
    return call("encode", bound.sql(0))


def _check_utf8(bound: BoundCall) -> None:
    name = bound.constant_text(1)
    if name is None or name.lower().replace("-", "") != "utf8":
        raise FeatureNotSupported(f"{bound.node.name}() with an encoding other than UTF8 is not supported")


@scalar("quote_ident")
def _quote_ident(bound: BoundCall) -> exp.Expression:
    from mere.sql.grammar.keywords import COLUMN_NAME, RESERVED, TYPE_OR_FUNCTION

    text = bound.sql(0)
    plain = call("regexp_full_match", text, string("[a-z_][a-z0-9_]*"))
    words = [string(word) for word in sorted(RESERVED | TYPE_OR_FUNCTION | COLUMN_NAME)]
    free = exp.Not(this=exp.In(this=text.copy(), expressions=words))
    quoted = call("concat", string('"'), call("replace", text.copy(), string('"'), string('""')), string('"'))
    null_safe = exp.Case(ifs=[exp.If(this=is_null(text.copy()), true=exp.Null())], default=quoted)
    return exp.Case(ifs=[exp.If(this=conjunction([plain, free]), true=text.copy())], default=null_safe)


@scalar("quote_literal(anyelement)", "quote_nullable(anyelement)")
def _quote_any(bound: BoundCall) -> exp.Expression:
    return call(f"mere_{bound.node.name}", as_text(bound.arguments[0], bound.context.env).sql)


_FORMAT = re.compile(r"%(?:(\d+)\$)?(-)?(\d+)?([sIL%])")


@scalar("format")
def _format(bound: BoundCall) -> exp.Expression:
    template = bound.constant_text(0)
    if template is None:
        raise FeatureNotSupported("format() with a format that is no constant is not supported")
    parts: list[exp.Expression] = []
    position, following = 0, 1
    for match in _FORMAT.finditer(template):
        if match.start() > position:
            parts.append(string(template[position : match.start()]))
        position = match.end()
        if match.group(4) == "%":
            parts.append(string("%"))
            continue
        index = int(match.group(1)) if match.group(1) else following
        following = index + 1
        if index >= len(bound.arguments):
            raise DataError("too few arguments for format()", sqlstate="22023")
        parts.append(_formatted(bound, index, match))
    rest = template[position:]
    if "%" in rest or "%" in _FORMAT.sub("", template):
        raise DataError("unrecognized format() type specifier", sqlstate="22023")
    if rest or not parts:
        parts.append(string(rest))
    return call("concat", *parts)


def _formatted(bound: BoundCall, index: int, match: re.Match[str]) -> exp.Expression:
    text = as_text(bound.arguments[index], bound.context.env).sql
    if match.group(4) == "L":
        text = call("mere_quote_nullable", text)
    elif match.group(4) == "I":
        copy = Typed(text, PgType(TEXT))
        quoted = _quote_ident(BoundCall(bound.context, bound.node, bound.resolved, [copy], [copy], bound.marks))
        text = call("mere_identifier", text.copy(), quoted)
    else:
        text = call("coalesce", text, string(""))
    if match.group(3):
        padding = "rpad" if match.group(2) else "lpad"
        width = call("greatest", call("length", text.copy()), number(int(match.group(3))))
        return call(padding, text, cast(width, "INTEGER"), string(" "))
    return text


@scalar("num_nulls", "num_nonnulls")
def _count_nulls(bound: BoundCall) -> exp.Expression:
    total: exp.Expression = number(0)
    for argument in bound.arguments:
        test = is_null(argument.sql)
        wanted = test if bound.node.name == "num_nulls" else exp.Not(this=test)
        total = exp.Add(this=total, expression=cast(exp.Paren(this=wanted), "INTEGER"))
    return cast(exp.Paren(this=total), "INTEGER")


@scalar("pg_typeof")
def _type_of(bound: BoundCall) -> Typed:
    value = bound.raw[0]
    return Typed(cast(number(value.type.oid), "UINTEGER"), PgType(REGTYPE))


# -- arrays of strings ----------------------------------------------------------------------------------------------

SCALARS["string_to_array(text,text)"] = "mere_string_to_array"
SCALARS["string_to_array(text,text,text)"] = "mere_string_to_array_null"


# -- regular expressions --------------------------------------------------------------------------------------------


def _flags(bound: BoundCall, index: int) -> str:
    if index >= len(bound.arguments):
        return ""
    text = bound.constant_text(index)
    if text is None:
        raise FeatureNotSupported(f"{bound.node.name}() with flags that are no constant is not supported")
    return text


def group_count(pattern: str) -> int:
    """Capturing groups of a translated pattern."""
    try:
        bare = re.sub(r"\\.|\[(?:\\.|\[:\w+:\]|[^\]])*\]", "", pattern)
        return len(re.findall(r"\((?!\?)", bare))
    except re.error:
        return 0


def constant_pattern(bound: BoundCall, index: int, flags: str) -> str:
    pattern = bound.constant_text(index)
    if pattern is None:
        raise FeatureNotSupported(f"{bound.node.name}() with a pattern that is no constant is not supported")
    return translate(pattern, flags)


@scalar("regexp_replace(text,text,text)", "regexp_replace(text,text,text,text)")
def _regexp_replace(bound: BoundCall) -> exp.Expression:
    flags = _flags(bound, 3)
    replacement = bound.constant_text(2)
    if replacement is not None:
        substitute: exp.Expression = string(re.sub(r"\\&", r"\\0", replacement))
    else:
        substitute = call("mere_regex_replacement", bound.sql(2))
    arguments = [bound.sql(0), pattern_sql(bound.arguments[1], flags), substitute]
    if "g" in flags:
        arguments.append(string("g"))
    return call("regexp_replace", *arguments)


@scalar("regexp_match(text,text)", "regexp_match(text,text,text)")
def _regexp_match(bound: BoundCall) -> Typed:
    pattern = constant_pattern(bound, 1, _flags(bound, 2))
    groups = group_count(pattern)
    members = [
        call("regexp_extract", bound.sql(0).copy(), string(pattern), number(group))
        for group in (range(1, groups + 1) if groups else (0,))
    ]
    test = call("regexp_matches", bound.sql(0), string(pattern))
    sql = exp.Case(ifs=[exp.If(this=test, true=exp.Array(expressions=members))])
    return Typed(sql, PgType(array_of(TEXT)), bound.marks)


@scalar("regexp_like(text,text)", "regexp_like(text,text,text)")
def _regexp_like(bound: BoundCall) -> exp.Expression:
    return call("regexp_matches", bound.sql(0), pattern_sql(bound.arguments[1], _flags(bound, 2)))


@scalar("regexp_count(text,text)", "regexp_count(text,text,int4)", "regexp_count(text,text,int4,text)")
def _regexp_count(bound: BoundCall) -> exp.Expression:
    pattern = pattern_sql(bound.arguments[1], _flags(bound, 3))
    if len(bound.arguments) == 2:
        return call("mere_regex_count", bound.sql(0), pattern)
    return call("mere_regex_count_from", bound.sql(0), pattern, bound.sql(2))


@scalar(
    "regexp_substr(text,text)",
    "regexp_substr(text,text,int4)",
    "regexp_substr(text,text,int4,int4)",
    "regexp_substr(text,text,int4,int4,text)",
    "regexp_substr(text,text,int4,int4,text,int4)",
)
def _regexp_substr(bound: BoundCall) -> exp.Expression:
    pattern = pattern_sql(bound.arguments[1], _flags(bound, 4))
    defaults: list[exp.Expression] = [number(1), number(1)]
    given = [argument.sql for argument in bound.arguments[2:4]]
    start, occurrence = [*given, *defaults[len(given) :]]
    group = bound.sql(5) if len(bound.arguments) > 5 else number(0)
    return call("mere_regex_nth", bound.sql(0), pattern, start, occurrence, group)


@scalar("regexp_instr(text,text)")
def _regexp_instr(bound: BoundCall) -> exp.Expression:
    return call("mere_regex_position", bound.sql(0), pattern_sql(bound.arguments[1]))


@scalar("regexp_split_to_array(text,text)", "regexp_split_to_array(text,text,text)")
def _regexp_split(bound: BoundCall) -> exp.Expression:
    return call("mere_regex_split", bound.sql(0), pattern_sql(bound.arguments[1], _flags(bound, 2)))


@scalar("substring(text,text)")
def _substring_pattern(bound: BoundCall) -> exp.Expression:
    pattern = constant_pattern(bound, 1, "")
    return call("mere_regex_first", bound.sql(0), string(pattern), number(1 if group_count(pattern) else 0))


@scalar("substring(text,text,text)")
def _substring_similar(bound: BoundCall) -> exp.Expression:
    """SUBSTRING(text SIMILAR pattern ESCAPE e): what stands between the two escape-double-quote marks."""
    pattern, escape = bound.constant_text(1), bound.constant_text(2)
    if pattern is None or not escape:
        raise FeatureNotSupported("SUBSTRING(SIMILAR) with a pattern that is no constant is not supported")
    pieces = pattern.split(f'{escape}"')
    if len(pieces) != 3:
        if len(pieces) == 1:
            whole = similar_pattern(pattern, escape)
            return call("mere_regex_first", bound.sql(0), string(whole), number(0))
        raise DataError(
            "SQL regular expression may not contain more than two escape-double-quote separators", sqlstate="2200C"
        )
    before, middle, after = (similar_pattern(piece, escape)[len("(?s)^(?:") : -len(")$")] for piece in pieces)
    whole = f"(?s)^(?U:{before})({middle})(?:{after})$"  # what stands before is as short as it can be
    return call("mere_regex_first", bound.sql(0), string(whole), number(1))
