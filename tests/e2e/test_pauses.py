"""The process is stopped and goes on, and the date is set by hours and years: nobody may notice for long."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import dns.rcode
import pytest

from tests.conftest import StartProxy
from tests.e2e.messages import addresses, question, until
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.scripted.replies import Ending
from tests.servers.zone import full_name

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
TIMEOUT, STOPPED = 2.0, 4.5  # seconds: it is stopped for longer than a question may take
HOUR, YEAR = 3_600, 365 * 86_400


def test_a_process_that_was_stopped(upstream: ScriptedServer, smartdoh: StartProxy) -> None:
    """Its connection may be long gone, and what was under way is nobody's any more: that is no failure of anyone."""
    proxy = smartdoh(upstream.url, group={"timeout": f"{TIMEOUT:g}s"})
    proxy.udp(question("one"))
    upstream.behave(replies.ending(Ending.STALL), name=full_name("several"))
    with proxy.udp_socket() as client:
        client.send(question("several").to_wire())
        upstream.wait_for_requests(2)
        proxy.process.send(signal.SIGSTOP)
        time.sleep(STOPPED)
        upstream.behave(replies.right, name=full_name("several"))
        proxy.process.send(signal.SIGCONT)
        assert addresses(proxy.udp(question("one"), seconds=1.0)) == ["203.0.113.1"], "kept, so at once"
        until(
            lambda: proxy.udp(question("several")), lambda got: got.rcode() == dns.rcode.NOERROR, seconds=1.0
        )
    assert "the process was stopped" in proxy.log
    assert upstream.connections > 1
    assert "upstream rests" not in proxy.log


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is needed to give one process another date")
def test_another_date_changes_no_ttl(upstream: ScriptedServer, smartdoh: StartProxy, tmp_path: Path) -> None:
    """An hour and a year, forth and back; what is kept ages by the time that passed, and new names resolve."""
    date = tmp_path / "date"
    date.write_text("+0s")
    env = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(date),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    proxy = smartdoh(upstream.url, env=env)
    first = proxy.udp(question("one"))
    for number, shift in enumerate((HOUR, -HOUR, YEAR, -YEAR)):
        date.write_text(f"{shift:+d}s")
        proxy.process.wait_until(lambda count=number + 1: proxy.log.count("the clock was set") == count)  # type: ignore[misc]
        again = proxy.udp(question("one"))
        assert first.answer[0].ttl - 30 <= again.answer[0].ttl <= first.answer[0].ttl
        assert addresses(proxy.udp(question(f"n{number}.wild"))) == ["203.0.113.77"]
    assert upstream.asked(full_name("one")) == 1
    assert upstream.connections == 1
