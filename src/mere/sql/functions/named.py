"""Named arguments and defaults of the few built-in functions that have them. Coordinator process."""

from __future__ import annotations

from sqlglot import exp

from mere.errors import UndefinedObject

# Function: parameter names in order, with the text of the default where there is one (pg_proc.proargdefaults).
PARAMETERS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "make_interval": (
        ("years", "0"),
        ("months", "0"),
        ("weeks", "0"),
        ("days", "0"),
        ("hours", "0"),
        ("mins", "0"),
        ("secs", "0.0"),
    ),
    "make_date": (("year", None), ("month", None), ("day", None)),
    "make_time": (("hour", None), ("min", None), ("sec", None)),
    "make_timestamp": (("year", None), ("month", None), ("mday", None), ("hour", None), ("min", None), ("sec", None)),
    "jsonb_set": (("jsonb_in", None), ("path", None), ("replacement", None), ("create_if_missing", "true")),
    "jsonb_insert": (("jsonb_in", None), ("path", None), ("replacement", None), ("insert_after", "false")),
    "json_strip_nulls": (("target", None), ("strip_in_arrays", "false")),
    "jsonb_strip_nulls": (("target", None), ("strip_in_arrays", "false")),
    **dict.fromkeys(
        (
            "jsonb_path_exists",
            "jsonb_path_match",
            "jsonb_path_query",
            "jsonb_path_query_array",
            "jsonb_path_query_first",
        ),
        (("target", None), ("path", None), ("vars", "'{}'"), ("silent", "false")),
    ),
    "normalize": (("input", None), ("form", "'NFC'")),
    "is_normalized": (("input", None), ("form", "'NFC'")),
    "parse_ident": (("str", None), ("strict", "true")),
    "random_normal": (("mean", "0"), ("stddev", "1")),
}


def positional(name: str, arguments: list[exp.Expression]) -> list[exp.Expression]:
    """The arguments in order, with defaults filled in where the function has any."""
    parameters = PARAMETERS.get(name)
    named = [argument for argument in arguments if isinstance(argument, exp.Kwarg)]
    if parameters is None:
        if named:
            raise UndefinedObject(f"function {name} has no parameter named {named[0].this.name}", sqlstate="42883")
        return arguments
    given = {argument.this.name: argument.expression for argument in named}
    placed = [argument for argument in arguments if not isinstance(argument, exp.Kwarg)]
    unknown = given.keys() - {parameter for parameter, _ in parameters}
    if unknown:
        raise UndefinedObject(f"function {name} has no parameter named {unknown.pop()}", sqlstate="42883")
    if len(placed) > len(parameters):
        return arguments
    for parameter, default in parameters[len(placed) :]:
        if parameter in given:
            placed.append(given[parameter])
        elif default is not None:
            placed.append(_constant(default))
    return placed


def _constant(text: str) -> exp.Expression:
    if text in ("true", "false"):
        return exp.Boolean(this=text == "true")
    if text.startswith("'"):
        return exp.Literal.string(text.strip("'"))
    return exp.Literal.number(text)
