"""How long maintenance leaves things alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mere.session.upkeep import Request, policy
from mere.settings import Settings

DAY, HOUR, NOTHING = timedelta(days=1), timedelta(hours=1), timedelta(0)


@pytest.mark.parametrize(
    ("cluster", "retention", "safety", "grace"),
    [
        (None, 7 * DAY, DAY, DAY),
        (None, NOTHING, NOTHING, NOTHING),
        ("pair", 7 * DAY, DAY, DAY),
        ("pair", NOTHING, NOTHING, HOUR),  # queries on the standby cannot be asked
    ],
)
def test_files_stay_for_strangers_and_for_the_standby(
    cluster: str | None, retention: timedelta, safety: timedelta, grace: timedelta
) -> None:
    settings = Settings(data=Path("nowhere"), cluster=cluster, standby_grace=HOUR)
    found = policy(settings, Request("command", retention=retention))
    assert (found.retention, found.safety, found.grace) == (retention, safety, grace)
    assert policy(settings, Request("command")).retention == settings.retention


def test_full_takes_whatever_can_be_better() -> None:
    assert policy(Settings(data=Path("nowhere")), Request("vacuum", full=True)).rewrite.least == 2
