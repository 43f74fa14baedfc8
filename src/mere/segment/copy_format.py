"""The options of COPY, checked as PostgreSQL checks them (ProcessCopyOptions). Pure; coordinator process."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from mere.errors import FeatureNotSupported, MereError, SqlSyntaxError, UndefinedObject

OptionValue: TypeAlias = str | tuple[str, ...] | bool

_CSV_ONLY = ("quote", "escape", "force_quote", "force_not_null", "force_null")
_GENERAL = "format freeze delimiter null default header encoding on_error log_verbosity reject_limit"
_KNOWN = frozenset((*_GENERAL.split(), *_CSV_ONLY))
_FORMATS = ("text", "csv", "binary", "parquet", "json")
_ENCODINGS = {"utf8": "utf-8", "unicode": "utf-8", "sqlascii": "utf-8", "mulejis": "", "win": "cp"}


@dataclass(frozen=True, slots=True)
class CopyFormat:
    """How rows are written as bytes. 'parquet' and 'json' (lines) are for object-storage URLs only.

    `force_*` hold column names, or '*'. `encoding` is Python's codec name.
    """

    format: str = "text"
    delimiter: str = "\t"
    null: str = "\\N"
    header: str = "no"  # 'no' | 'yes' | 'match'
    quote: str = '"'
    escape: str = '"'
    force_quote: frozenset[str] = frozenset()
    force_null: frozenset[str] = frozenset()
    force_not_null: frozenset[str] = frozenset()
    encoding: str = "utf-8"
    skip_bad_rows: bool = False
    reject_limit: int | None = None
    verbose: bool = False

    @property
    def is_csv(self) -> bool:
        return self.format == "csv"


def parse_copy_options(options: Sequence[tuple[str, OptionValue]], *, is_from: bool, remote: bool) -> CopyFormat:
    """`remote` says that rows come from or go to a URL, which allows more formats."""
    given: dict[str, OptionValue] = {}
    for name, value in options:
        if name in given:
            raise SqlSyntaxError("conflicting or redundant options")
        if name not in _KNOWN:
            raise SqlSyntaxError(f'option "{name}" not recognized')
        given[name] = value
    kind = _format(given, remote)
    result = CopyFormat(format=kind, delimiter=",", null="") if kind != "text" else CopyFormat(format=kind)
    result = _separators(result, given)
    result = replace(
        result,
        header=_header(given.get("header"), is_from),
        encoding=_encoding(given.get("encoding")),
        force_quote=_columns(given.get("force_quote")),
        force_null=_columns(given.get("force_null")),
        force_not_null=_columns(given.get("force_not_null")),
    )
    _check_direction(given, is_from)
    return _rejects(result, given)


def _format(given: Mapping[str, OptionValue], remote: bool) -> str:
    kind = str(given.get("format", "text")).lower()
    if kind in ("jsonl", "ndjson"):
        kind = "json"
    if kind == "binary" and remote:
        raise FeatureNotSupported("COPY in binary format is not supported for object storage")
    if kind not in _FORMATS or (kind in ("parquet", "json") and not remote):
        raise MereError(f'COPY format "{kind}" not recognized', sqlstate="22023")
    if kind not in ("text", "csv"):
        for name in (*_CSV_ONLY, "delimiter", "null", "header", "encoding", "on_error"):
            if name in given and not (kind == "binary" and name == "encoding"):
                raise MereError(f"cannot specify {name.upper()} in {kind.upper()} mode", sqlstate="42601")
    elif kind == "text":
        for name in _CSV_ONLY:
            if name in given:
                raise FeatureNotSupported(f"COPY {name.upper()} requires CSV mode")
    if "default" in given:
        raise FeatureNotSupported("COPY option DEFAULT is not supported")
    return kind


def _separators(result: CopyFormat, given: Mapping[str, OptionValue]) -> CopyFormat:
    delimiter = str(given.get("delimiter", result.delimiter))
    null = str(given.get("null", result.null))
    quote = str(given.get("quote", '"'))
    escape = str(given.get("escape", quote))
    if len(delimiter.encode()) != 1:
        raise FeatureNotSupported("COPY delimiter must be a single one-byte character")
    if delimiter in "\r\n":
        raise MereError("COPY delimiter cannot be newline or carriage return", sqlstate="22023")
    if "\r" in null or "\n" in null:
        raise MereError("COPY null representation cannot use newline or carriage return", sqlstate="22023")
    if result.format == "text" and delimiter in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
        raise MereError(f'COPY delimiter cannot be "{delimiter}"', sqlstate="22023")
    if result.is_csv:
        if len(quote.encode()) != 1:
            raise FeatureNotSupported("COPY quote must be a single one-byte character")
        if len(escape.encode()) != 1:
            raise FeatureNotSupported("COPY escape must be a single one-byte character")
        if delimiter == quote:
            raise MereError("COPY delimiter and quote must be different", sqlstate="22023")
        if quote in null:
            raise MereError("CSV quote character must not appear in the NULL specification", sqlstate="22023")
    if delimiter in null:
        raise MereError("COPY delimiter character must not appear in the NULL specification", sqlstate="22023")
    return replace(result, delimiter=delimiter, null=null, quote=quote, escape=escape)


def _header(value: OptionValue | None, is_from: bool) -> str:
    if value is None:
        return "no"
    text = "true" if value is True else str(value).lower()
    if text == "match":
        if not is_from:
            raise MereError('cannot use "match" with HEADER in COPY TO', sqlstate="22023")
        return "match"
    return "yes" if _boolean("header", text) else "no"


def _boolean(name: str, text: str) -> bool:
    if text in ("true", "on", "1"):
        return True
    if text in ("false", "off", "0"):
        return False
    raise SqlSyntaxError(f"{name} requires a Boolean value" + (' or "match"' if name == "header" else ""))


def _encoding(value: OptionValue | None) -> str:
    """Python's codec for PostgreSQL's name of an encoding."""
    if value is None:
        return "utf-8"
    plain = str(value).lower().replace("_", "").replace("-", "").replace(" ", "")
    name = _ENCODINGS.get(plain, plain)
    if name.startswith("win") and name[3:].isdigit():
        name = f"cp{name[3:]}"
    elif name.startswith("latin") and name[5:].isdigit():
        name = f"latin-{name[5:]}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise MereError(
            f'argument to option "encoding" must be a valid encoding name: "{value}"', sqlstate="22023"
        ) from None


def _columns(value: OptionValue | None) -> frozenset[str]:
    if value is None or value is True or value is False:
        return frozenset()
    return frozenset({value}) if isinstance(value, str) else frozenset(value)


def _check_direction(given: Mapping[str, OptionValue], is_from: bool) -> None:
    if is_from and "force_quote" in given:
        raise FeatureNotSupported("COPY FORCE_QUOTE cannot be used with COPY FROM")
    for name in ("force_not_null", "force_null", "on_error", "reject_limit", "freeze"):
        if not is_from and name in given:
            raise FeatureNotSupported(f"COPY {name.upper()} cannot be used with COPY TO")


def _rejects(result: CopyFormat, given: Mapping[str, OptionValue]) -> CopyFormat:
    on_error = str(given.get("on_error", "stop")).lower()
    if on_error not in ("stop", "ignore"):
        raise MereError(f'COPY ON_ERROR "{on_error}" not recognized', sqlstate="22023")
    verbosity = str(given.get("log_verbosity", "default")).lower()
    if verbosity not in ("silent", "default", "verbose"):
        raise MereError(f'COPY LOG_VERBOSITY "{verbosity}" not recognized', sqlstate="22023")
    limit = given.get("reject_limit")
    if limit is not None:
        if on_error != "ignore":
            raise MereError("COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE", sqlstate="22023")
        if not str(limit).isdigit() or int(str(limit)) < 1:
            raise MereError(f"REJECT_LIMIT ({limit}) must be greater than zero", sqlstate="22023")
    return replace(
        result,
        skip_bad_rows=on_error == "ignore",
        reject_limit=None if limit is None else int(str(limit)),
        verbose=verbosity == "verbose",
    )


def chosen(names: frozenset[str], columns: Sequence[str], option: str) -> frozenset[int]:
    """The positions of the columns that a FORCE option names; '*' is all of them."""
    if "*" in names:
        return frozenset(range(len(columns)))
    for name in names:
        if name not in columns:
            raise UndefinedObject(f'{option} column "{name}" not referenced by COPY', sqlstate="42P10")
    return frozenset(number for number, name in enumerate(columns) if name in names)
