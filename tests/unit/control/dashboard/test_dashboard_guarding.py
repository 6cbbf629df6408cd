"""The guard's parts, with a clock that is moved: origins, sessions, tries, the password."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from smartdoh.config.places import PASSWORD_FILE
from smartdoh.control.dashboard import sessions as sessions_of
from smartdoh.control.dashboard.guard import MOST_PAGES, Guard, token_of
from smartdoh.control.dashboard.headers import marked, policy
from smartdoh.control.dashboard.limits import ALL, EACH, EACH_BACK, MOST_PROVEN, Tries, subscriber
from smartdoh.control.dashboard.origins import Origins
from smartdoh.control.dashboard.password import Secret, hashed, is_right, keep, refusal
from smartdoh.control.dashboard.sessions import IDLE, LONGEST, MOST, Sessions


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("listen", "host", "is_known"),
    [
        ("127.0.0.1", "127.0.0.1:8053", True),
        ("127.0.0.1", "localhost.", True),
        ("127.0.0.1", "dns.example:443", True),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "192.168.1.2", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "127.0.0.1@evil.example", False),
        ("127.0.0.1", "[::1", False),
        ("::1", "[0:0:0:0:0:0:0:1]:8053", True),
        ("0.0.0.0", "192.168.1.2:8053", True),
        ("0.0.0.0", "[fd00::1]", True),
        ("0.0.0.0", "evil.example", False),
        ("::", "192.168.1.2.evil.example", False),
    ],
)
def test_names_that_are_its_own(listen: str, host: str, is_known: bool) -> None:
    """Where it listens on every address, any of them is right: no name is made to lead here by those."""
    assert (Origins(listen, ("dns.example",)).problem("GET", {"host": host}) == "") is is_known


@pytest.mark.parametrize(
    ("origin", "is_own"),
    [
        ("http://127.0.0.1:8053", True),
        ("https://dns.example", True),
        ("http://127.0.0.1", False),
        ("http://127.0.0.1:80", False),
        ("file://127.0.0.1:8053", False),
        ("null", False),
        ("", False),
        ("http://[", False),
        ("https://dns.example.evil.example", False),
    ],
)
def test_origins_that_are_its_own(origin: str, is_own: bool) -> None:
    origins = Origins("127.0.0.1", ("dns.example",))
    headers = {"host": "127.0.0.1:8053", "origin": origin}
    for problem in (
        origins.problem("GET", headers),
        origins.problem("POST", headers),
        origins.problem("GET", headers, is_websocket=True),
    ):
        assert (problem == "") is is_own


def test_sessions_end(clock: Clock) -> None:
    sessions = Sessions(clock)
    token = sessions.begin("hash")
    assert sessions.is_good(token, "hash")
    assert not sessions.is_good(token + "x", "hash")
    assert not sessions.is_good("", "hash")
    while clock.now < LONGEST - IDLE:
        clock.now += IDLE - 1
        assert sessions.is_good(token, "hash")
    clock.now += IDLE - 1
    assert not sessions.is_good(token, "hash"), "after a week, however busy"
    idle = sessions.begin("hash")
    clock.now += IDLE + 1
    assert not sessions.is_good(idle, "hash")
    assert len(sessions) == 0


def test_another_password_ends_sessions(clock: Clock) -> None:
    sessions = Sessions(clock)
    token = sessions.begin("hash")
    assert not sessions.is_good(token, "another")
    assert not sessions.is_good(token, "hash"), "for good"


def test_sessions_are_bounded_and_hard_to_guess(clock: Clock) -> None:
    sessions = Sessions(clock)
    tokens = []
    for _ in range(MOST + 1):
        clock.now += 1
        tokens.append(sessions.begin("hash"))
    assert len(sessions) == MOST
    assert not sessions.is_good(tokens[0], "hash")
    assert sessions.is_good(tokens[1], "hash")
    assert all(len(token) >= 40 for token in tokens)
    assert sessions_of.TOKEN >= 32


def tries_left(tries: Tries, address: Callable[[int], str], most: int) -> int:
    return sum(tries.wait(address(number)) == 0.0 for number in range(most))


def test_tries_of_one_address(clock: Clock) -> None:
    tries = Tries(clock)
    assert tries_left(tries, lambda _: "192.0.2.1", 20) == EACH
    assert 0 < tries.wait("192.0.2.1") <= EACH_BACK
    assert tries.wait("192.0.2.2") == 0.0
    clock.now += EACH_BACK
    assert tries_left(tries, lambda _: "192.0.2.1", 20) == 1


def test_tries_of_all_together(clock: Clock) -> None:
    tries = Tries(clock)
    assert tries_left(tries, lambda number: f"192.0.2.{number}", 200) == ALL
    assert tries_left(Tries(clock), lambda number: f"2001:db8::{number:x}", 200) == EACH, "one subscriber"


def test_a_right_password_costs_nothing(clock: Clock) -> None:
    tries = Tries(clock)
    for _ in range(100):
        assert tries.wait("192.0.2.1") == 0.0
        tries.give_back("192.0.2.1")


def test_what_counts_as_one() -> None:
    assert subscriber("2001:db8::1") == subscriber("2001:db8::ffff%eth0") != subscriber("2001:db8:0:1::1")
    assert subscriber("nonsense") == ""


def test_passwords(tmp_path: Path) -> None:
    secret = Secret("", tmp_path, is_needed=False)
    assert not secret.is_asked_for
    path = keep(tmp_path, hashed("correct horse"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret.is_asked_for, "at once"
    assert is_right("correct horse", secret.hash)
    assert not is_right("correct horsf", secret.hash)
    first = secret.hash
    keep(tmp_path, hashed("another one"))
    assert secret.hash != first
    assert Secret("$argon2id$x", tmp_path, is_needed=False).hash == "$argon2id$x", "the config's comes first"
    path.unlink()
    assert not secret.is_asked_for
    assert Secret("", tmp_path, is_needed=True).is_asked_for, "nobody gets in, instead of everybody"


def test_a_file_that_cannot_be_read_lets_nobody_in(tmp_path: Path) -> None:
    path = keep(tmp_path, "")
    assert Secret("", tmp_path, is_needed=False).is_asked_for
    path.unlink()
    path.mkdir()
    assert Secret("", tmp_path, is_needed=False).is_asked_for
    assert not is_right("", Secret("", tmp_path, is_needed=False).hash)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_what_is_no_password(password: str) -> None:
    assert refusal(password)


@pytest.mark.parametrize(
    ("pages", "path", "status"), [(MOST_PAGES, "/", 503), (0, "/", 200), (MOST_PAGES, "/login", 200)]
)
def test_pages_are_bounded(tmp_path: Path, clock: Clock, pages: int, path: str, status: int) -> None:
    secret = Secret("", tmp_path, is_needed=False)
    origins = Origins("127.0.0.1", ())
    guard = Guard(PlainTextResponse("a page"), origins, secret, Sessions(clock), lambda: pages)
    said: list[Any] = []

    async def ask() -> None:
        async def send(message: Any) -> None:
            said.append(message)

        async def receive() -> Any:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")]}
        await guard(scope, receive, send)

    asyncio.run(ask())
    assert said[0]["status"] == status
    assert (b"x-content-type-options", b"nosniff") in said[0]["headers"]


def test_scripts_are_marked_and_nothing_else() -> None:
    page = b'<script>a</script><script src="x"></script><scripting>&lt;script>'
    assert (
        marked(page, "w")
        == b'<script nonce="w">a</script><script nonce="w" src="x"></script><scripting>&lt;script>'
    )


def test_a_host_cannot_change_the_policy() -> None:
    assert "evil" not in policy("w", "127.0.0.1; script-src evil")
    assert "ws://127.0.0.1:8053" in policy("w", "127.0.0.1:8053")


@pytest.mark.parametrize(
    "others", ['theme={"dark": 1}', "a b", "foo[bar]=1", 'x="a\\"', "=", "Path=/", "smartdoh_session_=y"]
)
def test_cookies_of_other_servers_log_nobody_out(others: str) -> None:
    """Browsers send what any server of this host has set, whatever its port."""
    for cookie in (f"{others}; smartdoh_session=token", f"smartdoh_session=token; {others}"):
        assert token_of(Headers({"cookie": cookie})) == "token"
    assert token_of(Headers({"cookie": others})) == ""


def test_a_password_file_that_cannot_be_looked_at_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / PASSWORD_FILE
    path.symlink_to(path)
    secret = Secret("", tmp_path, is_needed=False)
    assert secret.is_asked_for
    assert not is_right("", secret.hash)
    path.unlink()
    assert not secret.is_asked_for


def test_tries_of_others_keep_nobody_out_who_had_the_password(clock: Clock) -> None:
    tries = Tries(clock)
    assert tries.wait("192.0.2.1") == 0.0
    tries.give_back("192.0.2.1")
    assert tries_left(tries, lambda number: f"198.51.100.{number}", 2 * ALL) == ALL
    assert tries.wait("192.0.2.2") > 0.0
    assert tries_left(tries, lambda _: "192.0.2.1", 2 * EACH) == EACH, "no more than anybody"
    for number in range(MOST_PROVEN):
        tries.give_back(f"203.0.113.{number}")
    clock.now += EACH * EACH_BACK
    assert tries_left(tries, lambda number: f"198.51.100.{number}", 2 * ALL) == ALL
    assert tries.wait("192.0.2.1") > 0.0, "too many have been right since"
