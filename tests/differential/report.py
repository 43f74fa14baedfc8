"""What share of the statements agrees, by family; printed at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass, field

from .cases import Statement
from .comparison import Verdict


@dataclass(slots=True)
class Family:
    """The counts of one case file."""

    name: str
    total: int = 0
    agree: int = 0
    on_purpose: int = 0
    scale: list[int] = field(default_factory=list)

    def count(self, statement: Statement, verdict: Verdict) -> None:
        self.total += 1
        if verdict.difference is None:
            self.agree += 1
        elif statement.differs is not None:
            self.on_purpose += 1
        if verdict.scale_only:
            self.scale.append(statement.line)


_families: list[Family] = []


def add(family: Family) -> None:
    """Keep the counts of a family for the end of the run."""
    _families.append(family)


def lines() -> list[str]:
    """The table, one line a family and the sum."""
    if not _families:
        return []
    everything = Family("all")
    shown = []
    for family in sorted(_families, key=lambda family: family.name):
        everything.total += family.total
        everything.agree += family.agree
        everything.on_purpose += family.on_purpose
        shown.append(_line(family))
    return [*shown, _line(everything)]


def _line(family: Family) -> str:
    scale = f"  numeric scale differs at lines {', '.join(map(str, family.scale))}" if family.scale else ""
    share = 100 * family.agree / max(family.total, 1)
    return (
        f"{family.name:<14} {family.agree:>4} of {family.total:>4} agree ({share:5.1f}%)"
        f"  {family.on_purpose:>3} differ on purpose{scale}"
    )
