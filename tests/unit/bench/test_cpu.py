"""Reading /proc."""

import os

from bench.cpu import PAGE_BYTES, TICKS_PER_SECOND, parse_stat, usage_of_session

LINE = (
    "5580 (odd) name (x) S 1 5575 3497 0 -1 4194304 2094 0 19 0 30 21 0 0 20 0 21 0 81176 1213939712 5796 "
    "18446744073709551615 94616755154944 94616760391981 140728334706496 0 0 0 0 69638 0 0 0 0 17 0 0 0 0 0 0\n"
)


def test_fields_after_a_name_with_brackets_and_spaces() -> None:
    stat = parse_stat(LINE)
    assert (stat.pid, stat.session) == (5580, 3497)
    assert stat.user_seconds == 30 / TICKS_PER_SECOND
    assert stat.system_seconds == 21 / TICKS_PER_SECOND
    assert stat.cpu_seconds == stat.user_seconds + stat.system_seconds
    assert stat.resident_bytes == 5796 * PAGE_BYTES


def test_our_own_session_uses_memory() -> None:
    assert usage_of_session(os.getsid(0)).resident_bytes > 1_000_000


def test_a_session_that_does_not_exist_uses_nothing() -> None:
    usage = usage_of_session(2**30)
    assert (usage.cpu_seconds, usage.resident_bytes) == (0, 0)
