"""`export`: the cache on disk as a person reads it."""

import json
import time
from pathlib import Path

import pytest

from smartdoh.app import clock
from smartdoh.cache.disk import FILE_NAME, Disk
from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.cache.second import SecondLevel
from smartdoh.control.export import export
from smartdoh.errors import ConfigError
from tests.scenario.messages import answer_to, query, soa

GROUPS = {"direct": b"directly", "proxy": b"by proxy"}


def keep(second: SecondLevel, group: str, name: str, rdtype: str, *records: str, **how: object) -> None:
    asked = query(name, rdtype, do=bool(how.pop("do", False)))
    answer = answer_to(asked, *records, **how)  # type: ignore[arg-type]
    second.keep(asked, group, entry_of(asked, answer, Bounds(), clock.now())[0])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A cache of four answers, closed."""
    disk = Disk(tmp_path, 1000, boot=clock.now)
    second = SecondLevel(disk, GROUPS, Bounds(), clock.now)
    keep(
        second,
        "direct",
        "www.example.com.",
        "A",
        "www.example.com. 600 CNAME cdn.example.net.",
        "cdn.example.net. 300 A 192.0.2.1",
        "cdn.example.net. 300 A 192.0.2.2",
    )
    keep(second, "proxy", "www.example.com.", "AAAA", "www.example.com. 60 AAAA 2001:db8::1", do=True)
    keep(second, "direct", "no.example.com.", "A", rcode="NXDOMAIN", authority=(soa("example.com.", 60, 60),))
    keep(
        second,
        "direct",
        "odd\\000\\.name.example.",
        "TYPE65280",
        "odd\\000\\.name.example. 60 TYPE65280 \\# 2 0102",
    )
    disk.close()
    return tmp_path


def test_every_answer_is_a_line_in_the_order_of_domains(directory: Path) -> None:
    found = [json.loads(json.dumps(line)) for line in export(directory, clock.now, time.time)]
    assert [(line["name"], line["type"], line["group"]) for line in found] == [
        ("no.example.com.", "A", "direct"),
        ("www.example.com.", "A", "direct"),
        ("www.example.com.", "AAAA", "proxy"),
        ("odd\\000\\.name.example.", "TYPE65280", "direct"),
    ]
    www = found[1]
    assert www["class"] == "IN"
    assert www["rcode"] == "NOERROR"
    assert www["from"] == "upstream"
    assert www["records"] == [
        "www.example.com. 600 IN CNAME cdn.example.net.",
        "cdn.example.net. 300 IN A 192.0.2.1",
        "cdn.example.net. 300 IN A 192.0.2.2",
    ]
    assert 290 <= www["ttl"] <= 300
    assert www["ttl"] + www["age"] in (299, 300)  # both are cut to whole seconds
    assert found[2]["do"]
    assert not www["do"]
    assert found[0]["rcode"] == "NXDOMAIN"


def test_a_stale_answer_has_less_than_nothing_left(directory: Path) -> None:
    later = time.time() + 1000
    ttls = {(line["name"], line["type"]): line["ttl"] for line in export(directory, clock.now, lambda: later)}
    assert -710 <= ttls["www.example.com.", "A"] <= -700


def test_it_reads_beside_a_running_proxy(directory: Path) -> None:
    """Another process may do so; within one, LMDB refuses a second opening, which is told like any failure."""
    disk = Disk(directory, 1000, boot=clock.now)
    with pytest.raises(ConfigError, match="already open"):
        list(export(directory, clock.now, time.time))
    disk.close()
    assert len(list(export(directory, clock.now, time.time))) == 4


def test_no_cache_and_no_cache_of_ours_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        list(export(tmp_path, clock.now, time.time))
    (tmp_path / FILE_NAME).write_bytes(b"garbage" * 1000)
    with pytest.raises(ConfigError, match=FILE_NAME):
        list(export(tmp_path, clock.now, time.time))
