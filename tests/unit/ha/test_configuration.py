"""Patroni is told what ours says, and PostgreSQL lets nobody in by the network but the other coordinator."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mere.catalog.binaries import Account
from mere.catalog.server import SETTINGS
from mere.errors import StartupError
from mere.ha.configuration import ALWAYS, Node, agreement, configuration, differs
from mere.ha.place import addresses, write_private
from mere.options import Address

PASSWORDS = dict.fromkeys(("mere_super", "mere_replication", "mere_rewind", "mere_patroni"), "secret")
NODE = Node(
    cluster="pair",
    name="host_123456",
    directory=Path("/data/node"),
    binaries=Path("/bin"),
    sockets=Path("/data/node/socket"),
    postgres=Address("10.0.0.1", 5433),
    rest=Address("10.0.0.1", 5434),
    storage="s3://bucket/prefix",
    store=None,
    lease=5,
    standby_wait=timedelta(seconds=10),
    connections=300,
    encrypted=False,
)


def test_commits_wait_for_the_standby_and_the_setting_says_for_how_long() -> None:
    assert agreement(NODE)["synchronous_mode"] is True
    assert agreement(NODE)["synchronous_mode_strict"] is False
    assert configuration(NODE, PASSWORDS)["postgresql"]["parameters"]["wal_sender_timeout"] == "10000ms"
    assert agreement(replace(NODE, standby_wait=ALWAYS))["synchronous_mode_strict"] is True


def test_postgresql_is_set_up_as_it_is_without_a_cluster() -> None:
    document = configuration(NODE, PASSWORDS)
    given = {**document["bootstrap"]["dcs"]["postgresql"]["parameters"], **document["postgresql"]["parameters"]}
    own = {name: value for name, value in SETTINGS.items() if name not in ("listen_addresses", "port")}
    assert {name: given.get(name) for name in own} == own


def test_by_the_network_only_replication_and_rewinding_come_in_each_with_a_password() -> None:
    for encrypted, kind in ((False, "host"), (True, "hostssl")):
        lines = configuration(replace(NODE, encrypted=encrypted), PASSWORDS)["postgresql"]["pg_hba"]
        remote = [line.split() for line in lines if not line.startswith("local")]
        assert [line[:3] for line in remote] == [
            [kind, "replication", "mere_replication"],
            [kind, "postgres", "mere_rewind"],
        ]
        assert all(line.endswith("scram-sha-256") for line in lines)


def test_where_postgresql_can_the_standby_checks_whom_it_follows() -> None:
    section = configuration(replace(NODE, encrypted=True), PASSWORDS)["postgresql"]
    assert section["parameters"]["ssl"] == "on"
    for role in ("replication", "rewind"):
        assert section["authentication"][role]["sslmode"] == "verify-ca"


@pytest.mark.parametrize(
    ("store", "section"),
    [
        ("etcd3://a:2379,b:2379", {"etcd3": {"hosts": ["a:2379", "b:2379"]}}),
        (
            "kubernetes://warehouse",
            {
                "kubernetes": {
                    "namespace": "warehouse",
                    "labels": {"application": "mere"},
                    "scope_label": "mere-cluster",
                }
            },
        ),
    ],
)
def test_another_store_for_the_lease_is_patronis_own(store: str, section: dict[str, object]) -> None:
    document = configuration(replace(NODE, store=store), PASSWORDS)
    assert section.items() <= document.items()
    assert "object_store" not in document


@pytest.mark.parametrize("store", ["etcd3://", "zookeeper://a", "nonsense"])
def test_an_unknown_store_is_refused(store: str) -> None:
    with pytest.raises(StartupError, match="cluster-store"):
        configuration(replace(NODE, store=store), PASSWORDS)


def test_the_agreement_is_changed_only_where_it_says_something_else() -> None:
    wanted = agreement(NODE)
    current = {**wanted, "pause": False, "postgresql": {**wanted["postgresql"], "more": 1}}
    assert not differs(wanted, current)
    assert differs(wanted, {**current, "synchronous_mode": False})
    assert differs(wanted, {**current, "postgresql": {}})


def test_a_port_that_is_left_to_the_system_is_kept_and_patroni_has_the_one_after_a_given(tmp_path: Path) -> None:
    first = addresses(tmp_path, Address("127.0.0.1", 0))
    assert addresses(tmp_path, Address("127.0.0.1", 0)) == first
    assert first[0].port != first[1].port
    assert addresses(tmp_path, Address("10.0.0.1", 6000)) == (Address("10.0.0.1", 6000), Address("10.0.0.1", 6001))
    with pytest.raises(StartupError, match="reaches"):
        addresses(tmp_path, Address("0.0.0.0", 6000))


def test_a_secret_is_readable_for_its_owner_alone(tmp_path: Path) -> None:
    nobody: Account | None = None
    write_private(tmp_path / "key", "text", nobody)
    write_private(tmp_path / "key", "other", nobody)
    assert (tmp_path / "key").read_text() == "other"
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
