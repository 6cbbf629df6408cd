"""What the log hears of an upstream that goes and comes: each change once, and not each of many."""

from structlog.testing import capture_logs

from smartdoh.upstream.standing import QUIET, Standing

T = 5000.0


def test_a_lone_failure_is_no_news() -> None:
    standing = Standing("a", "main")
    with capture_logs() as lines:
        standing.failed(T, "timeout", "no answer in time")
        standing.answered(T + 1)
    assert lines == []


def test_down_and_up_are_a_line_each() -> None:
    standing = Standing("a", "main")
    with capture_logs() as lines:
        standing.failed(T, "network", "connection refused")
        standing.failed(T + 2, "network", "connection refused", T + 3)
        for second in range(3, 600):
            standing.failed(T + second, "network", "connection refused", T + second + 1)
        standing.answered(T + 600)
        standing.answered(T + 601)
    down, up = lines
    assert down == {
        "log_level": "warning",
        "event": "upstream down",
        "group": "main",
        "upstream": "a",
        "kind": "network",
        "reason": "connection refused",
        "failing_s": 2.0,
        "rests_s": 1.0,
    }
    assert up == {
        "log_level": "info",
        "event": "upstream up",
        "group": "main",
        "upstream": "a",
        "down_s": 600.0,
    }


def test_one_that_comes_and_goes_is_told_of_once_a_minute() -> None:
    standing = Standing("a")
    with capture_logs() as lines:
        for second in range(int(QUIET)):
            standing.failed(T + second, "timeout", "", T + second + 0.5)
            standing.answered(T + second + 0.6)
        assert [line["event"] for line in lines] == ["upstream down", "upstream up"]
        standing.failed(T + QUIET, "timeout", "", T + QUIET + 1)
    assert lines[2]["event"] == "upstream down"
    assert lines[2]["times_before"] == QUIET - 1


def test_one_that_stays_down_after_coming_and_going_is_told_of_in_the_end() -> None:
    standing = Standing("a")
    with capture_logs() as lines:
        standing.failed(T, "timeout", "", T + 1)
        standing.answered(T + 1)
        standing.failed(T + 2, "timeout", "", T + 3)
        assert len(lines) == 2
        standing.failed(T + QUIET, "timeout", "", T + QUIET + 1)
        standing.answered(T + 100)
    assert [line["event"] for line in lines[2:]] == ["upstream down", "upstream up"]
    assert lines[3]["down_s"] == 98.0


def test_one_that_cannot_prove_who_it_is_is_told_of_at_once() -> None:
    standing = Standing("a")
    with capture_logs() as lines:
        standing.failed(T, "certificate", "self-signed certificate")
        standing.answered(T + 5)
    assert [(line["event"], line.get("rests_s")) for line in lines] == [
        ("upstream down", 0.0),
        ("upstream up", None),
    ]
