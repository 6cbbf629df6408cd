"""How large a request may be, and what is refused before anybody looks at it."""

from __future__ import annotations

from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from smartdoh.control.api.answering import problem

LARGEST_BODY = 65_536  # octets
LARGEST_HEADERS = 16_384  # octets of all names and values


class Limits:
    """Refuses large headers, bodies that announce more than anybody here reads, and what no URL may hold."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        headers = scope.get("headers", ())
        length = dict(headers).get(b"content-length", b"0")
        app: ASGIApp = self._app
        if sum(len(name) + len(value) for name, value in headers) > LARGEST_HEADERS:
            app = problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"at most {LARGEST_HEADERS} octets")
        elif not length.isdigit() or int(length[:20]) > LARGEST_BODY:
            app = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} octets")
        elif not scope.get("query_string", b"").isascii():
            app = problem(HTTPStatus.BAD_REQUEST, "what is behind the ? is not ASCII")
        await app(scope, receive, send)


async def body_of(receive: Receive) -> bytes | None:
    """The body, also one whose length nobody announced; None where it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return bytes(body)
