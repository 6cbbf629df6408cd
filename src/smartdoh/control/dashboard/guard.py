"""What stands before every page: who may ask from where, who has logged in, and how many pages there are at once."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smartdoh.control.dashboard import headers as told
from smartdoh.control.dashboard.origins import SAFE, Origins
from smartdoh.control.dashboard.password import Secret
from smartdoh.control.dashboard.sessions import COOKIE, Sessions

LOGIN, LOGOUT, STATIC = "/login", "/logout", "/static/"
SOCKET = "/_nicegui_ws/"
INNER = "/_nicegui"
MOST_PAGES = 48  # open at once, by everybody together; each is some MB here
POLICY_VIOLATION = 1008  # RFC 6455 section 7.4.1
NOT_PASSED_ON = b"x-forwarded-prefix"  # the library would put it into its pages


class Guard:
    """ASGI around the whole application."""

    def __init__(
        self, app: ASGIApp, origins: Origins, secret: Secret, sessions: Sessions, pages: Callable[[], int]
    ) -> None:
        """`pages` counts those that are open."""
        self.app = app
        self._origins = origins
        self._secret = secret
        self._sessions = sessions
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refused is None:
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != NOT_PASSED_ON]
        answer = Answer(send, headers.get("host", ""))
        await (refused or self.app)(scope, receive, answer.send)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        """What is answered in place of what was asked for; None: nothing is wrong."""
        is_websocket = scope["type"] == "websocket"
        method, path = scope.get("method", "GET"), scope["path"]
        problem = self._origins.problem(method, headers, is_websocket=is_websocket)
        if problem:
            return PlainTextResponse(f"Refused: {problem}.\n", HTTPStatus.FORBIDDEN)
        if path in (LOGIN, LOGOUT) or path.startswith(STATIC):
            return None
        if method not in SAFE or (path.startswith(SOCKET) and not is_websocket):
            return PlainTextResponse("Not here.\n", HTTPStatus.METHOD_NOT_ALLOWED)
        if not self.is_let_in(headers):
            is_page = not is_websocket and not path.startswith(INNER)
            return RedirectResponse(LOGIN, HTTPStatus.SEE_OTHER) if is_page else _unauthorized()
        if not is_websocket and not path.startswith(INNER) and self._pages() >= MOST_PAGES:
            return PlainTextResponse("Too many pages are open.\n", HTTPStatus.SERVICE_UNAVAILABLE)
        return None

    def is_let_in(self, headers: Headers) -> bool:
        """Whether whoever sends these has logged in, or need not."""
        if not self._secret.is_asked_for:
            return True
        known = self._secret.hash
        return bool(known) and self._sessions.is_good(token_of(headers), known)


class Answer:
    """Sends a response on with the headers that each has, a page's scripts marked with its nonce."""

    def __init__(self, send: Send, host: str) -> None:
        self._send = send
        self._host = host
        self._start: Message | None = None  # of a page, held back until it is whole
        self._body = b""

    async def send(self, message: Message) -> None:
        """ASGI's `send`."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(told.COMMON)
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
            headers.setdefault("content-security-policy", told.PLAIN)
        elif self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._page(self._start)
            return
        await self._send(message)

    async def _page(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        headers["cache-control"] = "no-store"
        if "content-security-policy" not in headers:
            word = told.nonce()
            headers["content-security-policy"] = told.policy(word, self._host)
            self._body = told.marked(self._body, word)
            headers["content-length"] = str(len(self._body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": self._body})


def token_of(headers: Headers) -> str:
    """The session's token that a browser brings; empty if none.

    Other servers of this host have cookies there too, whatever they wrote into them: those are passed over.
    """
    for pair in headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _unauthorized() -> ASGIApp:
    return PlainTextResponse("Log in first.\n", HTTPStatus.UNAUTHORIZED)
