"""Which backup and which WAL bring the catalog back to a moment, and what is needed no longer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mere.backup.errors import BackupError, DamagedArchive
from mere.backup.names import (
    SEGMENT_BYTES,
    history_name,
    is_segment,
    parse_position,
    segment_name,
    segment_parts,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a base backup; `sha256` is of the compressed object."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Backup:
    """One complete base backup. `finished` is the first moment that it can be restored to."""

    id: str
    started: datetime
    finished: datetime
    timeline: int
    start: int
    stop: int
    storage: str
    postgres: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A timeline's part of a line: from where it branched off up to where the next one did."""

    timeline: int
    begin: int
    end: int | None


Line = Sequence[Stretch]


def line_to(timeline: int, histories: Mapping[int, str]) -> Line:
    """How the catalog came to this timeline."""
    branches: list[tuple[int, int]] = []
    if timeline != 1:
        text = histories.get(timeline)
        if text is None:
            raise BackupError(f"the archive is incomplete: {history_name(timeline)} is missing")
        for row in text.splitlines():
            if row.strip() and not row.startswith("#"):
                fields = row.split()
                branches.append((int(fields[0]), parse_position(fields[1])))
    line, begin = [], 0
    for parent, end in branches:
        line.append(Stretch(parent, begin, end))
        begin = end
    return (*line, Stretch(timeline, begin, None))


def on_line(backup: Backup, line: Line) -> bool:
    """Whether the line leads on from this backup."""
    return any(
        stretch.timeline == backup.timeline and (stretch.end is None or backup.stop <= stretch.end) for stretch in line
    )


def choose(backups: Sequence[Backup], line: Line, to: datetime | None) -> Backup:
    """The newest backup from which that moment can be reached."""
    usable = sorted((backup for backup in backups if on_line(backup, line)), key=lambda backup: backup.finished)
    if not usable:
        raise BackupError("there is no complete backup in the storage")
    early = [backup for backup in usable if to is None or backup.finished <= to]
    if not early:
        raise BackupError(
            f"the first backup was complete at {show_time(usable[0].finished)}: nothing earlier can be restored"
        )
    return early[-1]


def chain(backup: Backup, line: Line, archived: Collection[str]) -> tuple[tuple[str, ...], str | None]:
    """The WAL from the backup on, one segment after the other; and the missing one, where later ones exist."""
    found: list[str] = []
    number = backup.start // SEGMENT_BYTES
    while (name := _on(line, number, archived)) is not None:
        found.append(name)
        number += 1
    timelines = {stretch.timeline for stretch in line}
    if number <= (backup.stop - 1) // SEGMENT_BYTES:
        raise DamagedArchive(
            f"the archive is incomplete: {segment_name(backup.timeline, number)}, which the backup {backup.id} needs,"
            " is missing"
        )
    later = [
        name
        for name in archived
        if is_segment(name) and segment_parts(name)[0] in timelines and segment_parts(name)[1] > number
    ]
    reachable = [name for name in later if _on(line, segment_parts(name)[1], (name,)) == name]
    return tuple(found), segment_name(line[-1].timeline, number) if reachable else None


def _on(line: Line, number: int, archived: Collection[str]) -> str | None:
    """As PostgreSQL looks for it: the newest timeline that may have this segment comes first."""
    for stretch in reversed(line):
        begins = stretch.begin // SEGMENT_BYTES <= number
        ended = stretch.end is not None and number > stretch.end // SEGMENT_BYTES
        if begins and not ended:
            name = segment_name(stretch.timeline, number)
            if name in archived:
                return name
    return None


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What may go: backups by their id, WAL by its name."""

    backups: Sequence[str]
    wal: Sequence[str]


def unneeded(
    backups: Sequence[Backup], archived: Mapping[str, datetime], line: Line, now: datetime, keep: timedelta
) -> Unneeded:
    """Every moment of the last `keep` stays within reach, on lines that were left too. Histories stay for ever."""
    horizon = now - keep
    current = sorted((backup for backup in backups if on_line(backup, line)), key=lambda backup: backup.finished)
    older = [backup for backup in current if backup.finished <= horizon]
    kept = [*older[-1:], *(backup for backup in current if backup.finished > horizon)]
    kept += [backup for backup in backups if not on_line(backup, line) and backup.finished > horizon]
    ids = {backup.id for backup in kept}
    first = min((backup.start // SEGMENT_BYTES for backup in kept), default=0)
    wal = []
    for name, modified in archived.items():
        if not is_segment(name[:24]):
            continue
        below = segment_parts(name[:24])[1] < first
        left = _on(line, segment_parts(name[:24])[1], (name[:24],)) is None and modified < horizon
        if below or left:
            wal.append(name)
    return Unneeded([backup.id for backup in backups if backup.id not in ids], wal)


def show_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
