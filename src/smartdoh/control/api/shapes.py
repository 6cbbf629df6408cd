"""The shapes of what the API says, as its JSON has them. Seconds end in `_s`, milliseconds in `_ms`."""

from __future__ import annotations

from typing import Literal, TypedDict

Health = Literal["well", "doubtful", "resting"]
Freshness = Literal["fresh", "stale", "expired"]
Level = Literal["memory", "disk"]
Action = Literal["ask", "answer", "block", "refuse"]


class UpstreamStatus(TypedDict):
    """How one upstream does."""

    name: str
    latency_ms: float | None  # smoothed; None: it was never heard of
    p95_ms: float | None
    health: Health
    rests_s: float
    failures: int  # in a row
    requests: int
    in_flight: int
    most_in_flight: int
    rate: float | None  # requests a second that it may get now; None: no limit is known
    blocked_s: float  # it asked to be left alone for so long


class GroupStatus(TypedDict):
    """How one group does."""

    name: str
    strategy: str
    timeout_s: float
    via: str  # without its password; empty: directly
    questions: int
    hedges: int
    upstreams: list[UpstreamStatus]


class KeptAnswer(TypedDict):
    """One answer in the cache."""

    level: Level
    name: str
    type: str
    klass: str
    view: int
    dnssec_ok: bool
    checking_disabled: bool
    state: Freshness
    age_s: float
    left_s: float  # until it expires; negative: since it expired
    stale_left_s: float  # until it may not be given any more
    rcode: str
    source: str
    records: list[str]


class Decision(TypedDict):
    """What the overrides and the rules say."""

    action: Action
    why: str
    group: str
    list: str  # empty: no list decided
    file: str
    line: int  # from 1; 0: no line
    addresses: list[str]  # of an override that gives them


class RankedAddress(TypedDict):
    """What is known of one address of a name."""

    address: str
    way: str  # direct, or the proxy
    standing: str  # verified, connected, not measured, out of reach, wrong certificate
    connect_ms: float | None  # smoothed
    port: int | None  # that took the connection
    age_s: float | None  # of the last measurement
    proof: str  # what its last handshake came to; empty if there was none or it no longer holds


class Explanation(TypedDict):
    """Why a question gets the answer that it gets."""

    name: str
    type: str
    client: str
    running: bool  # False: from the config alone, without a running proxy
    may_ask: bool
    decision: Decision
    answered_here: str | None  # the step that answers without asking anybody
    group: GroupStatus
    cached: list[KeptAnswer]
    addresses: list[RankedAddress]  # IPv4 before IPv6, each best first


class Status(TypedDict):
    """What runs."""

    version: str
    pid: int
    config: str
    listening: list[str]
    uptime_s: float
    groups: list[str]
    overrides: int


class Statistics(TypedDict):
    """Counters since the start or the last reload."""

    cache: dict[str, int]
    disk: dict[str, int] | None  # None: nothing is kept on disk
    under_way: int
    waiting: int
    groups: dict[str, dict[str, int]]
