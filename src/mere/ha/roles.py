"""What a coordinator does about its role: a pure decision on what it sees. The loop that acts is mere.cli.node."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from mere.catalog.postgres import Role


class Action(Enum):
    NOTHING = auto()
    TAKE_UP = auto()  # begin what only the primary does
    LAY_DOWN = auto()  # end that
    START_PATRONI = auto()  # it died: a new one adopts the PostgreSQL that runs
    END_PATRONI = auto()  # it hangs: killed, and started again at the next look


@dataclass(frozen=True, slots=True)
class View:
    """`silence`: seconds since Patroni last looked at its store; None where that is not known."""

    role: Role
    on_duty: bool
    patroni_lives: bool
    silence: float | None


# Seconds that Patroni may be silent. It waits for a PostgreSQL that starts, and after a crash that may take a while.
PATIENCE = 180.0


def decide(view: View) -> Action:
    """One thing at a time, the one that cannot wait first."""
    if view.on_duty and view.role != "primary":
        return Action.LAY_DOWN
    if not view.patroni_lives:
        return Action.START_PATRONI
    if view.silence is not None and view.silence > PATIENCE:
        return Action.END_PATRONI
    if view.role == "primary" and not view.on_duty:
        return Action.TAKE_UP
    return Action.NOTHING
