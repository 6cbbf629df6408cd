"""What several workers count, as one."""

from __future__ import annotations

from typing import Any

import pytest

from smartdoh.control.workers.adding import add_up


@pytest.mark.parametrize(
    ("shares", "wanted"),
    [
        ([], None),
        ([3], 3),
        ([1, 2, 0.5], 3.5),
        ([True, True], True),
        ([True, False], False),
        ([None, None], None),
        ([None, {"a": 1}], {"a": 1}),
        ([{"a": 1, "b": {"c": 2}}, {"a": 4, "b": {"c": 5}, "d": 6}], {"a": 5, "b": {"c": 7}, "d": 6}),
        (["first", "second"], "first"),
    ],
)
def test_numbers_are_added_wherever_they_lie(shares: list[Any], wanted: object) -> None:
    assert add_up(shares) == wanted


def test_the_file_that_all_share_is_counted_once() -> None:
    one = {"cache": {"entries": 5}, "disk": {"entries": 100, "octets": 4096, "hits": 7, "is_open": True}}
    other = {"cache": {"entries": 6}, "disk": {"entries": 101, "octets": 4096, "hits": 8, "is_open": True}}
    disk = {"entries": 101, "octets": 4096, "hits": 15, "is_open": True}
    assert add_up([one, other]) == {"cache": {"entries": 11}, "disk": disk}


def test_what_was_counted_by_kind_is_added_by_kind() -> None:
    hit = {"transport": "udp", "outcome": "hit", "qtype": 1, "rcode": 0}
    stale = {**hit, "outcome": "stale"}
    one = {
        "answered": [{**hit, "count": 3}],
        "waits": {"bounds": [0.1, 1.0], "counts": [1, 0, 2], "count": 3},
    }
    other = {
        "answered": [{**stale, "count": 1}, {**hit, "count": 4}],
        "waits": {"bounds": [0.1, 1.0], "counts": [0, 5, 1], "count": 6},
    }
    assert add_up([one, other]) == {
        "answered": [{**hit, "count": 7}, {**stale, "count": 1}],
        "waits": {"bounds": [0.1, 1.0], "counts": [1, 5, 3], "count": 9},
    }
    assert add_up([{"answered": []}, {"answered": [{**hit, "count": 4}]}]) == {
        "answered": [{**hit, "count": 4}]
    }


def test_questions_and_waits_of_all_workers_are_told_together() -> None:
    """As `/statistics` and what metrics are made of have them."""
    miss = {"transport": "udp", "type": "A", "rcode": "NOERROR", "outcome": "miss"}
    waits = {"bounds": [0.1, 1.0], "counts": [1, 0, 2], "count": 3, "seconds": 4.5}
    upstream = {"requests": 3, "errors": {"timeout": 1}, "answers": waits}
    one = {"questions": [{**miss, "count": 2}], "latency": {"miss": waits}, "upstreams": {"a": upstream}}
    other = {
        "questions": [{**miss, "rcode": "NXDOMAIN", "count": 1}, {**miss, "count": 5}],
        "latency": {"miss": waits},
        "upstreams": {"a": {**upstream, "errors": {"timeout": 1, "tls": 4}}},
    }
    twice = {"bounds": [0.1, 1.0], "counts": [2, 0, 4], "count": 6, "seconds": 9.0}
    assert add_up([one, other]) == {
        "questions": [{**miss, "count": 7}, {**miss, "rcode": "NXDOMAIN", "count": 1}],
        "latency": {"miss": twice},
        "upstreams": {"a": {"requests": 6, "errors": {"timeout": 2, "tls": 4}, "answers": twice}},
    }
