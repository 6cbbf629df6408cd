"""How servers are described and started."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.peers import PEERS, Endpoint, Peer, Site, from_command, installed


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


@pytest.mark.parametrize("peer", PEERS, ids=[peer.name for peer in PEERS])
def test_servers_are_told_of_nobody_but_the_upstream(peer: Peer, tmp_path: Path) -> None:
    words = peer.command(site(tmp_path, over_doh=peer.speaks_doh))
    written = " ".join(words) + "".join(path.read_text() for path in tmp_path.iterdir())
    assert str(4430 if peer.speaks_doh else 5301) in written
    assert "5300" in written


def test_dnsdist_looks_for_no_updates(tmp_path: Path) -> None:
    dnsdist = next(peer for peer in PEERS if peer.name == "dnsdist")
    dnsdist.command(site(tmp_path, over_doh=True))
    assert 'setSecurityPollSuffix("")' in (tmp_path / "dnsdist.conf").read_text()
