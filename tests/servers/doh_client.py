"""One DoH request by itself, to learn what a server says without the proxy in between."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import dns.message
import pycurl

ASK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class DohReply:
    """What came back: the HTTP status and version, and the body."""

    status: int
    http2: bool
    body: bytes

    @property
    def message(self) -> dns.message.Message:
        return dns.message.from_wire(self.body)


def ask(url: str, query: dns.message.Message, ca_file: Path, resolve: str | None = None) -> DohReply:
    """POSTs a query as RFC 8484 section 4.1 says; raises pycurl.error where there was no HTTP answer."""
    body = BytesIO()
    curl = pycurl.Curl()
    try:
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.TIMEOUT, ASK_SECONDS)
        curl.setopt(pycurl.CAINFO, str(ca_file))
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS)
        curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/dns-message"])
        curl.setopt(pycurl.POSTFIELDS, query.to_wire())
        curl.setopt(pycurl.WRITEFUNCTION, body.write)
        if resolve is not None:
            curl.setopt(pycurl.RESOLVE, [resolve])
        curl.perform()
        is_http2 = curl.getinfo(pycurl.INFO_HTTP_VERSION) == pycurl.CURL_HTTP_VERSION_2_0
        return DohReply(curl.getinfo(pycurl.RESPONSE_CODE), is_http2, body.getvalue())
    finally:
        curl.close()


def answers(url: str, name: str, ca_file: Path) -> bool:
    """Whether a server gives an answer over DoH; how a launcher knows that it is up."""
    try:
        return ask(url, dns.message.make_query(name, "A", id=0), ca_file).status == 200
    except pycurl.error:
        return False
