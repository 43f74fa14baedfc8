"""How Patroni's process begins: as PostgreSQL's operating-system user, and never longer-lived than the coordinator.

Started by root, Patroni has to be the user that PostgreSQL runs as, for whom Python itself may be out of reach (an
interpreter or a venv under /root). So the interpreter is started by root, keeps the directories that it imports from
open, and then becomes that user: what it imports later it finds through the open descriptors.

Told by the environment: MERE_ACCOUNT=uid:gid, the user to become; MERE_PARENT=pid, the process to end with.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

ACCOUNT = "MERE_ACCOUNT"
PARENT = "MERE_PARENT"
_SET_DEATH_SIGNAL = 1


def settle(environment: Mapping[str, str]) -> None:
    """Become who the environment says, before anything else is imported; root must be left for good."""
    if account := environment.get(ACCOUNT):
        uid, gid = map(int, account.split(":"))
        _keep_imports_open()
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if parent := environment.get(PARENT):
        _end_with(int(parent))


def _end_with(parent: int) -> None:
    """SIGTERM when the coordinator dies: PostgreSQL is stopped in order, and the lease given up at once."""
    if sys.platform.startswith("linux"):
        # After the change of user, which would undo it.
        ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)


def _keep_imports_open() -> None:
    """Name every directory that modules come from by a descriptor, which needs no rights to the directories above."""
    renamed: dict[str, str] = {}
    for place in dict.fromkeys(filter(os.path.isdir, sys.path)):
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        renamed[place] = f"/proc/self/fd/{descriptor}"
    sys.path[:] = [renamed.get(place, place) for place in sys.path]
    sys.path_importer_cache.clear()

    def name(path: str) -> str:
        for place in sorted(renamed, key=len, reverse=True):
            if path == place or path.startswith(place + "/"):
                return renamed[place] + path[len(place) :]
        return path

    for module in list(sys.modules.values()):
        places = getattr(module, "__path__", None)
        if isinstance(places, list):
            places[:] = [name(place) for place in places]
