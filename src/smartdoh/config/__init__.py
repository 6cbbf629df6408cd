"""The config: the file as typed models, loading it, and saying what is wrong with it.

`load` gives `Settings`, frozen all the way down, or raises `ConfigError` with a line for each problem.
"""

from smartdoh.config.addresses import Address, Endpoint, Network
from smartdoh.config.durations import format_duration, parse_duration
from smartdoh.config.loading import load, parse
from smartdoh.config.names import QTYPES, qtype_number, qtype_text
from smartdoh.config.places import DEFAULT_PATHS
from smartdoh.config.problems import BadConfigError, Problem
from smartdoh.config.settings import (
    BlockSettings,
    BootstrapSettings,
    CacheSettings,
    DashboardSettings,
    DnstapSettings,
    GroupSettings,
    ListenSettings,
    ListSettings,
    LocalSettings,
    LogSettings,
    LoopGuarding,
    MetricsSettings,
    RoutingSettings,
    Rule,
    ServerSettings,
    Settings,
)
from smartdoh.config.urls import ProxyUrl, UpstreamUrl

__all__ = [
    "DEFAULT_PATHS",
    "QTYPES",
    "Address",
    "BadConfigError",
    "BlockSettings",
    "BootstrapSettings",
    "CacheSettings",
    "DashboardSettings",
    "DnstapSettings",
    "Endpoint",
    "GroupSettings",
    "ListSettings",
    "ListenSettings",
    "LocalSettings",
    "LogSettings",
    "LoopGuarding",
    "MetricsSettings",
    "Network",
    "Problem",
    "ProxyUrl",
    "RoutingSettings",
    "Rule",
    "ServerSettings",
    "Settings",
    "UpstreamUrl",
    "format_duration",
    "load",
    "parse",
    "parse_duration",
    "qtype_number",
    "qtype_text",
]
