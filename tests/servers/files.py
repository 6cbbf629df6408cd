"""An HTTPS server of files that a test holds in its hands; it keeps what it was asked for."""

from __future__ import annotations

import http.server
import threading
from typing import Self

from tests.servers.certificates import Certificate


class FileServer:
    """Serves `files`, by their paths, on one address; made in the network that it is to be in."""

    def __init__(self, address: str, port: int, certificate: Certificate) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                body = outer.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                """Be silent."""

        self._server = http.server.ThreadingHTTPServer((address, port), Handler)
        context = certificate.server_context(("http/1.1",))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
