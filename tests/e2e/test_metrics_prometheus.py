"""A real Prometheus: it scrapes two workers and adds nothing wrong, and takes the rules and the dashboard's queries."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from smartdoh.control.client import Proxy
from tests.conftest import StartProxy
from tests.e2e.commands import config_of, run, socket_of
from tests.e2e.messages import question
from tests.meta.tree import ROOT
from tests.servers.certificates import Authority
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.required import require_server
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy, run_to_end

pytestmark = pytest.mark.usefixtures("short")

RULES = ROOT / "contrib" / "prometheus"
DASHBOARD = ROOT / "contrib" / "grafana" / "smartdoh.json"
NAME = re.compile(r"\b(?:smartdoh|process|python)_[a-z_]+\b")
OF_HISTOGRAMS = re.compile(r"_(?:bucket|sum|count)$")
ASKED = 40  # each from a port of its own, so that both workers get some


class Scraper:
    """A Prometheus that scrapes every second."""

    def __init__(self, port: int) -> None:
        self._port = port

    def value(self, query: str) -> float | None:
        """What an instant query gives, a single number; None while there is none."""
        target = f"http://127.0.0.1:{self._port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        try:
            with urllib.request.urlopen(target, timeout=10) as response:
                found = json.load(response)["data"]["result"]
        except (OSError, urllib.error.URLError):
            return None
        return float(found[0]["value"][1]) if found else None

    def soon(self, query: str, wanted: float, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while (got := self.value(query)) != wanted:
            assert time.monotonic() < end, f"{query} is still {got}"
            time.sleep(0.2)


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Scraper]:
    """Debian's, on loopback, with the rules that we give away."""
    text = (RULES / "prometheus.yml").read_text()
    text = text.replace("127.0.0.1:9153", target).replace("15s", "1s")
    (folder / "prometheus.yml").write_text(text.replace("alerts.yml", str(RULES / "alerts.yml")))
    port = free_port()
    process = ServerProcess(
        "prometheus",
        [
            require_server("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        folder,
        {**os.environ, "GOMAXPROCS": "1"},
    )
    try:
        yield Scraper(port)
    finally:
        process.stop()


def watched_by(port: int, workers: int = 1) -> dict[str, Any]:
    return {"metrics": {"listen": f"127.0.0.1:{port}"}, "server": {"workers": workers}}


def workers_of(proxy: RunningProxy) -> Mapping[int, int]:
    return {one["number"]: one["pid"] for one in Proxy(socket_of(proxy)).get("/status")["workers"]}


def test_prometheus_gets_the_sum_of_all_workers(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """Also after one of them was killed, and has begun anew."""
    port = free_port()
    proxy = smartdoh(upstream.url, sections=watched_by(port, workers=2))
    with prometheus(tmp_path, f"127.0.0.1:{port}") as scraper:
        for _ in range(ASKED):
            proxy.udp(question("one"))
        shares = Proxy(socket_of(proxy)).get("/statistics")["questions"]
        assert sum(one["count"] for one in shares) == ASKED
        scraper.soon("sum(smartdoh_queries_total)", ASKED)
        scraper.soon('up{job="smartdoh"}', 1)
        scraper.soon("count(process_resident_memory_bytes)", 2)
        before = workers_of(proxy)
        os.kill(before[1], signal.SIGKILL)
        scraper.soon('smartdoh_worker_restarts_total{worker="1"}', 1)
        for _ in range(ASKED):
            proxy.udp(question("one"))
        scraper.soon("sum(smartdoh_queries_total)", 2 * ASKED)
        scraper.soon("sum(resets(smartdoh_queries_total[10m]))", 0)
        os.kill(before[0], signal.SIGKILL)  # the one that tells all this
        scraper.soon('smartdoh_worker_restarts_total{worker="0"}', 1)


def test_a_refused_reload_is_told_and_another_address_takes_a_restart(
    smartdoh: StartProxy, upstream: ScriptedServer
) -> None:
    port, other = free_port(), free_port()
    proxy = smartdoh(upstream.url, sections=watched_by(port))
    file = config_of(proxy)
    good = file.read_text()
    run(proxy, "reload")
    file.write_text(good.replace("[routing]", "[routing]\nnonsense = 1"))
    run(proxy, "reload", status=2)
    assert told(port) == {"success": 1, "refused": 1, "": 0}
    file.write_text(good.replace(str(port), str(other)))
    run(proxy, "reload")
    assert told(port) == {"success": 2, "refused": 1, "": 1}
    assert "metrics.listen is another than at the start; that takes a restart" in proxy.log


def told(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as response:
        text = response.read().decode()
    wanted = {"smartdoh_config_reloads", "smartdoh_config_last_reload_successful"}
    return {
        sample.labels.get("result", ""): sample.value
        for family in parse(text)
        if family.name in wanted
        for sample in family.samples
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_an_address_that_is_taken_ends_the_start(authority: Authority, tmp_path: Path, workers: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = {
            "groups.main": {"upstreams": ["https://127.0.0.1:1/dns-query"], "ca_file": authority.ca_file},
            "listen": {"dns": [f"127.0.0.1:{free_port()}"]},
            **watched_by(port, workers),
        }
        outcome = run_to_end(["serve"], tmp_path, settings)
    assert outcome.status == 1
    expected = f"smartdoh: cannot listen on 127.0.0.1:{port} (TCP): another program listens there"
    assert expected in outcome.lines


def test_the_rules_do_what_they_say() -> None:
    """promtool plays a quiet day and all that can go wrong."""
    for arguments in (
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
        ["check", "config", "prometheus.yml"],
    ):
        checked(arguments, RULES)


def test_the_dashboards_queries_are_sound(tmp_path: Path) -> None:
    """Each is one that Prometheus can read, and no two panels lie on each other."""
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(dashboard_queries())]
    assert len(rules) > 40
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    checked(["check", "rules", "rules.yml"], tmp_path)
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [cell for panel in panels for cell in cells(panel["gridPos"])]
    assert len(set(taken)) == len(taken)


def test_what_is_asked_for_is_told(smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path) -> None:
    """Every metric that a rule or the dashboard names is one that a proxy has."""
    (tmp_path / "ads.txt").write_text("ads.example\n")
    port = free_port()
    lists = {"lists.ads": {"file": str(tmp_path / "ads.txt"), "format": "domains"}}
    smartdoh(upstream.url, sections={**watched_by(port, workers=2), **lists})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as response:
        text = response.read().decode()
    known = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    rules = (RULES / "alerts.yml").read_text()
    asked_for = {OF_HISTOGRAMS.sub("", name) for name in NAME.findall(rules + " ".join(dashboard_queries()))}
    assert len(asked_for) > 30
    assert not asked_for - known


def dashboard_queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [query.replace("$__rate_interval", "5m") for query in queries]


def cells(place: Mapping[str, int]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]


def checked(arguments: list[str], folder: Path) -> None:
    done = subprocess.run(
        [require_server("promtool"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
