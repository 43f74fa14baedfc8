"""Sessions while their PostgreSQL changes its role, goes away, and comes back with another history."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.client import ConnectionLost
from harness.mere import MereProcess
from harness.standby import Standby

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def following(session_scratch: Path, primary: MereProcess) -> Iterator[Standby]:
    with Standby(session_scratch / "promoted", primary) as found:
        yield found.start()


def test_promoted_and_replaced_it_answers_with_the_history_that_there_is(
    following: Standby, primary: MereProcess, session_scratch: Path
) -> None:
    """A coordinator that took over alone, wrote, and then has to follow the other one again."""
    before = session_scratch / "before"
    following.back_up(before)
    with following.client() as session, following.client() as waiting:
        assert session.ok("SELECT count(*) FROM t").value == "100"
        waiting.ok("BEGIN")
        assert waiting.ok("SELECT count(*) FROM t").value == "100"
        following.promote()
        assert session.ok("SELECT count(*) FROM t").value == "100"
        assert session.connection.parameter_status(b"in_hot_standby") == b"off"
        waiting.fails("INSERT INTO t VALUES (0, 'read only when it began')", "25006")
        waiting.ok("ROLLBACK")
        waiting.ok("DELETE FROM t WHERE a > 50")
        session.ok("INSERT INTO t VALUES (1000, 'lost')")
        session.ok("CREATE TABLE lost (a int)")
        assert session.ok("SELECT count(*), max(a) FROM t").text == [("51", "1000")]

        following.stop_postgres(signal.SIGINT)
        for client in (session, waiting):
            with pytest.raises(ConnectionLost, match="terminating connection due to administrator command"):
                client.run("SELECT count(*) FROM t")
    with pytest.raises(ConnectionLost, match="not accepting connections"):
        following.client()

    with primary.client() as writer:
        writer.ok("INSERT INTO t VALUES (2000, 'kept')")
        writer.ok("INSERT INTO t VALUES (2001, 'kept')")
        writer.ok("INSERT INTO t VALUES (2002, 'kept')")
    following.replace_postgres(before)
    following.start_postgres()
    following.until_it_answers()
    following.until_replayed()
    with following.client() as session:
        assert session.connection.parameter_status(b"in_hot_standby") == b"on"
        assert session.ok("SELECT count(*), max(a) FROM t").text == [("103", "2002")]
        session.fails("SELECT * FROM lost", "42P01")
        session.fails("INSERT INTO t VALUES (1, 'no')", "25006")
    shutil.rmtree(following.directory / "postgres.old")
