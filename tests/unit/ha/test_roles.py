"""What a coordinator does about its role, for everything that it can see."""

from __future__ import annotations

import pytest

from mere.catalog.postgres import Role
from mere.ha.roles import PATIENCE, Action, View, decide


@pytest.mark.parametrize(
    ("role", "on_duty", "action"),
    [
        ("primary", True, Action.NOTHING),
        ("primary", False, Action.TAKE_UP),
        ("standby", False, Action.NOTHING),
        ("standby", True, Action.LAY_DOWN),
        ("none", False, Action.NOTHING),
        ("none", True, Action.LAY_DOWN),
    ],
)
def test_duties_follow_the_role(role: Role, on_duty: bool, action: Action) -> None:
    assert decide(View(role, on_duty, patroni_lives=True, silence=1.0)) is action


@pytest.mark.parametrize("role", ["primary", "standby", "none"])
def test_a_dead_patroni_is_started_again_whatever_the_role(role: Role) -> None:
    view = View(role, on_duty=role == "primary", patroni_lives=False, silence=1000.0)
    assert decide(view) is Action.START_PATRONI


def test_duties_end_before_anything_else_is_done() -> None:
    assert decide(View("none", on_duty=True, patroni_lives=False, silence=None)) is Action.LAY_DOWN


def test_a_patroni_that_hangs_is_ended_and_one_that_has_not_looked_yet_is_not() -> None:
    assert decide(View("standby", False, True, PATIENCE + 1)) is Action.END_PATRONI
    assert decide(View("standby", False, True, PATIENCE - 1)) is Action.NOTHING
    assert decide(View("standby", False, True, None)) is Action.NOTHING
