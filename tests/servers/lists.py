"""A server of lists: HTTPS under a name that only the upstream knows."""

from __future__ import annotations

import http.server
import threading

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.servers.certificates import NAME_IN_ZONE, Authority
from tests.servers.scripted import replies
from tests.servers.scripted.replies import Reply, Request


class ListServer:
    """An HTTPS server with one file that the test writes; it keeps what it was asked."""

    def __init__(self, authority: Authority) -> None:
        self.content = b""
        self.etag = ""
        self.status = 200
        self.announces = True  # how long the file is
        self.location = ""  # where a request is sent on to, with status 302
        self.may_go_on = threading.Event()  # sends the second half of the file
        self.may_go_on.set()
        self.asked: list[tuple[int, str | None]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                validator = self.headers.get("If-None-Match")
                status = 304 if outer.etag and validator == outer.etag else outer.status
                outer.asked.append((status, validator))
                self.send_response(status)
                if outer.etag:
                    self.send_header("ETag", outer.etag)
                if outer.location:
                    self.send_header("Location", outer.location)
                body = outer.content if status == 200 else b""
                if outer.announces:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                half = len(body) // 2
                self.wfile.write(body[:half])
                outer.may_go_on.wait(10)
                self.wfile.write(body[half:])

            def log_message(self, *_: object) -> None:
                """Be silent."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = authority.good.server_context(("http/1.1",))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://{NAME_IN_ZONE.rstrip('.')}:{self._server.server_address[1]}/list.txt"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def put(self, *lines: str) -> None:
        self.content = "".join(f"{line}\n" for line in lines).encode()
        self.etag = f'"{hash(self.content)}"'

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def at_home(request: Request, answer: dns.message.Message) -> Reply:
    """The upstream's answer for the host of the lists: this machine."""
    answer.set_rcode(dns.rcode.NOERROR)
    answer.authority.clear()
    if request.rdtype == dns.rdatatype.A:
        answer.answer = [dns.rrset.from_text(request.name, 60, "IN", "A", "127.0.0.1")]
    return replies.right(request, answer)
