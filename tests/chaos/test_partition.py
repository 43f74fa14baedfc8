"""A head with the coordinator and two hosts with segments, each in a network of its own; cables are pulled mid-query.

Reads end with the right answer or a clear error, in bounded time; other sessions go on; once the cable is back,
everything is as it was, by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import psycopg
import pytest
from harness.hosts import Network, why_not
from harness.mere import MereProcess
from harness.ray_cluster import RayCluster

from .joined import ENDLESS, MOVED, SLOW, expected, expected_slow, fill

WHY_NOT = why_not()
pytestmark = [pytest.mark.timeout(240), pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")]

WORKERS = ("one", "two")
WIDE = 300_000  # rows, enough that they do not fit into an answer of Ray's
TIMEOUT = 2.0  # seconds of silence after which a host is given up
BOUND = 20.0  # seconds that any query here may take: twice given up, run again, on a machine that is busy
PIDS = "SELECT pid FROM mere.segment_configuration"
RAY_SETTINGS = {  # Ray notices after some ten seconds, where it would take a minute: nothing here waits for it
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "5",
}


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    found = Network("head", *WORKERS)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def cluster(network: Network, session_scratch: Path) -> Iterator[RayCluster]:
    directory = session_scratch / "hosts"
    directory.mkdir()
    found = RayCluster(directory, list(network.hosts.values()), RAY_SETTINGS)
    try:
        found.start(head_cpus=0)
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def server(network: Network, cluster: RayCluster, session_scratch: Path) -> Iterator[MereProcess]:
    settings = {
        "MERE_RAY": cluster.address,
        "MERE_SEGMENTS": "2",
        "MERE_SEGMENT_THREADS": "1",
        "MERE_SEGMENT_MEMORY": "500MB",
        "MERE_SEGMENT_TIMEOUT": f"{TIMEOUT:g}s",
        "MERE_SEGMENT_PATIENCE": "3s",
        "MERE_DISTRIBUTE_ROWS": "0",
        "MERE_READ_EVERYWHERE_ROWS": "0",
    }
    found = MereProcess(session_scratch / "parted", environment={**cluster.environment, **settings})
    found.host = network.hosts["head"]
    try:
        found.start()
        with connected(found) as connection:
            fill(connection)
        yield found
    finally:
        try:
            found.stop()
        finally:
            found.destroy()


@pytest.fixture
def whole(server: MereProcess, cluster: RayCluster) -> MereProcess:
    until_whole(server, cluster)
    return server


def connected(server: MereProcess) -> psycopg.Connection:
    return psycopg.connect(server.conninfo(), autocommit=True)


def until_whole(server: MereProcess, cluster: RayCluster, seconds: float = 90.0) -> None:
    """A segment and a spare on each host, and no process more. Hosts whose Ray has ended start it again, as they would
    with any supervisor."""
    deadline = time.monotonic() + seconds
    wanted = sorted([(host, status) for host in WORKERS for status in ("up", "spare")])
    with connected(server) as connection:
        while True:
            cluster.restart_ended()
            rows = connection.execute("SELECT host, status, pid FROM mere.segment_configuration").fetchall()
            shown = sorted(pid for _, _, pid in rows if pid is not None)
            there = sorted(pid for node in (1, 2) for pid in cluster.pids(node, "ray::SegmentProcess"))
            if sorted((host, status) for host, status, _ in rows) == wanted and there == shown:
                return
            assert time.monotonic() < deadline, f"{rows}, {there}, {server.tail()}"
            time.sleep(0.2)


def usual(connection: psycopg.Connection) -> float:
    started = time.monotonic()
    assert connection.execute(SLOW).fetchall() == expected_slow()
    return time.monotonic() - started


def test_a_host_is_cut_off_in_mid_query_and_comes_back(
    whole: MereProcess, cluster: RayCluster, network: Network
) -> None:
    with connected(whole) as connection, connected(whole) as other:
        half = usual(connection) / 2
        for host in WORKERS:
            cut = Timer(half, network.pull, (host,))
            cut.start()
            started = time.monotonic()
            try:
                assert connection.execute(SLOW).fetchall() == expected_slow()
                assert time.monotonic() - started < BOUND
                started = time.monotonic()
                assert other.execute("SELECT count(*) FROM pg_class WHERE relname = 't'").fetchone() == (1,)
                assert time.monotonic() - started < 1
            finally:
                cut.join()
                network.plug(host)
            until_whole(whole, cluster)


def test_all_hosts_are_cut_off_in_mid_query(whole: MereProcess, cluster: RayCluster, network: Network) -> None:
    """An answer cannot come, and nobody waits for it for ever; new queries are the coordinator's own."""
    with connected(whole) as connection:
        cuts = [Timer(0.5, network.pull, (host,)) for host in WORKERS]
        for cut in cuts:
            cut.start()
        started = time.monotonic()
        try:
            with pytest.raises(psycopg.errors.CannotConnectNow):  # 57P03
                connection.execute(ENDLESS)
            assert time.monotonic() - started < BOUND
            assert connection.execute(MOVED).fetchall() == expected()
        finally:
            for cut, host in zip(cuts, WORKERS, strict=True):
                cut.join()
                network.plug(host)
        until_whole(whole, cluster)


def test_a_host_is_away_until_ray_buries_it(whole: MereProcess, cluster: RayCluster, network: Network) -> None:
    """Ray's processes there end themselves when they hear of it; whoever supervises them starts them again."""
    before, buried = cluster.pids(2, "raylet"), cluster.buried()
    network.pull("two")
    try:
        with connected(whole) as connection:
            deadline = time.monotonic() + 40
            while cluster.buried() == buried:
                assert connection.execute(SLOW).fetchall() == expected_slow()
                assert time.monotonic() < deadline
    finally:
        network.plug("two")
    deadline = time.monotonic() + 30
    while not set(before).isdisjoint(cluster.pids(2, "raylet")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    until_whole(whole, cluster)


def test_two_hosts_that_cannot_reach_each_other(whole: MereProcess, cluster: RayCluster, network: Network) -> None:
    """Both reach the coordinator, so neither is lost; the rows that would pass between them go by the coordinator."""
    query = "SELECT count(*), sum(a.k) FROM w AS a JOIN w AS b ON a.g = b.k"
    with connected(whole) as connection:
        connection.execute("CREATE TABLE w (k bigint, g bigint) DISTRIBUTED BY (k)")
        connection.execute(f"INSERT INTO w SELECT i, (i * 7) % {WIDE} + 1 FROM generate_series(1, {WIDE}) AS i")
        before = connection.execute(PIDS).fetchall()
        network.part(*WORKERS)
        started = time.monotonic()
        try:
            assert connection.execute(query).fetchone() == (WIDE, WIDE * (WIDE + 1) // 2)
            assert time.monotonic() - started < BOUND
        finally:
            network.join(*WORKERS)
        assert connection.execute(PIDS).fetchall() == before
