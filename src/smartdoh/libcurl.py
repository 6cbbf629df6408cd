"""What every libcurl handle of ours has in common: who is trusted, the way, and that nothing is looked up or told."""

from __future__ import annotations

from collections.abc import Iterable

import pycurl


def prepare(curl: pycurl.Curl, *, via: str, ca_file: str) -> None:
    """Set what does not depend on the request: the proxy `via` (a URL, or nothing) and the file of trusted CAs.

    Nothing is taken from the environment, TLS is at least 1.2 and verified, and neither the server nor a proxy is told
    which libraries ask (RFC 8484 section 8.2).
    """
    curl.setopt(pycurl.PROXY, via)  # an empty one also ends libcurl's look into the environment
    curl.setopt(pycurl.NOPROXY, "")
    curl.setopt(pycurl.USERAGENT, "")
    curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
    curl.setopt(pycurl.SSL_VERIFYPEER, 1)
    curl.setopt(pycurl.SSL_VERIFYHOST, 2)
    curl.setopt(pycurl.CAINFO, ca_file)
    curl.setopt(pycurl.PROXY_CAINFO, ca_file)
    curl.setopt(pycurl.NOSIGNAL, 1)


def resolve_entries(host: str, port: int, addresses: Iterable[str]) -> list[str]:
    """What puts these addresses into libcurl's DNS cache in place of older ones, so that it looks nothing up."""
    wanted = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    return [f"-{host}:{port}", f"{host}:{port}:{wanted}"]


def header(headers: list[bytes], wanted: bytes) -> str:
    """The value of a header like `age:`; empty if it is not there.

    A proxy's answer to CONNECT is in `headers` too, before the server's own, and does not count.
    """
    value = b""
    for line in headers:
        if line[: len(wanted)].lower() == wanted:
            value = line[len(wanted) :].strip()
        elif line[:5] == b"HTTP/":
            value = b""
    return value.decode("latin-1")
