"""What an endpoint of the API is: its path and method, who answers, what it takes, what it gives and how it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

from smartdoh.app.server import Server

Method = Literal["GET", "POST", "PUT", "DELETE"]

Workers = Literal["first", "added", "told", "own"]
"""Who answers where there are several workers: the first for itself; all, and their numbers are added up; all are told,
and the first one's answer counts; or `control/workers/together.py` has a way of its own."""

TRUE = ("1", "true", "yes")
FALSE = ("0", "false", "no")


class Required:
    """Stands for a default where there is none."""


REQUIRED = Required()


@dataclass(frozen=True, slots=True)
class Param:
    """One thing that a request may say, in its path where that has its `{name}`, else behind the `?`.

    `kind` is str, int, float or bool; `least` and `most` are for numbers, `among` for words. A default of None means
    that nothing was said. `example` is for the document.
    """

    name: str
    meaning: str
    kind: type = str
    default: Any = REQUIRED
    among: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    example: Any = None


@dataclass(frozen=True, slots=True)
class Json:
    """One JSON document of a shape, which is a TypedDict or made of them."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of JSON of a shape, streamed: the handler returns an async iterator of them."""

    shape: Any


@dataclass(frozen=True, slots=True)
class Events:
    """Server-sent events, streamed: the handler returns an async iterator of `Event`; `shapes` are by their names."""

    shapes: Mapping[str, Any]


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    data: object


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what it says, checked by the endpoint's `takes`, and whom it is put to."""

    server: Server
    target: str  # path and query as they came
    values: Mapping[str, Any]
    body: bytes
    endpoints: tuple[Endpoint, ...]  # all that the API has

    def text(self, name: str) -> str:
        """A parameter of the kind str; empty where nothing was said and None is the default."""
        return cast("str", self.values[name]) or ""

    def flag(self, name: str) -> bool:
        """A parameter of the kind bool."""
        return bool(self.values[name])

    def whole(self, name: str) -> int:
        """A parameter of the kind int."""
        return cast("int", self.values[name])

    def number(self, name: str) -> float:
        """A parameter of the kind float."""
        return cast("float", self.values[name])


Handler = Callable[[Asked], Awaitable[Any]]
"""Gives what the endpoint's `gives` says. Raises ConfigError where the request makes no sense (400), and HTTPException
with another status and the words that `{"error": ...}` gets."""


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One method of one path. `does` is a sentence for people, `errors` says when it fails with which status.

    400 for a parameter that makes no sense, 404, 405, 413 and 431 need not be told.
    """

    method: Method
    path: str  # with {name} for what varies; the last may hold slashes
    answer: Handler
    does: str
    gives: Json | Lines | Events
    takes: tuple[Param, ...] = ()
    body: Any = None  # the shape of the JSON that comes with it; None: no body is read
    example: Any = None  # of a body
    errors: Mapping[int, str] = field(default_factory=dict)
    workers: Workers = "first"

    @property
    def name(self) -> str:
        """Method and path, as `GET /status`."""
        return f"{self.method} {self.path}"

    def is_in_path(self, param: Param) -> bool:
        """Whether it is a part of the path."""
        return f"{{{param.name}}}" in self.path
