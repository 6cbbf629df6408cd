"""What several workers have seen, as one: added where it is counted, by time where it is not."""

from __future__ import annotations

from typing import Any, cast

from smartdoh.control.api.live import LAST, TOP, merged
from smartdoh.control.api.shapes_live import LiveShare


def upstream(name: str, requests: int, latency: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "requests": requests,
        "latency_ms": latency,
        "in_flight": 1,
        "most_in_flight": 10,
        "errors": {"timeout": 1},
        "answers": {"bounds": [0.1], "counts": [1, 2], "count": 3, "seconds": 0.5},
    }


def share(**more: Any) -> LiveShare:
    found: dict[str, Any] = {
        "at": 1000.0,
        "seconds": 2.0,
        "rate": {"hit": 1.5},
        "counts": {"hit": 3.0},
        "spread": [],
        "names": [],
        "clients": [],
        "blocked": [],
        "last": [],
        "groups": [],
        "under_way": 1,
        "memory": {"entries": 2, "octets": 3},
        "history": [],
        "sampled": False,
    }
    return cast("LiveShare", found | more)


def test_counts_are_added() -> None:
    other = share(
        at=1001.0, seconds=5.0, rate={"miss": 2.0}, counts={"miss": 1.0, "blocked": 1.0}, sampled=True
    )
    found = merged([share(), other])
    assert (found["at"], found["seconds"]) == ("1970-01-01T00:16:41.000Z", 5.0)
    assert {key: rate for key, rate in found["rate"].items() if rate} == {"hit": 1.5, "miss": 2.0}
    assert found["questions"] == 3.5
    assert found["hit_ratio"] == 0.75, "of what was known or fetched; what is blocked is neither"
    assert (found["under_way"], found["memory"], found["sampled"]) == (2, {"entries": 4, "octets": 6}, True)
    assert found["latency_ms"] is None


def test_names_are_ranked_by_all() -> None:
    some = [(f"n{number}.", 100 - number) for number in range(100)]
    found = merged([share(names=some, clients=[("a", 1)]), share(names=[("n50.", 60)], clients=[("b", 2)])])
    assert found["names"][:2] == [{"name": "n50.", "count": 110}, {"name": "n0.", "count": 100}]
    assert len(found["names"]) == TOP
    assert [one["client"] for one in found["clients"]] == ["b", "a"]


def test_a_list_that_one_worker_knows_is_told() -> None:
    found = merged([share(blocked=[("x.", 2, "")]), share(blocked=[("x.", 1, "ads")])])
    assert found["blocked"] == [{"name": "x.", "count": 3, "list": "ads"}]


def test_the_last_questions_are_the_last_of_all() -> None:
    early = [{"at": f"2026-01-01T00:00:{second:02}.500Z"} for second in range(40, 0, -1)]
    late = [{"at": f"2026-01-01T00:00:{second:02}.000Z"} for second in range(40, 0, -1)]
    times = [one["at"] for one in merged([share(last=early), share(last=late)])["last"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == LAST


def test_seconds_of_all_are_one() -> None:
    one = {"at": 7, "rate": {"hit": 1.0}, "spread": [(50, 3.0)]}
    other = {"at": 7, "rate": {"hit": 2.0}, "spread": [(60, 1.0)]}
    alone = {"at": 8, "rate": {"hit": 4.0}, "spread": []}
    found = merged([share(history=[one]), share(history=[other, alone])])["history"]
    assert [point["rate"]["hit"] for point in found] == [3.0, 4.0]
    assert [point["latency_ms"] is None for point in found] == [False, True]
    latency = found[0]["latency_ms"]
    assert latency is not None
    assert latency["p50"] < latency["p99"]


def test_an_upstream_is_as_who_asked_it_most_has_measured() -> None:
    own = {"name": "main", "questions": 1, "hedges": 0, "upstreams": [upstream("u", 0, None)]}
    other = {"name": "main", "questions": 5, "hedges": 2, "upstreams": [upstream("u", 5, 12.5)]}
    gone = {"name": "gone", "questions": 5, "hedges": 2, "upstreams": []}
    [group] = merged([share(groups=[own]), share(groups=[other, gone])])["groups"]
    assert (group["questions"], group["hedges"]) == (6, 2)
    [found] = group["upstreams"]
    assert (found["requests"], found["latency_ms"], found["in_flight"], found["most_in_flight"]) == (
        5,
        12.5,
        2,
        20,
    )
    assert found["errors"] == {"timeout": 2}
    assert found["answers"] == {"bounds": [0.1], "counts": [2, 4], "count": 6, "seconds": 1.0}
