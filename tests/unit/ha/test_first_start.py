# mypy: disable-error-code="import-not-found, import-untyped", allow-untyped-calls
"""What Patroni does about a silent store, before there is a catalog and after."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import patroni.postgresql  # first: the two import each other

import patroni.ha  # isort: skip
import pytest

from mere.ha.first_start import bear_with_the_store


class Running:
    """What Patroni asks of its PostgreSQL; it runs as a primary."""

    def __init__(self, bootstrapping: bool) -> None:
        self.bootstrapping = bootstrapping

    def is_running(self) -> bool:
        return True

    def is_primary(self) -> bool:
        return True


@pytest.mark.parametrize(("bootstrapping", "demoted"), [(True, []), (False, ["offline"])])
def test_a_silent_store_demotes_a_primary_but_not_one_that_is_being_made(
    monkeypatch: pytest.MonkeyPatch, bootstrapping: bool, demoted: list[str]
) -> None:
    monkeypatch.setattr(patroni.ha.Ha, "_handle_dcs_error", patroni.ha.Ha._handle_dcs_error)  # put back at the end
    bear_with_the_store()
    found: list[str] = []
    node: Any = SimpleNamespace(
        state_handler=Running(bootstrapping),
        is_paused=lambda: False,
        is_failsafe_mode=lambda: False,
        _failsafe=SimpleNamespace(set_is_active=lambda _: None),
        demote=found.append,
    )
    patroni.ha.Ha._handle_dcs_error(node)
    assert found == demoted
