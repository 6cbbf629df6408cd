"""One proxy with a dashboard, with names asked of it, and one browser, for all tests of a file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import dns.message
import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from smartdoh.control.client import Proxy as Control
from tests.conftest import settings_for
from tests.e2e.commands import socket_of
from tests.e2e.dashboard.looking import Looking
from tests.e2e.waiting import until
from tests.servers.certificates import Authority
from tests.servers.ports import free_port, is_listening
from tests.servers.required import require_server
from tests.servers.scripted import ScriptedServer, replies
from tests.servers.smartdoh import RunningProxy, start_proxy
from tests.servers.zone import full_name

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCRIPT = "<script>alert(1)</script>.example."
ASKED = ("one", "several", "both", "mail", "text", "ads", "n1.wild", "n2.wild")
SLOW = 0.08  # seconds


@dataclass(frozen=True)
class Shown:
    """A proxy that is looked at."""

    proxy: RunningProxy
    port: int
    overrides: Path
    config: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, name: str, rdtype: str = "A") -> dns.message.Message:
        return self.proxy.udp(dns.message.make_query(name, rdtype))

    def is_logging(self) -> bool:
        """Whether the query log has begun: what is asked while its writer is being started may be lost."""
        self.ask(full_name("first"))
        return bool(Control(socket_of(self.proxy)).get("/queries?limit=1")["questions"])

    def addresses(self, name: str) -> list[str]:
        return [item.to_text() for rrset in self.ask(full_name(name)).answer for item in rrset]


@pytest.fixture(scope="module")
def shown(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Two groups, one of them slow, a list, an overrides file, a query log; some names were asked."""
    with ExitStack() as stack:
        one, two, slow = (stack.enter_context(ScriptedServer(authority.good)) for _ in range(3))
        slow.behave(replies.delayed(SLOW))
        folder = tmp_path_factory.mktemp("dashboard")
        overrides = folder / "overrides.json"
        overrides.write_text(json.dumps({"nas.home.arpa": ["192.168.1.5"]}))
        (folder / "ads.txt").write_text(f"{full_name('ads')}\n")
        port = free_port()
        sections = {
            "groups.abroad": {"upstreams": [slow.url], "ca_file": authority.ca_file},
            "lists.ads": {"file": folder / "ads.txt"},
            "routing": {
                "default": "main",
                "overrides": overrides,
                "rules": [
                    {"list": "ads", "action": "block"},
                    {"domains": [full_name("wild")], "group": "abroad"},
                ],
            },
            "query_log": {"enabled": True},
            "dashboard": {"listen": f"127.0.0.1:{port}"},
        }
        settings = settings_for(one.url, two.url, authority=authority, sections=sections)
        proxy = start_proxy(settings, folder)
        stack.callback(proxy.stop)
        proxy.process.wait_until(lambda: is_listening(port))
        found = Shown(proxy, port, overrides, proxy.process.log_file.parent / "smartdoh.toml")
        until(found.is_logging)
        for name in random.Random(6).choices(ASKED, k=60):
            found.ask(full_name(name))
        found.proxy.udp(dns.message.make_query(SCRIPT, "A"))
        yield found


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """The driver."""
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium."""
    with playwright.chromium.launch(executable_path=require_server("chromium"), args=list(CHROMIUM)) as found:
        yield found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has used yet."""
    found = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    yield found
    found.close()


@pytest.fixture
def looking(context: BrowserContext, shown: Shown) -> Iterator[Looking]:
    """A tab; at the end it must have loaded nothing from elsewhere, and met no error."""
    found = Looking(context.new_page(), shown.url)
    yield found
    found.check()
