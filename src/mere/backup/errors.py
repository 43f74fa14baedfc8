"""What goes wrong with backups."""

from __future__ import annotations

from mere.errors import MereError


class BackupError(MereError):
    """A backup cannot be made, or what was asked of the archive is not in it."""

    sqlstate = "58030"


class DamagedArchive(BackupError):
    """What the archive holds is not what was written to it."""


class ArchiveConflict(BackupError):
    """The archive has another file of this name."""
