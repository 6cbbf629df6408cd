"""Reloads under load: nobody who asks notices, and upstreams do not either."""

import select
import signal
import time
from contextlib import ExitStack

import dns.message

from tests.conftest import StartProxy
from tests.e2e.messages import addresses, question
from tests.servers.scripted import ScriptedServer

NAMES = 200
PER_SECOND = 2000
SECONDS = 3.0
RELOAD_EVERY = 0.15  # seconds
SOCKETS = 4
MOST_WAITING = 500  # few enough that their answers fit into the sockets' buffers


def test_reloads_lose_no_question_and_no_answer_and_no_connection(
    upstream: ScriptedServer, smartdoh: StartProxy
) -> None:
    proxy = smartdoh(upstream.url, sections={"cache": {"dir": "none"}})
    wires = [question(f"n{number}.wild").to_wire()[2:] for number in range(NAMES)]
    for number in range(NAMES):
        assert addresses(proxy.udp(question(f"n{number}.wild"))) == ["203.0.113.77"]
    asked, connections = len(upstream.requests), upstream.connections
    sent, answered, reloads = 0, set[int](), 0
    start = time.monotonic()
    with ExitStack() as stack:
        clients = [stack.enter_context(proxy.udp_socket()) for _ in range(SOCKETS)]
        while (passed := time.monotonic() - start) < SECONDS or len(answered) < sent:
            assert passed < SECONDS + 15, f"{sent - len(answered)} of {sent} got no answer"
            while passed < SECONDS and sent < passed * PER_SECOND and sent - len(answered) < MOST_WAITING:
                clients[sent % SOCKETS].send(sent.to_bytes(2) + wires[sent % NAMES])
                sent += 1
            if passed < SECONDS and reloads * RELOAD_EVERY < passed:
                proxy.process.send(signal.SIGHUP)
                reloads += 1
            for client in select.select(clients, [], [], 0.001)[0]:
                wire = client.recv(4096)
                assert addresses(dns.message.from_wire(wire)) == ["203.0.113.77"]
                answered.add(int.from_bytes(wire[:2]))
    assert len(answered) == sent
    proxy.process.wait_until(lambda: proxy.log.count("reloaded") >= reloads / 2)  # signals may come as one
    assert len(upstream.requests) == asked
    assert upstream.connections == connections


def test_after_a_reload_new_names_leave_by_the_connection_that_is_there(
    upstream: ScriptedServer, smartdoh: StartProxy
) -> None:
    proxy = smartdoh(upstream.url)
    proxy.udp(question("n1.wild"))
    proxy.process.send(signal.SIGHUP)
    proxy.process.wait_until(lambda: "reloaded" in proxy.log)
    assert addresses(proxy.udp(question("n2.wild"))) == ["203.0.113.77"]
    assert upstream.connections == 1
