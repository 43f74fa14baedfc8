"""What two coordinators share before they can talk: made once, the same for both, and good for TLS between them."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from harness.unsteady import Unsteady
from obstore.store import MemoryStore

from mere.errors import StartupError
from mere.ha.certificates import make_authority, make_certificate
from mere.ha.secrets import KEY, make_secrets, shared_secrets

NAMES = ("mere_super", "mere")


def test_who_comes_first_makes_them_and_the_other_gets_the_same() -> None:
    store = MemoryStore()
    first = shared_secrets(Unsteady(store), lambda: make_secrets("w1", {"mere": "chosen"}, NAMES))
    second = shared_secrets(Unsteady(store), lambda: make_secrets("w2", {}, NAMES))
    assert first == second
    assert second.warehouse == "w1"
    assert second.passwords["mere"] == "chosen"
    assert len(second.passwords["mere_super"]) > 20


def test_of_two_that_make_them_at_once_one_wins() -> None:
    store = MemoryStore()
    inner = []

    def slowly_made() -> object:
        inner.append(shared_secrets(Unsteady(store), lambda: make_secrets("fast", {}, NAMES)))
        return make_secrets("slow", {}, NAMES)

    outer = shared_secrets(Unsteady(store), slowly_made)  # type: ignore[arg-type]
    assert outer == inner[0]
    assert outer.warehouse == "fast"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 1}', b'{"format": 99}'])
def test_a_damaged_one_is_not_replaced(content: bytes) -> None:
    objects = Unsteady(MemoryStore())
    objects.overwrite(KEY, content)
    with pytest.raises(StartupError):
        shared_secrets(objects, lambda: make_secrets("w", {}, NAMES))
    found = objects.get(KEY)
    assert found is not None
    assert found.data == content


@pytest.mark.parametrize("host", ["10.1.2.3", "::1", "coordinator-a.example"])
def test_a_node_proves_who_it_is_to_who_knows_the_authority(host: str, tmp_path: Path) -> None:
    authority = make_authority()
    assert _shake_hands(authority.certificate, make_certificate(authority, host), host, tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(make_authority().certificate, make_certificate(authority, host), host, tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(authority.certificate, make_certificate(authority, "10.9.9.9"), host, tmp_path)


def _shake_hands(trusted: str, own: tuple[str, str], host: str, directory: Path) -> bool:
    for name, text in zip(("crt", "key"), own, strict=True):
        (directory / name).write_text(text)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(directory / "crt", directory / "key")
    asking = ssl.create_default_context(cadata=trusted)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = asking.wrap_bio(to_client, to_server, server_hostname=host)
    done = 0
    for _ in range(5):
        for side in (client, server):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                continue
        if done >= 2:
            return True
    return False
