"""What a run says of itself afterwards, slice by slice, for EXPLAIN ANALYZE. Pure; coordinator process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mere.execute.dispatch import Attempt, Report
from mere.runtime.base import Result

_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True, slots=True)
class SliceReport:
    """The results that counted, by share, and the attempts that gave none, each with its reason."""

    number: int
    segments: tuple[int, ...]
    results: tuple[Result, ...]
    lost: tuple[str, ...]

    @property
    def rows(self) -> int:
        return sum(result.rows for result in self.results)

    @property
    def bytes(self) -> int:
        return sum(result.bytes for result in self.results)

    @property
    def seconds(self) -> float:
        return max((result.seconds for result in self.results), default=0.0)

    @property
    def brief(self) -> str:
        """What stands behind the line of a motion."""
        retries = f" retries={len(self.lost)}" if self.lost else ""
        milliseconds = self.seconds * 1000
        return f"  (actual rows={self.rows} bytes={shown_bytes(self.bytes)} time={milliseconds:.1f} ms{retries})"

    def lines(self) -> Iterator[str]:
        rows = _spread([result.rows for result in self.results], "d")
        times = _spread([result.seconds * 1000 for result in self.results], ".1f")
        yield (
            f"  (slice{self.number})  segments: {', '.join(map(str, self.segments))}; rows: {self.rows}{rows};"
            f" bytes: {shown_bytes(self.bytes)}; time: {self.seconds * 1000:.1f} ms{times}"
            f"{self._memory()}"
        )
        for why in self.lost:
            yield f"            run again: {why}"

    def _memory(self) -> str:
        peak = max((result.peak_memory for result in self.results), default=0)
        return f"; memory: {shown_bytes(peak)}" if peak else ""

    def as_json(self) -> dict[str, object]:
        return {
            "Slice": self.number,
            "Segments": list(self.segments),
            "Rows": [result.rows for result in self.results],
            "Bytes": [result.bytes for result in self.results],
            "Time": [round(result.seconds * 1000, 3) for result in self.results],
            "Peak Memory": [result.peak_memory for result in self.results],
            "Retries": list(self.lost),
        }


def slice_reports(report: Report) -> dict[int, SliceReport]:
    """By the number of the slice."""
    attempts: dict[int, list[Attempt]] = {}
    for attempt in report.attempts:
        attempts.setdefault(attempt.unit[0], []).append(attempt)
    return {number: _slice_report(number, made) for number, made in sorted(attempts.items())}


def _slice_report(number: int, attempts: Sequence[Attempt]) -> SliceReport:
    """Of several results of one share the last one counts: the others were lost."""
    last = {attempt.unit[1]: attempt for attempt in attempts if attempt.result is not None}
    kept = [last[share] for share in sorted(last)]
    lost = [
        f"share {attempt.unit[1]} of {attempt.lost}"
        if attempt.result is None
        else f"share {attempt.unit[1]}: its output was lost"
        for attempt in attempts
        if last.get(attempt.unit[1]) is not attempt
    ]
    results = tuple(attempt.result for attempt in kept if attempt.result is not None)
    return SliceReport(number, tuple(attempt.segment for attempt in kept), results, tuple(lost))


def shown_bytes(count: float) -> str:
    """In the unit that leaves at most three digits before the point."""
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError


def _spread(values: Sequence[float], form: str) -> str:
    """How evenly the work was divided."""
    if len(values) < 2:
        return ""
    average = sum(values) / len(values)
    shown = [format(int(v) if form == "d" else v, form) for v in (min(values), average, max(values))]
    return " (min {} avg {} max {})".format(*shown)
