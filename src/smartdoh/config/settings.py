"""The settings as resolved: what the rest of the program reads. Durations are seconds, paths absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from smartdoh.config.addresses import Endpoint, Network
from smartdoh.config.urls import ProxyUrl, UpstreamUrl

Strategy = Literal["hedged", "parallel", "failover"]
FastestIp = Literal["off", "first", "only"]
Ipv6 = Literal["keep", "drop", "drop_if_ipv4"]
ListFormat = Literal["autoproxy", "adblock", "hosts", "dnsmasq", "domains", "addresses"]
OnMissing = Literal["open", "closed"]
Action = Literal["block"]
BlockAnswer = Literal["null", "nxdomain", "refused"]
LogLevel = Literal["debug", "info", "warning", "error"]
LoopGuarding = Literal["local", "all", "off"]
LogFormat = Literal["auto", "text", "json"]
Privacy = Literal["whole", "short", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenSettings:
    """Where we listen, to whom we answer, how often over UDP (`rate` 0: always), and the bounds of TCP (RFC 7766).

    `cookies` is whether clients that send a cookie get one of ours (RFC 7873).
    """

    dns: tuple[Endpoint, ...]
    allow: tuple[Network, ...]
    hide_version: bool
    tcp_connections: int
    tcp_per_client: int
    tcp_idle: float
    rate: int
    burst: int
    cookies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapSettings:
    """Servers by address: an `Endpoint` speaks plain DNS, an `UpstreamUrl` DoH."""

    servers: tuple[Endpoint | UpstreamUrl, ...]
    remember: bool  # on disk, from run to run


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """DoH servers that are asked as one. `is_private` is whether their answers may hold private addresses."""

    name: str
    upstreams: tuple[UpstreamUrl, ...]
    strategy: Strategy
    timeout: float
    via: ProxyUrl | None
    ca_file: Path | None
    fastest_ip: FastestIp
    idle: float
    trust_ad: bool
    max_in_flight: int
    hedge_percent: int
    is_private: bool
    bogus_nxdomain: str
    ipv6: Ipv6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All that is given must match; empty or None matches everything. One of `group` and `action` is set.

    `names` stand for themselves and all below them, in lower case without a dot at the end.
    """

    names: tuple[str, ...]
    list: str | None
    types: tuple[str, ...]
    clients: tuple[Network, ...]
    group: str | None
    action: Action | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingSettings:
    """Which group answers: the first rule that matches, else `default`, which is always a group's name."""

    default: str
    overrides: Path | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSettings:
    """A list of names or addresses: fetched from `url` and kept in `file`, or without `url` read from `file`."""

    name: str
    url: str | None
    file: Path
    state_dir: Path  # where what cannot lie beside the file is kept
    format: ListFormat
    refresh: float
    on_missing: OnMissing
    group: str
    canaries: tuple[str, ...]
    guard: int  # per cent of the questions that a new list may change; 0: as many as it likes
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSettings:
    """What is answered for a blocked name."""

    answer: BlockAnswer
    ttl: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """Both levels of the cache; `dir` is None where nothing is kept on disk."""

    entries: int
    memory_entries: int
    dir: Path | None
    min_ttl: float
    max_ttl: float
    stale: float
    stale_after: float
    prefetch: bool
    negative_max: float
    failure: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is logged, and how it looks."""

    level: LogLevel
    queries: bool
    format: LogFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLogSettings:
    """Whether what is asked is kept, where, for how many days (0: for ever) and in how many octets.

    `exclude` are names in lower case without a dot at the end, with all below them.
    """

    enabled: bool
    dir: Path
    days: int
    size: int
    privacy: Privacy
    exclude: tuple[str, ...]
    ledger: bool  # whether it is counted which names leave


@dataclass(frozen=True, slots=True, kw_only=True)
class DnstapSettings:
    """Where questions are sent as dnstap messages, None: nowhere; and under which name."""

    socket: Path | None
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """Names that are answered here (RFC 6303, RFC 6761); `zones_off` are resolved like any other.

    `rebind_allow` are names of the world that may have private addresses. `explain` is whether those who may ask are
    told in band why a name gets its answer.
    """

    zones_off: tuple[str, ...]
    rebind_allow: tuple[str, ...]
    explain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSettings:
    """How much may wait for upstreams, for how long, and how many names that do not exist a zone may be asked for a
    second (0: as many as are)."""

    questions: int
    wait: float
    zone_failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How many processes answer; 1 is this one alone."""

    workers: int
    loop_guard: LoopGuarding  # which servers are probed for a loop when they had no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where counters can be read by HTTP; None is nowhere."""

    listen: Endpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """Where the dashboard listens (None: there is none), the names it answers to, and its password's hash, if any."""

    listen: Endpoint | None
    hosts: tuple[str, ...]
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A config that passed every check; `path` is None where it came from text, `warnings` are lines."""

    listen: ListenSettings
    bootstrap: BootstrapSettings
    groups: Mapping[str, GroupSettings]
    routing: RoutingSettings
    lists: Mapping[str, ListSettings]
    block: BlockSettings
    cache: CacheSettings
    log: LogSettings
    query_log: QueryLogSettings
    local: LocalSettings
    limits: LimitsSettings
    server: ServerSettings
    metrics: MetricsSettings
    dnstap: DnstapSettings
    dashboard: DashboardSettings
    state_dir: Path
    path: Path | None = None
    warnings: tuple[str, ...] = ()
