"""metrics.listen: what Prometheus reads of a running proxy is what was asked of it."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.rcode
import pytest
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from smartdoh.upstream.tally import KINDS
from tests.conftest import GROUP, settings_for
from tests.e2e.messages import question
from tests.meta.tree import ROOT
from tests.servers.certificates import Authority
from tests.servers.ports import free_port
from tests.servers.required import require_server
from tests.servers.scripted import ScriptedServer
from tests.servers.scripted.replies import aged, rcode, status, wrong_question
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import full_name

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
ROW = re.compile(r"^\| `(smartdoh_\w+)` \| (\w+) \| (.*?) \| (.+) \|$", re.MULTILINE)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True)
class Watched:
    """A proxy that tells its metrics on `port`."""

    proxy: RunningProxy
    port: int

    def get(
        self, path: str = "/metrics", method: str = "GET", accept: str = "", client: str = "127.0.0.1"
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=10, source_address=(client, 0)
        )
        connection.request(method, path, headers={"Accept": accept, "Host": "elsewhere.example"})
        return connection.getresponse()

    def text(self, accept: str = "") -> str:
        response = self.get(accept=accept)
        assert response.status == 200
        return response.read().decode()

    def samples(self) -> Samples:
        """All values, by name and labels."""
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in parse(self.text())
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """The sum of those samples that have these labels, among others."""
        wanted = labels.items()
        return sum(value for (known, has), value in self.samples().items() if known == name and wanted <= has)


def config(upstream: ScriptedServer, authority: Authority, folder: Path, port: int) -> dict[str, object]:
    """A proxy with all that there are metrics of."""
    (folder / "ads.txt").write_text("ads.example\nmore.example\n")
    return settings_for(
        upstream.url,
        authority=authority,
        sections={
            "listen": {"allow": ["127.0.0.1"]},
            "metrics": {"listen": f"127.0.0.1:{port}"},
            "cache": {"dir": str(folder / "cache"), "prefetch": False},
            "lists.ads": {"file": str(folder / "ads.txt"), "format": "domains"},
            "groups.gone": {"upstreams": ["https://127.0.0.1:1/dns-query"], "ca_file": authority.ca_file},
            "routing": {
                "default": GROUP,
                "rules": [
                    {"list": "ads", "action": "block"},
                    {"domains": ["gone.example"], "group": "gone"},
                ],
            },
        },
    )


@pytest.fixture(scope="module")
def upstream_of(authority: Authority) -> Iterator[ScriptedServer]:
    with ScriptedServer(authority.good) as server:
        yield server


@pytest.fixture(scope="module")
def watched(
    authority: Authority, upstream_of: ScriptedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """One proxy for all tests here, after `ask_of_all_sorts`."""
    folder, port = tmp_path_factory.mktemp("metrics"), free_port()
    proxy = start_proxy(config(upstream_of, authority, folder, port), folder)
    found = Watched(proxy, port)
    ask_of_all_sorts(found, upstream_of)
    yield found
    proxy.stop()


def ask_of_all_sorts(watched: Watched, upstream: ScriptedServer) -> None:
    """Something of every outcome but stale, each of it counted in the tests."""
    proxy = watched.proxy
    upstream.behave(status(500), name=full_name("broken"))
    upstream.behave(rcode(dns.rcode.REFUSED), name=full_name("refused"))
    upstream.behave(wrong_question, name=full_name("wrong"))
    for _ in range(3):
        proxy.udp(question("one"))  # a miss and two hits
    proxy.tcp(question("missing", "AAAA"))
    proxy.tcp(question("odd", "TYPE65400"))
    for _ in range(2):
        proxy.udp(question("x.ads.example."))
        proxy.udp(question("localhost."))
        proxy.udp(question("broken"))
    for name in ("refused", "wrong", "x.gone.example."):
        proxy.udp(question(name, "MX"))
    proxy.udp(question("one", "AXFR"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.settimeout(10)
        stranger.sendto(question("one").to_wire(), ("127.0.0.1", proxy.port))
        assert stranger.recv(512)[3] & 15 == 5
    with proxy.udp_socket() as client:
        client.send(bytes(2) + b"\1\0" + bytes(8))
        assert client.recv(512)[3] & 15 == 1


def test_every_question_is_there_once(watched: Watched) -> None:
    kinds = {
        tuple(dict(labels)[key] for key in ("transport", "type", "rcode", "outcome")): value
        for (name, labels), value in watched.samples().items()
        if name == "smartdoh_queries_total"
    }
    assert kinds == {
        ("udp", "A", "NOERROR", "miss"): 1,
        ("udp", "A", "NOERROR", "hit"): 2,
        ("tcp", "AAAA", "NXDOMAIN", "miss"): 1,
        ("tcp", "other", "NOERROR", "miss"): 1,
        ("udp", "A", "NOERROR", "blocked"): 2,
        ("udp", "A", "NOERROR", "local"): 2,
        ("udp", "A", "SERVFAIL", "failed"): 2,
        ("udp", "MX", "SERVFAIL", "failed"): 2,
        ("udp", "MX", "REFUSED", "failed"): 1,
        ("udp", "AXFR", "REFUSED", "refused"): 1,
        ("udp", "other", "REFUSED", "refused"): 1,
    }


def test_what_else_is_counted(watched: Watched) -> None:
    value = watched.value
    assert value("smartdoh_queries_malformed_total") == 1
    assert value("smartdoh_queries_disallowed_total") == 1
    assert value("smartdoh_query_duration_seconds_count", outcome="miss") == 3
    assert value("smartdoh_query_duration_seconds_bucket", outcome="miss", le="+Inf") == 3
    assert value("smartdoh_group_queries_total", group=GROUP) == 6
    assert value("smartdoh_upstream_requests_total", group=GROUP) == 6
    assert value("smartdoh_upstream_latency_seconds_count") == 3
    assert value("smartdoh_upstream_up", group="gone") == 1, "once is no reason to rest"
    assert value("smartdoh_list_lines", list="ads") == 2
    assert value("smartdoh_list_loaded", list="ads") == 1
    assert value("smartdoh_cache_entries", level="memory") >= 5
    assert value("smartdoh_cache_misses_total", level="disk") > 0
    assert value("smartdoh_disk_open") == 1
    assert value("process_resident_memory_bytes") > 10**7


def test_errors_are_told_by_kind(watched: Watched) -> None:
    """Those of each upstream; a kind that never happened is there as 0."""
    kinds = {
        (labels["group"], labels["kind"]): value
        for (name, found), value in watched.samples().items()
        if name == "smartdoh_upstream_errors_total" and (labels := dict(found))
    }
    assert {kind: count for kind, count in kinds.items() if count} == {
        (GROUP, "http_status"): 1,
        (GROUP, "rcode"): 1,
        (GROUP, "bad_answer"): 1,
        ("gone", "connect"): 1,
    }
    assert {kind for group, kind in kinds if group == GROUP} == set(KINDS)


def test_stale_answers_are_told_apart(watched: Watched, upstream_of: ScriptedServer) -> None:
    """A TTL of one second has to pass, whenever that is."""
    upstream_of.behave(aged(299), name=full_name("both"))
    before, asked = watched.value("smartdoh_queries_total"), 0

    def is_stale() -> bool:
        nonlocal asked
        watched.proxy.udp(question("both"))
        asked += 1
        return watched.value("smartdoh_queries_total", outcome="stale") > 0

    soon(is_stale)
    assert watched.value("smartdoh_queries_total") == before + asked


def test_both_forms_say_the_same(watched: Watched) -> None:
    response = watched.get(accept=OPENMETRICS)
    assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    text = response.read().decode()
    assert text.endswith("\n# EOF\n")
    assert text.count("# EOF") == 1
    assert families_of(parse_openmetrics(text)) == families_of(parse(watched.text()))  # type: ignore[no-untyped-call]


def families_of(found: Iterable[Metric]) -> set[str]:
    return {family.name for family in found}


def test_promtool_finds_nothing_to_say(watched: Watched) -> None:
    done = subprocess.run(
        [require_server("promtool"), "check", "metrics"],
        input=watched.text(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_only_reading_and_only_there(watched: Watched) -> None:
    home = watched.get("/")
    assert (home.status, b"/metrics" in home.read()) == (200, True)
    assert watched.get("/elsewhere").status == 404
    refused = watched.get(method="POST")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    head = watched.get(method="HEAD")
    assert (head.status, head.read(), int(head.headers["Content-Length"]) > 1000) == (200, b"", True)
    assert "access-control-allow-origin" not in {name.lower() for name in home.headers}


def test_who_may_not_ask_may_not_read(watched: Watched) -> None:
    assert watched.get(client="127.0.0.3").status == 403


def test_too_many_connections_are_ended_at_once(watched: Watched) -> None:
    """And those that stay let it answer still."""
    held = [socket.create_connection(("127.0.0.1", watched.port), timeout=10) for _ in range(15)]
    more = [socket.create_connection(("127.0.0.1", watched.port), timeout=10) for _ in range(10)]
    try:
        ended = 0
        for sock in more:
            sock.settimeout(1.0)
            try:
                ended += sock.recv(1) == b""
            except ConnectionResetError:
                ended += 1
            except TimeoutError:
                pass
        assert ended >= 9
    finally:
        for sock in (*held, *more):
            sock.close()
    soon(lambda: watched.get().status == 200)


def test_large_headers_are_refused(watched: Watched) -> None:
    with socket.create_connection(("127.0.0.1", watched.port), timeout=10) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"x" * 20_000)
        assert client.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


def test_the_page_has_every_family(watched: Watched) -> None:
    """docs/metrics.md: names, types, labels and meanings, as they are told."""
    documented = {row[1]: (row[2], row[3], row[4]) for row in ROW.finditer(page())}
    assert len(documented) > 40
    assert documented.pop("smartdoh_worker_restarts_total"), "there where there are workers"
    told = {}
    for family in parse(watched.text()):
        if family.name.startswith("smartdoh_"):
            labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
            name = f"{family.name}_total" if family.type == "counter" else family.name
            told[name] = family.type, ", ".join(f"`{label}`" for label in labels), family.documentation
    assert documented == told


def page() -> str:
    return (ROOT / "docs" / "metrics.md").read_text("utf-8")


def soon(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
