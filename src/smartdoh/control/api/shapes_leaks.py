"""The shapes of what the API says of leaks."""

from __future__ import annotations

from typing_extensions import TypedDict


class Leak(TypedDict):
    """A name of a list that was sent to an upstream of another group."""

    name: str
    group: str
    upstream: str
    count: int
    first: str  # RFC 3339
    last: str
    since_change: bool  # it was sent after the list became what it is


class LeaksOfList(TypedDict):
    """What the ledger says of a list."""

    list: str
    group: str  # where its rules send it, several with commas between; empty: they block it
    changed: str | None  # when the list became what it is
    since: str | None  # the first time that anything was sent
    names: int  # in the ledger
    listed: int  # of them, on the list
    leaked: list[Leak]  # those first that were sent last
    left_off: int  # how many more there are
