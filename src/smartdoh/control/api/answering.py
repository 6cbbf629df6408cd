"""From a request to what an endpoint takes, and from what it gives to a response."""

from __future__ import annotations

import difflib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response, StreamingResponse

from smartdoh.control.api.endpoint import FALSE, REQUIRED, TRUE, Endpoint, Event, Json, Lines, Param
from smartdoh.control.api.followed import Followed
from smartdoh.errors import ConfigError

JSON_LINES = "application/jsonl"
EVENT_STREAM = "text/event-stream"
MOST_PARAMS = 32  # parts behind the ?


def values_of(endpoint: Endpoint, in_path: dict[str, str], query: bytes) -> dict[str, Any]:
    """What a request says, by the names of the endpoint's parameters. Raises ConfigError.

    Names that it does not know, or that come twice, are refused: a slip would mean something else than was meant.
    """
    known = {param.name: param for param in endpoint.takes}
    said = dict(in_path)
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_PARAMS)
    except ValueError:
        raise ConfigError("?", f"at most {MOST_PARAMS} parts") from None
    for name, text in pairs:
        if name in said:
            raise ConfigError(name, "is said twice")
        if name not in known:
            raise ConfigError(name, _unknown(name, known))
        said[name] = text
    return {name: _value(param, said.get(name)) for name, param in known.items()}


def _unknown(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"is unknown; did you mean {near[0]!r}?"
    return f"is unknown; there are: {', '.join(known)}" if known else "is unknown; it takes nothing"


def _value(param: Param, text: str | None) -> Any:
    if text is None:
        if param.default is REQUIRED:
            raise ConfigError(param.name, "is missing")
        return param.default
    if param.kind is bool:
        return _flag(param.name, text)
    if param.kind is str:
        if param.among and text not in param.among:
            raise ConfigError(param.name, f"{text!r} is not one of: {', '.join(param.among)}")
        return text
    return _number(param, text)


def _flag(name: str, text: str) -> bool:
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise ConfigError(name, f"{text!r} is neither {TRUE[0]} nor {FALSE[0]}")


def _number(param: Param, text: str) -> Any:
    try:
        number = param.kind(text)
    except ValueError:
        raise ConfigError(param.name, f"{text!r} is no number") from None
    least = float("-inf") if param.least is None else param.least
    most = float("inf") if param.most is None else param.most
    if not least <= number <= most:
        raise ConfigError(param.name, f"{text!r} is not from {param.least} to {param.most}")
    return number


def response_of(endpoint: Endpoint, given: Any) -> Response:
    """What an endpoint gives, as its `gives` says."""
    if isinstance(endpoint.gives, Json):
        return JSONResponse(given)
    if isinstance(endpoint.gives, Lines):
        return StreamingResponse(lines(given), media_type=JSON_LINES)
    return Followed(events(given), media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"})


def head_of_stream(endpoint: Endpoint) -> Response:
    """The headers of what streams, for HEAD: nothing is walked or followed for nobody."""
    return Response(media_type=JSON_LINES if isinstance(endpoint.gives, Lines) else EVENT_STREAM)


async def lines(rows: AsyncIterator[object]) -> AsyncIterator[str]:
    """A line of JSON for each row."""
    async for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


async def events(found: AsyncIterator[Event]) -> AsyncIterator[str]:
    """Each event as the stream has it."""
    try:
        async for name, data in found:
            yield f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
    finally:
        if isinstance(found, AsyncGenerator):
            await found.aclose()


def problem(status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    """An error as all have it."""
    sendable = why.encode("utf-8", "backslashreplace").decode()  # a lone surrogate is no text
    return JSONResponse({"error": sendable}, status, headers)


def allowed(methods: Iterable[str]) -> str:
    """The methods of a path, as the header Allow has them."""
    return ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))


def not_allowed(methods: Collection[str]) -> Response:
    """The path has other methods."""
    return problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", {"Allow": allowed(methods)})
