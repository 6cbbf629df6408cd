"""How servers are described and started."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.peers import OURS, PEERS, TWIN, Endpoint, Peer, Site, fastpath_build, from_command, installed


def site(folder: Path, *, over_doh: bool) -> Site:
    return Site(folder, 5300, (Endpoint(doh=4430, plain=5301),), over_doh, Path("/ca.pem"), 1_000)


def test_a_peer_by_its_command(tmp_path: Path) -> None:
    peer = from_command("other='/opt/my server' -p {port} -u https://127.0.0.1:{upstream_port} -d {dir}")
    assert peer.name == "other"
    assert peer.command(site(tmp_path, over_doh=True)) == [
        *("/opt/my server", "-p", "5300", "-u", "https://127.0.0.1:4430", "-d", str(tmp_path))
    ]


@pytest.mark.parametrize("text", ["", "name", "name=", "=command"])
def test_a_command_without_name_or_words(text: str) -> None:
    with pytest.raises(BenchError, match="write it as"):
        from_command(text)


def test_a_name_that_no_server_has() -> None:
    with pytest.raises(BenchError, match=r"'bind'.* unbound"):
        installed(["bind"])


SERVERS = [peer for peer in PEERS if peer.part != "limit"]


@pytest.mark.parametrize("peer", SERVERS, ids=[peer.name for peer in SERVERS])
def test_servers_are_told_of_nobody_but_the_upstream(peer: Peer, tmp_path: Path) -> None:
    words = peer.command(site(tmp_path, over_doh=peer.speaks_doh))
    written = " ".join(words) + "".join(path.read_text() for path in tmp_path.iterdir())
    assert str(4430 if peer.speaks_doh else 5301) in written
    assert "5300" in written


def test_dnsdist_looks_for_no_updates(tmp_path: Path) -> None:
    dnsdist = next(peer for peer in PEERS if peer.name == "dnsdist")
    dnsdist.command(site(tmp_path, over_doh=True))
    assert 'setSecurityPollSuffix("")' in (tmp_path / "dnsdist.conf").read_text()


def test_the_twin_is_the_same_server_with_the_compiled_fast_path_forced_off(tmp_path: Path) -> None:
    named = {peer.name: peer.command(site(tmp_path, over_doh=True)) for peer in PEERS if peer.part != "limit"}
    assert named[TWIN] == ["env", "SMARTDOH_PURE_PYTHON=1", *named[OURS]]


def test_a_benchmark_without_the_compiled_fast_path_has_no_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTDOH_PURE_PYTHON", "1")
    assert fastpath_build() == "python"
    assert TWIN not in {peer.name for peer in installed([])}


def test_one_worker_needs_no_key(tmp_path: Path) -> None:
    smartdoh = next(peer for peer in PEERS if peer.name == OURS)
    smartdoh.command(site(tmp_path, over_doh=True))
    assert "workers" not in (tmp_path / "smartdoh.toml").read_text()
    smartdoh.command(replace(site(tmp_path, over_doh=True), workers=4))
    assert "[server]\nworkers = 4\n" in (tmp_path / "smartdoh.toml").read_text()


def test_unbound_has_room_for_all_it_is_to_keep(tmp_path: Path) -> None:
    unbound = next(peer for peer in PEERS if peer.name == "unbound")
    unbound.command(replace(site(tmp_path, over_doh=False), cache_entries=2_000_000))
    assert "msg-cache-size: 2000000000\n" in (tmp_path / "unbound.conf").read_text()
