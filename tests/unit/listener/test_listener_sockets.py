"""Making the sockets: both kinds for each address, one clear error, nothing left open; and those of systemd."""

import fcntl
import os
import socket

import pytest

from smartdoh.config import Endpoint
from smartdoh.errors import ListenError
from smartdoh.listener import sockets as sockets_module
from smartdoh.listener.sockets import handed_over, open_sockets

FIRST = 700  # a number far from what tests have open


def free_port() -> int:
    """A port that is free for both kinds, now."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(tcp.getsockname()[1])


def test_both_kinds_on_each_address() -> None:
    port = free_port()
    made = open_sockets([Endpoint("127.0.0.1", port), Endpoint("127.0.0.2", port), Endpoint("::1", port)])
    for found, kind in ((made.udp, socket.SOCK_DGRAM), (made.tcp, socket.SOCK_STREAM)):
        assert [sock.getsockname()[:2] for sock in found] == [
            ("127.0.0.1", port),
            ("127.0.0.2", port),
            ("::1", port),
        ]
        assert all(sock.type == kind and not sock.getblocking() for sock in found)
    assert made.udp[0].getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= 200_000
    made.close()
    assert all(sock.fileno() == -1 for sock in (*made.udp, *made.tcp))


def test_a_port_can_be_bound_again_at_once() -> None:
    port = free_port()
    for _ in range(2):
        made = open_sockets([Endpoint("127.0.0.1", port)])
        with socket.create_connection(("127.0.0.1", port)):
            made.tcp[0].setblocking(True)
            made.tcp[0].accept()[0].close()
        made.close()


def test_ipv6_and_ipv4_wildcards_live_side_by_side() -> None:
    port = free_port()
    open_sockets([Endpoint("0.0.0.0", port), Endpoint("::", port)]).close()


@pytest.mark.parametrize(("kind", "word"), [(socket.SOCK_STREAM, "TCP"), (socket.SOCK_DGRAM, "UDP")])
def test_a_port_in_use_is_one_clear_error(kind: socket.SocketKind, word: str) -> None:
    port, before = free_port(), open_descriptors()
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(ListenError) as caught:
            open_sockets([Endpoint("127.0.0.2", port), Endpoint("127.0.0.1", port)])
    assert str(caught.value) == f"cannot listen on 127.0.0.1:{port} ({word}): another program listens there"
    assert open_descriptors() == before


def test_an_address_of_another_machine_is_one_clear_error() -> None:
    with pytest.raises(ListenError, match="this machine does not have that address"):
        open_sockets([Endpoint("192.0.2.1", 0)])


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# Handed over by systemd


def hand_over(monkeypatch: pytest.MonkeyPatch, *kinds: socket.SocketKind) -> dict[str, str]:
    """Open sockets as systemd does, from one descriptor on; the environment it sets."""
    monkeypatch.setattr(sockets_module, "FIRST_HANDED_OVER", FIRST)
    for number, kind in enumerate(kinds):
        sock = socket.socket(socket.AF_INET, kind)
        sock.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        os.dup2(sock.fileno(), FIRST + number, inheritable=True)
        sock.close()
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(kinds))}


def test_sockets_that_were_handed_over_are_sorted_by_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = hand_over(monkeypatch, socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_DGRAM)
    given = handed_over(environ)
    assert [sock.fileno() for sock in given.tcp] == [FIRST]
    assert [sock.fileno() for sock in given.udp] == [FIRST + 1, FIRST + 2]
    for sock in (*given.tcp, *given.udp):
        assert not sock.getblocking()
        assert fcntl.fcntl(sock, fcntl.F_GETFD) & fcntl.FD_CLOEXEC, "programs started by us do not get it"
    given.close()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid())},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": ""},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "-1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"},
    ],
)
def test_sockets_for_another_process_or_none_are_none(environ: dict[str, str]) -> None:
    given = handed_over(environ)
    assert given.udp == given.tcp == ()


def test_something_else_handed_over_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets_module, "FIRST_HANDED_OVER", FIRST)
    read, write = os.pipe()
    os.dup2(read, FIRST)
    try:
        with pytest.raises(ListenError, match=f"descriptor {FIRST}"):
            handed_over({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
    finally:
        for descriptor in (read, write, FIRST):
            os.close(descriptor)
