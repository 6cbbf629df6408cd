"""The shapes of what the API says, as its JSON has them. Seconds end in `_s`, milliseconds in `_ms`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, final

from typing_extensions import TypedDict

from smartdoh.app.lists.progress import Phase, Result
from smartdoh.control.api.shapes_counts import Histogram, QuestionCount

Health = Literal["well", "doubtful", "resting"]
Freshness = Literal["fresh", "stale", "expired"]
Level = Literal["memory", "disk"]
OnMissing = Literal["open", "closed"]
Action = Literal["ask", "answer", "block", "refuse"]


class UpstreamStatus(TypedDict):
    """How one upstream does."""

    name: str
    latency_ms: float | None  # smoothed; None: it was never heard of
    p95_ms: float | None
    health: Health
    rests_s: float
    put_to_rest: bool  # by a person, and not for its failures
    failures: int  # in a row
    requests: int
    in_flight: int
    most_in_flight: int
    rate: float | None  # requests a second that it may get now; None: no limit is known
    blocked_s: float  # it asked to be left alone for so long
    errors: dict[str, int]  # requests that failed, by kind, one of smartdoh.upstream.tally.KINDS
    answers: Histogram  # of its good answers


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
    group: str  # who was asked; empty where that is not known, as in memory
    state: Freshness
    age_s: float
    left_s: float  # until it expires; negative: since it expired
    stale_left_s: float  # until it may not be given any more
    rcode: str
    source: str
    records: list[str]


class SetAsideList(TypedDict):
    """A list that was fetched last and not let in."""

    file: str
    fetched: str  # as in ListStatus
    reasons: list[str]


class ListStatus(TypedDict):
    """One list as it is now. Times are UTC as RFC 3339 has them."""

    name: str
    format: str
    file: str
    url: str  # empty: it is a local file that is watched
    lines_used: int | None  # None: it is not in force
    skipped: dict[str, int]  # lines by the reason why they are not used
    changed: str | None  # when the file was last another; None: there is none
    checked: str | None  # when its server last said what it has
    next_look_s: float | None  # None: when the file changes, or nothing runs
    updating: bool
    problem: str  # why the last look came to nothing
    set_aside: SetAsideList | None
    on_missing: OnMissing
    fails_now: OnMissing | None  # how its rules fail while it is not in force; None: it is


@final
class ListProgress(TypedDict):
    """How far a look at a list is."""

    list: str
    phase: Phase
    done: int  # octets fetched
    total: int | None  # of so many


@final
class ListOutcome(TypedDict):
    """What came of a look at a list."""

    list: str
    outcome: Result
    why: str  # it was set aside or failed
    status: ListStatus


class Decision(TypedDict):
    """What the overrides and the rules say."""

    action: Action
    why: str
    group: str
    list: str  # empty: no list decided
    file: str
    line: int  # from 1; 0: no line
    text: str  # of that line; empty where it is not there any more
    addresses: list[str]  # of an override that gives them


class LetThrough(TypedDict):
    """An exception in a list that sent the question on to the next rule."""

    why: str
    list: str
    file: str
    line: int
    text: str


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
    let_through: list[LetThrough]  # before the decision, in the order of the rules
    lists_missing: list[str]  # those that were never loaded, so that their rules could not be asked
    answered_here: str | None  # the step that answers without asking anybody
    group: GroupStatus
    cached: list[KeptAnswer]
    addresses: list[RankedAddress]  # IPv4 before IPv6, each best first


class WorkerStatus(TypedDict):
    """One of several workers; of one that does not run only its number is known."""

    number: int
    pid: int | None
    uptime_s: float | None
    restarts: int | None


class Status(TypedDict):
    """What runs; with several workers the process is their supervisor."""

    version: str
    fast_path: str  # which build of it runs
    pid: int
    config: str
    listening: list[str]
    uptime_s: float
    groups: list[str]
    overrides: int
    workers: NotRequired[list[WorkerStatus]]  # where there are several


class Statistics(TypedDict):
    """Counters since the start, those of the cache since its size last changed."""

    cache: dict[str, Any]  # numbers, but for `answered` by kind and `waits`, a histogram
    disk: dict[str, int | bool] | None  # None: nothing is kept on disk
    under_way: int
    waiting: int
    groups: dict[str, dict[str, int]]
    questions: list[QuestionCount]
    latency: dict[str, Histogram]  # by outcome; of what was not known at once


class LookedUp(TypedDict):
    """One question put to upstreams, past the cache. Without an answer the last five are not there."""

    group: str
    why: str  # that group, or this answer without asking anybody
    took_ms: float
    error: str | None  # why there is no answer
    source: NotRequired[str]  # the upstream; what answered here
    rcode: NotRequired[str]
    answer: NotRequired[list[str]]
    authority: NotRequired[list[str]]
    additional: NotRequired[list[str]]


class SettingsShown(TypedDict):
    """The config that is in force: by table and key, defaults filled in, durations in seconds, no passwords."""

    path: str  # empty: it came from nowhere
    settings: dict[str, Any]
    warnings: list[str]


class OverrideEntry(TypedDict):
    """One key of overrides.json."""

    key: str
    value: Any  # as in the file
    line: NotRequired[int]  # where it stands; not where the file is broken


class OverridesShown(TypedDict):
    """overrides.json; where that is broken, what is in force instead."""

    file: str
    problem: str  # why the file cannot be used; empty: it can
    entries: list[OverrideEntry]


class OverrideValue(TypedDict):
    """What a key of overrides.json is to have."""

    value: str | list[Any] | dict[str, Any]


class OverrideChange(TypedDict):
    """One key that was changed, in the spelling that the file has."""

    file: str
    key: str
    value: Any  # that it has now; null: it was removed
    before: Any  # that it had; null: it was not there


class Reloaded(TypedDict):
    """What came of a reload that was taken."""

    warnings: list[str]


class CacheCounts(TypedDict):
    """The counters of both levels, as in Statistics."""

    memory: dict[str, Any]
    disk: dict[str, int | bool] | None


class Forgotten(TypedDict):
    """What a flush came to."""

    removed: int  # answers that went from memory
    disk: bool  # whether the disk was flushed as well


class Problem(TypedDict):
    """What every error says."""

    error: str
