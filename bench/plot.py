"""Plots for docs/benchmarks as SVG, written by hand: bars need no library, and git compares the files as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_WIDTH, _LINE, _LEFT, _RIGHT, _TOP = 860, 26, 220, 150, 48
_INK, _OWN, _OTHER = "#24292f", "#2166ac", "#b8c4d0"


@dataclass(frozen=True, slots=True)
class Bar:
    """`own`: one of Mere's, which stands out. `note` is behind the value."""

    name: str
    value: float
    own: bool = False
    note: str = ""


def write_bars(file: Path, title: str, unit: str, bars: Sequence[Bar]) -> None:
    """Horizontal bars, the shortest first."""
    ordered = sorted(bars, key=lambda bar: bar.value)
    longest = max((bar.value for bar in ordered), default=0.0) or 1.0
    height = _TOP + _LINE * len(ordered) + 16
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
        f' font-family="sans-serif" font-size="13" fill="{_INK}">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="15" font-weight="bold">{escape(title)} ({escape(unit)})</text>',
    ]
    for place, bar in enumerate(ordered):
        top = _TOP + place * _LINE
        length = bar.value / longest * (_WIDTH - _LEFT - _RIGHT)
        shown = f"{bar.value:,.2f}" + (f"  {bar.note}" if bar.note else "")
        lines += [
            f'<text x="{_LEFT - 10}" y="{top + 15}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect x="{_LEFT}" y="{top + 2}" width="{max(length, 1):.1f}" height="{_LINE - 8}"'
            f' fill="{_OWN if bar.own else _OTHER}"/>',
            f'<text x="{_LEFT + length + 8:.1f}" y="{top + 15}">{escape(shown)}</text>',
        ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, "</svg>", ""]))
