"""The upstream that answers from memory without delay: dnsdist with one answer, over DoH and plain DNS."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.errors import BenchError
from bench.peers import SEARCH_PATH, Endpoint
from bench.process import await_answer, running
from bench.workspace import Workspace, free_port

API_KEY = "bench"

CONFIG = """\
setSecurityPollSuffix("")
setLocal("127.0.0.1:{plain}")
addDOHLocal("127.0.0.1:{doh}", "{chain}", "{key}", "/dns-query")
webserver("127.0.0.1:{web}")
setWebserverConfig({{password="{api_key}", apiKey="{api_key}", acl="127.0.0.1/32"}})
addAction(AllRule(), SpoofAction({{"203.0.113.7"}}, {{ttl=3600}}))
"""


@dataclass(frozen=True, slots=True)
class MemoryUpstream:
    """A running one, and how many questions it got."""

    endpoint: Endpoint
    web_port: int

    def questions(self) -> int:
        """All questions so far, over DoH and plain DNS, as dnsdist itself counted them."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}/jsonstat?command=stats", headers={"X-API-Key": API_KEY}
        )
        with urllib.request.urlopen(request, timeout=5) as response:
            return int(json.load(response)["queries"])


@contextmanager
def memory_upstream(workspace: Workspace) -> Iterator[MemoryUpstream]:
    """Starts it on the upstream's core."""
    folder = workspace.subfolder("memory-upstream")
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
        )
    )
    command = ["env", f"PATH={SEARCH_PATH}", "dnsdist", "--supervised", "-C", str(config)]
    with running("upstream", command, workspace.cores.upstream, folder / "log") as process:
        await_answer(process, upstream.endpoint.plain, "ready.example.com")
        _await_counters(upstream)
        yield upstream


def _await_counters(upstream: MemoryUpstream) -> None:
    for _ in range(100):
        try:
            upstream.questions()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BenchError("the upstream's counters cannot be read")
