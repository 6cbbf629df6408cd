"""Trusted certificates: the system's and those of a file, gone with the process."""

import os
import ssl
from pathlib import Path

import pytest

from smartdoh.upstream import trust
from smartdoh.upstream.trust import TrustStore, system_bundle
from tests.servers.certificates import Authority


def certificates(path: str) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return len(context.get_ca_certs())


def test_without_a_file_it_is_the_systems() -> None:
    store = TrustStore()
    assert store.path == str(system_bundle() or "")
    store.close()


@pytest.mark.parametrize("has_memfd", [True, False])
def test_a_file_is_trusted_beside_the_system(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_memfd: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if not has_memfd:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    system = system_bundle()
    store = TrustStore(authority.ca_file)
    assert certificates(store.path) == 1 + (certificates(str(system)) if system else 0)
    assert list(tmp_path.iterdir()) == (
        [] if has_memfd and hasattr(os, "memfd_create") else [Path(store.path)]
    )
    store.close()
    store.close()
    assert not Path(store.path).exists()
    assert not list(tmp_path.iterdir())


def test_a_system_without_any(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "system_bundle", lambda: None)
    assert TrustStore().path == ""
    store = TrustStore(authority.ca_file)
    assert certificates(store.path) == 1
    store.close()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        TrustStore(tmp_path / "nothing.pem")
    with pytest.raises(OSError, match="directory"):
        TrustStore(tmp_path)
