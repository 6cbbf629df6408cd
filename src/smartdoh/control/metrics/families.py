"""Every family of metrics, in the order in which they are told; docs/metrics.md has the table of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import Metric

from smartdoh.control.metrics.making import counter, gauge, histogram, one_counter, one_gauge
from smartdoh.control.metrics.shares import Counts
from smartdoh.control.metrics.states import States
from smartdoh.upstream.tally import KINDS

UPSTREAM = ("group", "upstream")


def families(counts: Counts, states: States) -> Iterator[Metric]:
    """All but those of processes. `counts` are added up over the workers."""
    yield from _of_what_runs(states)
    yield from _of_questions(counts)
    yield from _of_upstreams(counts, states)
    yield from _of_cache(counts["memory"], counts["disk"], states)
    yield from _of_disk(counts["disk"])
    yield from _of_lists(states)


def _of_what_runs(states: States) -> Iterator[Metric]:
    build = [((states.version, states.fast_path.partition(" ")[0]), 1.0)]
    yield gauge("smartdoh_build_info", "What runs.", ("version", "fast_path"), build)
    yield one_gauge("smartdoh_workers", "Processes that shall answer.", states.workers)
    yield counter(
        "smartdoh_config_reloads",
        "Reloads, by whether the config was taken.",
        ("result",),
        [(("success",), states.reloads), (("refused",), states.reloads_refused)],
    )
    yield one_gauge(
        "smartdoh_config_last_reload_successful",
        "Whether the last reload took the config; 1 before the first.",
        states.is_last_reload_good,
    )
    yield one_gauge(
        "smartdoh_config_last_reload_success_timestamp_seconds",
        "When the config in force was taken.",
        states.reloaded_at,
    )
    yield one_gauge(
        "smartdoh_overrides", "Entries of the overrides file that are in force.", states.overrides
    )
    yield one_gauge("smartdoh_bootstrap_hosts", "Host names of upstreams to be found.", states.hosts)
    yield one_gauge(
        "smartdoh_bootstrap_hosts_known", "Those of them with a known address.", states.hosts_known
    )


def _of_questions(counts: Counts) -> Iterator[Metric]:
    yield counter(
        "smartdoh_queries",
        "Questions that got their answer.",
        ("transport", "type", "rcode", "outcome"),
        [
            ((one["transport"], one["type"], one["rcode"], one["outcome"]), one["count"])
            for one in counts["questions"]
        ],
    )
    yield histogram(
        "smartdoh_query_duration_seconds",
        "How long clients waited for what was not in memory.",
        ("outcome",),
        [((outcome,), found) for outcome, found in counts["latency"].items()],
    )
    memory = counts["memory"]
    for name, key, about in (
        ("malformed", "malformed", "Messages that are no sound question, answered with an error."),
        (
            "disallowed",
            "refused",
            "Questions of clients that may not ask, answered with REFUSED or not at all.",
        ),
        ("rate_limited", "limited", "Questions over their client's limit, answered truncated or not at all."),
        ("ignored", "ignored", "Messages that nothing is ever said to: too short, or no query."),
        ("unsent", "unsent", "Answers that the system did not take."),
    ):
        yield one_counter(f"smartdoh_queries_{name}", about, memory[key])
    yield one_gauge("smartdoh_fetches_under_way", "Questions being asked of upstreams.", counts["under_way"])
    yield one_gauge("smartdoh_queries_waiting", "Clients' questions that wait for those.", counts["waiting"])
    tcp = counts["tcp"]
    yield one_gauge("smartdoh_tcp_connections", "Clients' TCP connections that are open.", tcp["open"])
    yield one_counter(
        "smartdoh_tcp_connections_refused", "Connections for which there was no room.", tcp["refused"]
    )
    yield one_counter(
        "smartdoh_tcp_connections_evicted", "Idle connections that made room for others.", tcp["evicted"]
    )


def _of_upstreams(counts: Counts, states: States) -> Iterator[Metric]:
    groups = counts["groups"]
    asked = [((name,), float(group["questions"])) for name, group in groups.items()]
    yield counter("smartdoh_group_queries", "Questions put to a group.", ("group",), asked)
    hedges = [((name,), float(group["hedges"])) for name, group in groups.items()]
    yield counter(
        "smartdoh_hedges", "Requests beyond one for each question: hedges and probes.", ("group",), hedges
    )
    every = [
        ((name, host), upstream)
        for name, group in groups.items()
        for host, upstream in group["upstreams"].items()
    ]
    yield counter(
        "smartdoh_upstream_requests",
        "Requests to an upstream.",
        UPSTREAM,
        [(who, one["requests"]) for who, one in every],
    )
    yield counter(
        "smartdoh_upstream_errors",
        "Requests to an upstream that came to nothing.",
        (*UPSTREAM, "kind"),
        [((*who, kind), one["errors"].get(kind, 0)) for who, one in every for kind in KINDS],
    )
    yield histogram(
        "smartdoh_upstream_latency_seconds",
        "How long an upstream took for each good answer.",
        UPSTREAM,
        [(who, one["answers"]) for who, one in every],
    )
    up = [(who, float(one["failing"] < states.workers)) for who, one in every]
    yield gauge(
        "smartdoh_upstream_up",
        "0 from when an upstream has failed twice in a row, in every worker, until it answers.",
        UPSTREAM,
        up,
    )
    in_flight = [(who, float(one["in_flight"])) for who, one in every]
    yield gauge("smartdoh_upstream_in_flight", "Requests to an upstream under way.", UPSTREAM, in_flight)


def _of_cache(memory: dict[str, int], disk: dict[str, Any] | None, states: States) -> Iterator[Metric]:
    """Both levels; a disk that is not there has no samples."""
    levels = [
        ("memory", {**memory, "hits": memory["hits"] + memory["stale"], "evicted": memory["evictions"]})
    ]
    if disk is not None:
        levels.append(("disk", disk))
    for name, key, about in (
        ("entries", "entries", "Answers that are kept; workers have a memory each, and one disk."),
        ("bytes", "octets", "What they take."),
    ):
        rows = [((level,), float(found[key])) for level, found in levels]
        yield gauge(f"smartdoh_cache_{name}", about, ("level",), rows)
    limits = {"memory": states.memory_entries * states.workers, "disk": states.disk_entries}
    yield gauge(
        "smartdoh_cache_limit_entries",
        "Answers that may be kept.",
        ("level",),
        [((level,), limits[level]) for level, _ in levels],
    )
    for name, key, about in (
        ("evictions", "evicted", "Answers that made room for others."),
        (
            "hits",
            "hits",
            "Look-ups that found an answer which may be given; those on disk came after one in memory.",
        ),
        ("misses", "misses", "Look-ups that found none."),
    ):
        rows = [((level,), float(found[key])) for level, found in levels]
        yield counter(f"smartdoh_cache_{name}", about, ("level",), rows)


def _of_disk(disk: dict[str, Any] | None) -> Iterator[Metric]:
    for name, key, about in (
        ("writes", "stored", "Answers given to the disk."),
        (
            "writes_dropped",
            "dropped",
            "Answers that were not written: too many waited, or the disk took none.",
        ),
        ("damaged", "damaged", "Answers on disk that could not be read."),
        ("failures", "failures", "Writes that failed, and files that could not be opened or read."),
    ):
        rows = [] if disk is None else [((), float(disk[key]))]
        yield counter(f"smartdoh_disk_{name}", about, (), rows)
    rows = [] if disk is None else [((), float(disk["is_open"]))]
    yield gauge("smartdoh_disk_open", "Whether the cache on disk is in use.", (), rows)


def _of_lists(states: States) -> Iterator[Metric]:
    lists = states.lists.items()
    yield gauge(
        "smartdoh_list_lines",
        "Lines of a list that are in force; 0 where nothing of it is.",
        ("list",),
        [((name,), one.lines or 0) for name, one in lists],
    )
    yield gauge(
        "smartdoh_list_loaded",
        "Whether a list is in force.",
        ("list",),
        [((name,), one.lines is not None) for name, one in lists],
    )
    yield gauge(
        "smartdoh_list_age_seconds",
        "Since the server of a list last said what it has; lists that are files alone have none.",
        ("list",),
        [((name,), one.age) for name, one in lists if one.age is not None],
    )
    yield gauge(
        "smartdoh_list_failing",
        "Whether the last look at a list came to nothing, or what it found was set aside.",
        ("list",),
        [((name,), one.is_failing or one.is_set_aside) for name, one in lists],
    )
