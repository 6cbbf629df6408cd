"""Who is let in and who is not: pages elsewhere, other names for the address, floods of passwords."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.commands import config_of
from tests.e2e.dashboard.conftest import Shown
from tests.e2e.dashboard.looking import SECONDS, Looking
from tests.servers.ports import free_port, is_listening
from tests.servers.smartdoh import COMMAND, RunningProxy, environment, run_to_end

PASSWORD = "correct horse battery"
WEBSOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket&client_id=none"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Got:
    """A response, read."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = b"" if response.status == 101 else response.read()


def ask(port: int, method: str, target: str, headers: dict[str, str] | None = None, body: str = "") -> Got:
    """One request by hand; without a Host it has the address."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, target, body or None, headers or {})
        return Got(connection.getresponse())


@pytest.fixture(scope="module")
def port(shown: Shown) -> int:
    return shown.port


# Without a password


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8053", "127.0.0.1.evil.example", "[::1]", "192.0.2.1"]
)
@pytest.mark.parametrize("target", ["/", "/login", "/static/dashboard.css", "/_nicegui/x"])
def test_another_name_for_the_address_is_refused(port: int, host: str, target: str) -> None:
    """A page elsewhere whose name is made to lead here (DNS rebinding) sends its own name."""
    assert ask(port, "GET", target, {"Host": host}).status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_its_own_names_are_answered(port: int, host: str) -> None:
    assert ask(port, "GET", "/cache", {"Host": f"{host}:{port}"}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_a_page_elsewhere_is_refused(port: int, headers: dict[str, str]) -> None:
    assert ask(port, "GET", "/", headers).status == 403


def test_a_link_elsewhere_may_lead_here(port: int) -> None:
    assert (
        ask(port, "GET", "/cache", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status
        == 200
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example", "Host": "evil.example"}, 403),
        ({"Origin": "http://localhost:{port}", "Host": "localhost:{port}"}, 101),
    ],
)
def test_websockets_are_for_its_own_pages(port: int, headers: dict[str, str], status: int) -> None:
    found = {name: value.format(port=port) for name, value in headers.items()}
    assert ask(port, "GET", WEBSOCKET, {**UPGRADE, **found}).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_websockets_change_anything(port: int, method: str) -> None:
    own = {"Origin": f"http://127.0.0.1:{port}"}
    for target in (
        "/",
        "/cache",
        "/_nicegui/client/x/upload/1",
        "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
    ):
        assert ask(port, method, target, own).status == 405, target
    assert ask(port, "GET", "/_nicegui_ws/socket.io/?EIO=4&transport=polling").status == 405


def test_pages_may_load_nothing_from_elsewhere(port: int) -> None:
    got = ask(port, "GET", "/")
    policy = got.headers["content-security-policy"]
    for words in (
        "default-src 'none'",
        "script-src 'self' 'nonce-",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert words in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["referrer-policy"] == "same-origin"
    assert got.headers["access-control-allow-origin"] is None
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert got.body.count(b"<script") == got.body.count(f'<script nonce="{nonce}"'.encode()) > 3
    assert nonce not in ask(port, "GET", "/").headers["content-security-policy"]


def test_nothing_is_left_in_the_folder(shown: Shown) -> None:
    """The library would keep files of its own."""
    assert not list(shown.config.parent.parent.rglob(".nicegui"))
    assert not list(shown.config.parent.rglob("storage-*"))
    assert not Path(".nicegui").exists()


def test_a_page_of_another_origin_cannot_reach_it(context: BrowserContext, shown: Shown) -> None:
    """In a real browser: a page on another port fetches, frames, and opens a socket."""
    looking = Looking(context.new_page(), shown.url)
    page = looking.page
    page.route(
        "http://elsewhere.test/",
        lambda route: route.fulfill(body="<h1>elsewhere</h1>", content_type="text/html"),
    )
    page.goto("http://elsewhere.test/")
    tried = page.evaluate(
        """async (url) => {
            const fetched = await fetch(url + '/cache', {mode: 'no-cors'}).then((r) => r.type, () => 'failed');
            const opened = await new Promise((done) => {
                const path = '/_nicegui_ws/socket.io/?EIO=4&transport=websocket';
                const socket = new WebSocket(url.replace('http', 'ws') + path);
                socket.onopen = () => done('open');
                socket.onerror = () => done('refused');
            });
            return [fetched, opened];
        }""",
        shown.url,
    )
    assert tried[1] == "refused"
    frame = page.evaluate(
        """(url) => new Promise((done) => {
            const frame = document.createElement('iframe');
            frame.onload = () => { try { done(frame.contentDocument ? 'empty' : 'hidden') } catch { done('hidden') } };
            frame.src = url; document.body.append(frame);
        })""",
        shown.url,
    )
    assert frame in ("hidden", "empty")
    assert page.frames[-1].locator("nav.menu").count() == 0


# With a password


@pytest.fixture(scope="module")
def guarded(smartdoh_for_module: RunningProxy) -> int:
    """The port of a dashboard with a password."""
    text = config_of(smartdoh_for_module).read_text()
    return int(text.partition('[dashboard]\n"listen" = "127.0.0.1:')[2].partition('"')[0])


@pytest.fixture(scope="module")
def smartdoh_for_module(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """A second proxy, whose dashboard asks for a password."""
    from tests.servers.smartdoh import start_proxy  # noqa: PLC0415 - beside what uses it

    folder = tmp_path_factory.mktemp("guarded")
    said = subprocess.run(
        [*COMMAND, "dashboard", "password", "--print"],
        input=PASSWORD + "\n",
        capture_output=True,
        text=True,
        check=True,
        env=environment(folder),
    ).stdout.strip()
    port = free_port()
    settings = {
        "groups.main": {"upstreams": ["https://192.0.2.1/dns-query"]},
        "cache": {"dir": "none"},
        "dashboard": {"listen": f"127.0.0.1:{port}", "hosts": ["dns.home.example"], "password_hash": said},
    }
    proxy = start_proxy(settings, folder)
    proxy.process.wait_until(lambda: is_listening(port))
    yield proxy
    proxy.stop()


def log_in(port: int, password: str, **headers: str) -> Got:
    own = {
        "Origin": f"http://127.0.0.1:{port}",
        "Content-Type": "application/x-www-form-urlencoded",
        **headers,
    }
    return ask(port, "POST", "/login", own, urlencode({"password": password}))


def test_without_a_session_there_is_only_the_form(guarded: int) -> None:
    for target in ("/", "/queries", "/nowhere"):
        got = ask(guarded, "GET", target)
        assert (got.status, got.headers["location"]) == (303, "/login")
    for target in ("/_nicegui/3/static/nicegui.js", WEBSOCKET):
        assert ask(guarded, "GET", target).status in (401, 405)
    own = {"Origin": f"http://127.0.0.1:{guarded}"}
    assert ask(guarded, "GET", WEBSOCKET, {**UPGRADE, **own}).status == 403
    form = ask(guarded, "GET", "/login", {"Accept-Language": "zh-CN,zh;q=0.9"})
    assert "密码".encode() in form.body
    assert b"<script" not in form.body
    assert "script-src" not in form.headers["content-security-policy"]


def test_the_password_lets_in(guarded: int) -> None:
    got = log_in(guarded, PASSWORD)
    assert (got.status, got.headers["location"]) == (303, "/")
    cookie = got.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    session = {"Cookie": cookie.partition(";")[0]}
    assert ask(guarded, "GET", "/cache", session).status == 200
    own = {"Origin": f"http://127.0.0.1:{guarded}"}
    assert ask(guarded, "GET", WEBSOCKET, {**UPGRADE, **own, **session}).status == 101
    assert ask(guarded, "POST", "/logout", {**own, **session}).status == 303
    assert ask(guarded, "GET", "/cache", session).status == 303, "the token is no good any more"


def test_behind_https_the_cookie_is_for_https(guarded: int) -> None:
    front = {"Host": "dns.home.example", "Origin": "https://dns.home.example"}
    assert "Secure" in log_in(guarded, PASSWORD, **front).headers["set-cookie"]
    assert log_in(guarded, PASSWORD, Origin="https://evil.example").status == 403
    no_origin = ask(guarded, "POST", "/login", {}, urlencode({"password": PASSWORD}))
    assert no_origin.status == 403


@pytest.mark.parametrize(
    "body", ["", "password=", "password=a&password=b", "x" * 5000, "password=%ff", "a&b&c&d&e&f"]
)
def test_what_is_no_form_of_ours_is_refused(guarded: int, body: str) -> None:
    got = ask(guarded, "POST", "/login", {"Origin": f"http://127.0.0.1:{guarded}"}, body)
    assert got.status in (400, 403)
    assert got.headers["set-cookie"] is None


def test_a_person_logs_in_and_out(context: BrowserContext, guarded: int) -> None:
    page: Page = context.new_page()
    page.set_default_timeout(20 * SECONDS)
    page.goto(f"http://127.0.0.1:{guarded}/rules")
    page.get_by_label("Password").fill("not this one")
    page.get_by_label("Password").press("Enter")
    expect(page.locator(".notice")).to_have_text("This is not the password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("h1")).to_have_text("Overview")
    page.locator("button.leave").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(f"http://127.0.0.1:{guarded}/rules")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_flood_of_passwords_is_slowed_down(guarded: int) -> None:
    """Last here: the address has to wait afterwards, also with the right one."""
    statuses = [log_in(guarded, f"guess {number}").status for number in range(12)]
    assert statuses[-1] == 429
    assert statuses.count(403) <= 6
    got = log_in(guarded, PASSWORD)
    assert got.status == 429
    assert 0 < int(got.headers["retry-after"]) <= 30
    assert got.headers["set-cookie"] is None


# Any address but loopback


def test_another_address_needs_a_password_first(tmp_path: Path) -> None:
    settings = {
        "groups.main": {"upstreams": ["https://192.0.2.1/dns-query"]},
        "dashboard": {"listen": "0.0.0.0:8053"},
    }
    refused = run_to_end(["check"], tmp_path, settings)
    assert refused.status == 2
    assert "dashboard.listen: '0.0.0.0:8053' is not loopback, and there is no password" in refused.output
    kept = subprocess.run(
        [*COMMAND, "dashboard", "password"],
        input=PASSWORD + "\n",
        capture_output=True,
        text=True,
        check=True,
        env=environment(tmp_path),
    )
    file = tmp_path / "state" / "dashboard-password"
    assert str(file) in kept.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("$argon2id$")
    assert run_to_end(["check"], tmp_path, settings).status == 0


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_bad_password_is_not_taken(tmp_path: Path, password: str) -> None:
    done = subprocess.run(
        [*COMMAND, "dashboard", "password"],
        input=password + "\n",
        capture_output=True,
        text=True,
        check=False,
        env=environment(tmp_path),
    )
    assert done.returncode == 2
    assert "characters" in done.stderr
    assert not list((tmp_path / "state").iterdir())
