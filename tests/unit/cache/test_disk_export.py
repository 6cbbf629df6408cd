"""`export`: the cache on disk as a person reads it."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smartdoh.app import clock
from smartdoh.cache.disk import FILE_NAME, Disk
from smartdoh.cache.policy import Bounds, entry_of
from smartdoh.cache.second import SecondLevel
from smartdoh.control.api.shapes import KeptAnswer
from smartdoh.control.export import export
from smartdoh.errors import ConfigError
from tests.scenario.messages import answer_to, query, soa

GROUPS = {"direct": b"directly", "proxy": b"by proxy"}


STALE = 1000.0
WALL = time.time


def exported(directory: Path, wall: Callable[[], float] = WALL) -> list[KeptAnswer]:
    return list(export(directory, STALE, clock.now, wall))


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
    found = [json.loads(json.dumps(line)) for line in exported(directory)]
    assert [(line["name"], line["type"], line["group"]) for line in found] == [
        ("no.example.com.", "A", "direct"),
        ("www.example.com.", "A", "direct"),
        ("www.example.com.", "AAAA", "proxy"),
        ("odd\\000\\.name.example.", "TYPE65280", "direct"),
    ]
    www = found[1]
    assert (www["level"], www["state"], www["klass"], www["rcode"]) == ("disk", "fresh", "IN", "NOERROR")
    assert www["source"] == "upstream"
    assert [line.split(" ", 2)[::2] for line in www["records"]] == [
        ["www.example.com.", "IN CNAME cdn.example.net."],
        ["cdn.example.net.", "IN A 192.0.2.1"],
        ["cdn.example.net.", "IN A 192.0.2.2"],
    ]
    assert 290 <= www["left_s"] <= 300
    assert www["left_s"] + www["age_s"] == pytest.approx(300, abs=0.2)
    assert found[2]["dnssec_ok"]
    assert not www["dnssec_ok"]
    assert found[0]["rcode"] == "NXDOMAIN"


def test_a_stale_answer_has_less_than_nothing_left(directory: Path) -> None:
    later = time.time() + 1000
    found = {(line["name"], line["type"]): line for line in exported(directory, lambda: later)}
    www = found["www.example.com.", "A"]
    assert -710 <= www["left_s"] <= -699
    assert www["state"] == "stale"
    assert 290 <= www["stale_left_s"] <= 301


def test_it_reads_beside_a_running_proxy(directory: Path) -> None:
    """Another process may do so; within one, LMDB refuses a second opening, which is told like any failure."""
    disk = Disk(directory, 1000, boot=clock.now)
    with pytest.raises(ConfigError, match="already open"):
        exported(directory)
    disk.close()
    assert len(exported(directory)) == 4


def test_no_cache_and_no_cache_of_ours_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        exported(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"garbage" * 1000)
    with pytest.raises(ConfigError, match=FILE_NAME):
        exported(tmp_path)
