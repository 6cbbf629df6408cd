"""What looking costs: the dashboard's process with and without open pages, and how soon a page can be used.

`python -m bench.scenarios.dashboard [SECONDS]` runs this alone. 5,000 questions a second are asked of names in the
cache; Chromium opens the overview, with nothing of it cached, and leaves it open. It needs the extras `dashboard` and
`dev`, and Debian's chromium.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.alone import measure_alone
from bench.cpu import TICKS_PER_SECOND
from bench.load import once, paced
from bench.peers import Peer
from bench.process import Process, await_answer, running
from bench.scenarios.base import Measure, Metric, Reading, Scenario
from bench.upstreams import Behaviour, ScriptedUpstreams, scripted_upstreams
from bench.workspace import Workspace, free_port

RATE = 5_000  # questions a second
SECONDS = 12.0
NAMES = 1_000
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
START = 20.0  # seconds until the page answers

METRICS = (
    Metric("usable_ms", "usable after", "ms", digits=0),
    Metric("page_percent", "dashboard's process", "% of a core"),
    Metric("proxy_percent", "proxy", "% of a core"),
    Metric("tabs_percent", "browser's tabs", "% of a core"),
    Metric("p99_ms", "answers' p99", "ms", digits=3),
    Metric("memory_mb", "dashboard's memory", "MB", digits=0),
)


def _of_process(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _child(parent: int) -> int:
    """The dashboard that this proxy has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes().split(b"\0")
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if above == parent and b"dashboard" in line:
                return int(folder.name)
    raise ProcessLookupError


def _tabs(browser: Browser) -> float:
    """Seconds of processor time that the browser's tabs have used."""
    said = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return float(sum(each["cpuTime"] for each in said["processInfo"] if each["type"] == "renderer"))


def _config(workspace: Workspace, folder: Path, upstreams: ScriptedUpstreams, dns: int, http: int) -> Path:
    file = folder / "smartdoh.toml"
    file.write_text(
        f'[listen]\ndns = ["127.0.0.1:{dns}"]\n[dashboard]\nlisten = "127.0.0.1:{http}"\n[cache]\ndir = "none"\n'
        f'[groups.main]\nupstreams = ["{upstreams.endpoints[0].url}"]\nfastest_ip = "off"\n'
        f'ca_file = "{workspace.certificates.ca_file}"\n'
    )
    return file


def _measure(
    workspace: Workspace, upstreams: ScriptedUpstreams, seconds: float, pages: int, number: int
) -> Reading:
    folder = workspace.subfolder(f"dashboard-{pages}-{number}")
    dns, http, core = free_port(), free_port(), workspace.cores.client
    config = _config(workspace, folder, upstreams, dns, http)
    names = folder / "names.txt"
    names.write_text("".join(f"h{each}.example.com A\n" for each in range(NAMES)))
    command = [sys.executable, "-m", "smartdoh", "serve", "--config", str(config)]
    with ExitStack() as stack:
        server = stack.enter_context(
            running("smartdoh", command, (workspace.cores.server, core), folder / "log")
        )
        await_answer(server, dns, "ready.example.com")
        once(core, dns, names, RATE)
        driver = stack.enter_context(sync_playwright())
        browser = stack.enter_context(
            driver.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        )
        _await_page(server, browser, http)
        usable = [_open(browser, http) for _ in range(max(1, pages))]
        if not pages:
            for context in browser.contexts:
                context.close()
        return {"usable_ms": min(usable)} | _under_load(server, browser, core, dns, names, seconds)


def _under_load(
    server: Process, browser: Browser, core: int, dns: int, names: Path, seconds: float
) -> Reading:
    page = _child(server.process.pid)

    def used() -> tuple[float, float, float]:
        return _of_process(page), _of_process(server.process.pid), _tabs(browser)

    before, begun = used(), time.monotonic()
    load = paced(core, dns, names, RATE, seconds)
    after, passed = used(), time.monotonic() - begun
    shares = [100 * (now - then) / passed for then, now in zip(before, after, strict=True)]
    return {
        **dict(zip(("page_percent", "proxy_percent", "tabs_percent"), shares, strict=True)),
        "p99_ms": 1e3 * load.latency(0.99),
        "memory_mb": _resident_mb(page),
    }


def _await_page(server: Process, browser: Browser, http: int) -> None:
    until = time.monotonic() + START
    while True:
        server.check_alive()
        context = browser.new_context()
        try:
            context.new_page().goto(f"http://127.0.0.1:{http}/static/icon.svg")
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return
        finally:
            context.close()


def _open(browser: Browser, http: int) -> float:
    """Milliseconds from the address to a page that is drawn, connected, and has its numbers."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    begun = time.monotonic()
    page.goto(f"http://127.0.0.1:{http}/", wait_until="commit")
    page.locator(".state.is-good").wait_for()
    page.locator(".card canvas").first.wait_for()
    return 1e3 * (time.monotonic() - begun)


@contextmanager
def _contenders(
    workspace: Workspace, _peers: list[Peer], seconds: float = SECONDS
) -> Iterator[dict[str, Measure]]:
    with scripted_upstreams(workspace, [Behaviour(0.01)]) as upstreams:
        measure = partial(_measure, workspace, upstreams, seconds)
        yield {
            "no page open": partial(measure, 0),
            "one page open": partial(measure, 1),
            "four pages open": partial(measure, 4),
        }


SCENARIO = Scenario("dashboard", f"{RATE:,} questions a second while somebody looks", METRICS, _contenders)


def main() -> None:
    """Measure once and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    measure_alone(SCENARIO, lambda workspace: _contenders(workspace, [], seconds))


if __name__ == "__main__":
    main()
