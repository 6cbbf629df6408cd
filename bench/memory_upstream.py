"""Upstreams that are dnsdist, over DoH and plain DNS: one answer from memory, or a server of our own behind it."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bench.compiled import compile_c
from bench.configs import SEARCH_PATH
from bench.errors import BenchError
from bench.mixture import name_of
from bench.process import Process, await_answer, running
from bench.sites import Endpoint
from bench.workspace import Workspace, free_port

API_KEY = "bench"

CONFIG = """\
setSecurityPollSuffix("")
setLocal("127.0.0.1:{plain}")
addDOHLocal("127.0.0.1:{doh}", "{chain}", "{key}", "/dns-query")
webserver("127.0.0.1:{web}")
setWebserverConfig({{password="{api_key}", apiKey="{api_key}", acl="127.0.0.1/32"}})
{answers}
"""
ONE_ANSWER = 'addAction(AllRule(), SpoofAction({"203.0.113.7"}, {ttl=3600}))'
FROM_BEHIND = (
    'newServer{{address="127.0.0.1:{port}", sockets=8}}:setUp()'  # it knows no name to be checked with
)
MIXED_READY = name_of("m", 0, 5, 1)


@dataclass(frozen=True, slots=True)
class MemoryUpstream:
    """A running one, and how many questions it got."""

    endpoint: Endpoint
    web_port: int
    processes: tuple[Process, ...] = ()

    def questions(self) -> int:
        """All questions so far, over DoH and plain DNS, as dnsdist itself counted them."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}/jsonstat?command=stats", headers={"X-API-Key": API_KEY}
        )
        with urllib.request.urlopen(request, timeout=5) as response:
            return int(json.load(response)["queries"])

    def cpu_seconds(self) -> float:
        """What it took so far, with what stands behind it."""
        return sum(process.usage().cpu_seconds for process in self.processes)


@contextmanager
def memory_upstream(workspace: Workspace) -> Iterator[MemoryUpstream]:
    """The same address for every name, at once. On the upstream's core."""
    with _dnsdist(workspace, "memory-upstream", ONE_ANSWER, "ready.example.com") as upstream:
        yield upstream


@contextmanager
def mixed_upstream(workspace: Workspace) -> Iterator[MemoryUpstream]:
    """The one that answers as the names say (bench/mixture.py). Raises BenchError where there is no C compiler.

    It yields to dnsperf on their common core: what is measured is the server, not who of the two was first.
    """
    folder = workspace.subfolder("mixed-upstream")
    behind = free_port()
    command = ["nice", "-n", "5", compile_c("mixed_upstream", folder), str(behind)]
    with running("mixed upstream", command, workspace.cores.upstream, folder / "behind-log") as process:
        answers = FROM_BEHIND.format(port=behind)
        with _dnsdist(workspace, "mixed-upstream", answers, MIXED_READY, nice=5) as upstream:
            yield replace(upstream, processes=(*upstream.processes, process))


@contextmanager
def _dnsdist(
    workspace: Workspace, name: str, answers: str, ready_name: str, nice: int = 0
) -> Iterator[MemoryUpstream]:
    folder = workspace.subfolder(name)
    upstream = MemoryUpstream(Endpoint(doh=free_port(), plain=free_port()), free_port())
    config = folder / "upstream.conf"
    config.write_text(
        CONFIG.format(
            plain=upstream.endpoint.plain,
            doh=upstream.endpoint.doh,
            web=upstream.web_port,
            chain=workspace.certificates.chain_file,
            key=workspace.certificates.key_file,
            api_key=API_KEY,
            answers=answers,
        )
    )
    dnsdist = ["env", f"PATH={SEARCH_PATH}", "dnsdist", "--supervised", "-C", str(config)]
    command = ["nice", "-n", str(nice), *dnsdist]
    with running(name, command, workspace.cores.upstream, folder / "log") as process:
        await_answer(process, upstream.endpoint.plain, ready_name)
        _await_counters(upstream)
        yield replace(upstream, processes=(process,))


def _await_counters(upstream: MemoryUpstream) -> None:
    for _ in range(100):
        try:
            upstream.questions()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BenchError("the upstream's counters cannot be read")
