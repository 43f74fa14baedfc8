"""What a session's last queries turned out to mean, for when they are asked again. Coordinator process."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mere.session.analysis import Analysis

_KEPT = 64
_LONGEST_KEPT = 10_000  # characters


class Asked:
    """Analyses by a query's text and the types of its parameters."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, tuple[int, ...]], Analysis] = OrderedDict()

    def find(self, text: str, oids: tuple[int, ...]) -> Analysis | None:
        return self._known.get((text, oids))

    def remember(self, text: str, oids: tuple[int, ...], analysis: Analysis) -> None:
        if len(text) > _LONGEST_KEPT:
            return
        self._known[text, oids] = analysis
        self._known.move_to_end((text, oids))
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def forget(self, text: str, oids: tuple[int, ...]) -> None:
        self._known.pop((text, oids), None)
