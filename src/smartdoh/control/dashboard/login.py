"""Logging in and out: a page without scripts, and what becomes of a password that somebody sends."""

from __future__ import annotations

import asyncio
import html
import math
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smartdoh.control.dashboard import headers as told
from smartdoh.control.dashboard.guard import LOGIN, token_of
from smartdoh.control.dashboard.language import LANGUAGE_COOKIE, THEME_COOKIE, language_of, theme_of
from smartdoh.control.dashboard.limits import Tries
from smartdoh.control.dashboard.password import Secret, is_right
from smartdoh.control.dashboard.sessions import COOKIE, LONGEST, Sessions
from smartdoh.control.dashboard.texts import LANGUAGES, text

LARGEST_BODY = 4096  # octets; a password of a thousand characters fits
A_YEAR = 31_536_000  # seconds

PAGE = """<!doctype html>
<html lang="{language}" data-theme="{theme}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · smartdoh</title><link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/dashboard.css">
</head>
<body class="login">
<main>
<h1><img src="/static/icon.svg" alt="" width="28" height="28">smartdoh</h1>
{notice}
<form method="post" action="/login">
<label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024"
required autofocus>
<button type="submit">{enter}</button>
</form>
<p class="languages">{languages}</p>
</main>
</body>
</html>
"""


class Login:
    """The two requests of the page, and that of leaving."""

    def __init__(self, secret: Secret, sessions: Sessions, tries: Tries) -> None:
        self._secret = secret
        self._sessions = sessions
        self._tries = tries
        self._one_at_a_time = asyncio.Lock()  # each takes 64 MiB and a core for a while

    async def page(self, request: Request) -> Response:
        """The form. With ?language= it is shown in that language from now on."""
        if not self._secret.is_asked_for:
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        wanted = request.query_params.get("language", "")
        response = _form(request, wanted if wanted in LANGUAGES else "")
        if wanted in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, wanted, max_age=A_YEAR, samesite="strict")
        return response

    async def enter(self, request: Request) -> Response:
        """Whoever knows the password gets a session."""
        if not self._secret.is_asked_for:
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        password = await _password(request)
        if password is None:
            return _form(request, problem="login.wrong", status=HTTPStatus.BAD_REQUEST)
        address = request.client.host if request.client is not None else ""
        left = self._tries.wait(address)
        if left:
            response = _form(request, problem="login.wait", seconds=left, status=HTTPStatus.TOO_MANY_REQUESTS)
            response.headers["retry-after"] = str(math.ceil(left))
            return response
        known = self._secret.hash
        async with self._one_at_a_time:
            is_his = bool(known) and await asyncio.to_thread(is_right, password, known)
        if not is_his:
            problem = "login.wrong" if known else "login.none"
            return _form(request, problem=problem, status=HTTPStatus.FORBIDDEN)
        self._tries.give_back(address)
        return self._let_in(request, known)

    def _let_in(self, request: Request, known: str) -> Response:
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            self._sessions.begin(known),
            max_age=int(LONGEST),
            httponly=True,
            samesite="strict",
            secure=request.headers.get("origin", "").startswith("https:"),
        )
        return response

    async def leave(self, request: Request) -> Response:
        """The session is over."""
        self._sessions.end(token_of(request.headers))
        response = RedirectResponse(LOGIN, HTTPStatus.SEE_OTHER)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response


async def _password(request: Request) -> str | None:
    """What was sent; None where that is no form of ours."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            return None
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=4, errors="strict").get("password", [])
    except ValueError:
        return None
    return found[0] if len(found) == 1 else None


def _form(
    request: Request, language: str = "", problem: str = "", seconds: float = 0.0, status: int = HTTPStatus.OK
) -> Response:
    language = language or language_of(request.headers, request.cookies)
    said = text(language, problem, seconds=math.ceil(seconds)) if problem else ""
    notice = f'<p class="notice" role="alert">{html.escape(said)}</p>' if said else ""
    links = " · ".join(
        f'<a href="/login?language={code}" lang="{code}"{" class=here" * (code == language)}>{html.escape(name)}</a>'
        for code, name in LANGUAGES.items()
    )
    page = PAGE.format(
        language=language,
        theme=theme_of(request.cookies.get(THEME_COOKIE)),
        title=text(language, "login.title"),
        password=text(language, "login.password"),
        enter=text(language, "login.enter"),
        notice=notice,
        languages=links,
    )
    return HTMLResponse(page, status, {"content-security-policy": told.PLAIN})
