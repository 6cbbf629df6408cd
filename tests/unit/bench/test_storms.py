"""Storms: the table they make, and what they object to."""

from pathlib import Path

from bench.load import Load
from bench.storms.__main__ import BEGIN, END, table, write
from bench.storms.kinds import Row, judged
from bench.upstreams import MANY, NAME_ERROR_FLAGS, compose_answer

CALM = Load(sent=100, lost=0, seconds=1.0, rcodes={"NOERROR": 100}, answered=[("a", 0.001)] * 100)
LATE = Load(sent=100, lost=0, seconds=1.0, rcodes={"NOERROR": 100}, answered=[("a", 0.008)] * 100)
SLOW = Load(sent=100, lost=0, seconds=1.0, rcodes={"NOERROR": 100}, answered=[("a", 0.015)] * 100)
BAD = Load(sent=100, lost=1, seconds=1.0, rcodes={"NOERROR": 97, "SERVFAIL": 2}, answered=[("a", 0.001)] * 97)


def test_what_takes_long_or_is_not_answered_is_told() -> None:
    assert judged(CALM, 1.0, "").wrong == []
    assert judged(SLOW, 1.0, "").wrong == []
    assert judged(LATE, 1.0, "", by_udp=False).wrong == ["p99 was 8.0 ms, 1.0 is normal"]
    assert judged(LATE, 2.0, "", by_udp=False).wrong == []
    assert judged(SLOW, 1.0, "", by_udp=False).wrong == ["p99 was 15.0 ms, 1.0 is normal"]
    assert judged(BAD, 1.0, "").wrong == [
        "p99 was 3000.0 ms, 1.0 is normal",
        "3 of 100 known names were not answered",
    ]


def test_the_table_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    page = tmp_path / "load.md"
    page.write_text(f"before\n\n{BEGIN}old\n{END}\nafter\n")
    row = Row("flood", "much", 1.234, 0, 5e6, 1e6, -1, ("too much",))
    for _ in range(2):
        write(page, [row])
    assert page.read_text() == f"before\n\n{BEGIN}{table([row])}{END}\nafter\n"
    assert "| flood | much | 1.23 ms | 0 | 5.0 MB | 1.0 MB | -1 | too much |" in table([row])


def test_an_upstream_knows_names_that_do_not_exist_and_large_ones() -> None:
    head = b"\0\1\1\0\0\1\0\0\0\0\0\0"
    assert compose_answer(head + b"\3nx1\0\0\1\0\1")[2:8] == NAME_ERROR_FLAGS + b"\0\1\0\0"
    large = compose_answer(head + b"\5large\0\0\1\0\1")
    assert large[6:8] == MANY.to_bytes(2)
    assert len(large) == len(head) + 11 + 16 * MANY
