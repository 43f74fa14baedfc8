"""Small results that the gateway makes itself: SHOW, EXPLAIN. Lives in the coordinator process."""

from __future__ import annotations

from collections.abc import Sequence

from mere.segment.encode import RowEncoder
from mere.segment.native.encode import Column
from mere.session.rows import Outcome, text_rows
from mere.wire.messages import Field

_TEXT = 25


def text_fields(names: Sequence[str], formats: tuple[int, ...] = ()) -> tuple[Field, ...]:
    wanted = formats * len(names) if len(formats) == 1 else formats or (0,) * len(names)
    return tuple(Field(name, 0, 0, _TEXT, -1, -1, wanted[index]) for index, name in enumerate(names))


def text_answer(
    tag: str, names: Sequence[str], columns: Sequence[Sequence[str | None]], formats: tuple[int, ...] = ()
) -> Outcome:
    """Columns of text, the same bytes in text and binary format."""
    encoder = RowEncoder((Column(),) * len(names))
    return Outcome(tag, text_fields(names, formats), text_rows(columns, encoder))
