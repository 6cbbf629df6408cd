"""What every handle of libcurl has in common, seen from the other end of a connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pycurl
import pytest

from smartdoh import libcurl


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """The URL of a proxy that ends each connection after the first request, and what it was told."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            client, _ = listening.accept()
            with client:
                told.append(client.recv(4096))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", told
        thread.join(5)


def test_a_proxy_is_not_told_which_libraries_ask(proxy: tuple[str, list[bytes]]) -> None:
    """CONNECT goes out in clear; libcurl's own User-Agent names the version of each library."""
    url, told = proxy
    curl = pycurl.Curl()
    libcurl.prepare(curl, via=url, ca_file="")
    curl.setopt(pycurl.URL, "https://doh.example/")
    with pytest.raises(pycurl.error):
        curl.perform()
    curl.close()
    assert told[0].startswith(b"CONNECT doh.example:443 ")
    assert b"user-agent" not in told[0].lower()


def test_a_proxy_from_the_environment_is_not_used(
    proxy: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, told = proxy
    monkeypatch.setenv("https_proxy", url)
    curl = pycurl.Curl()
    libcurl.prepare(curl, via="", ca_file="")
    curl.setopt(pycurl.URL, "https://127.0.0.1:1/")
    with pytest.raises(pycurl.error):
        curl.perform()
    curl.close()
    assert told == []
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        pass  # ends the waiting proxy


@pytest.mark.parametrize(
    ("addresses", "entry"),
    [
        (("192.0.2.1",), "doh.example:443:192.0.2.1"),
        (("192.0.2.1", "2001:db8::1"), "doh.example:443:192.0.2.1,[2001:db8::1]"),
    ],
)
def test_addresses_take_the_place_of_older_ones(addresses: tuple[str, ...], entry: str) -> None:
    assert libcurl.resolve_entries("doh.example", 443, addresses) == ["-doh.example:443", entry]


def test_a_proxys_headers_are_not_the_servers() -> None:
    connect = [b"HTTP/1.1 200 Connection established\r\n", b"Age: 7\r\n", b"\r\n"]
    answer = [b"HTTP/2 200\r\n", b"content-type: x\r\n"]
    assert libcurl.header([*connect, *answer], b"age:") == ""
    assert libcurl.header([*connect, *answer, b"AGE:  9 \r\n"], b"age:") == "9"
