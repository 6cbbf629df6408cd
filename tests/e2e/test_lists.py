"""Lists while the proxy runs: fetched over the upstreams, judged, watched, compiled aside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.rcode
import pytest

from tests.asked_log import write_log
from tests.conftest import GROUP, StartProxy
from tests.e2e.messages import addresses, error_text, question
from tests.e2e.test_disk import needs_mounts
from tests.servers.certificates import NAME_IN_ZONE
from tests.servers.lists import ListServer
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import RunningProxy
from tests.servers.zone import full_name

FROM_UPSTREAM = ["203.0.113.77"]
NULL = ["0.0.0.0"]
WITHIN = 10.0  # seconds that a list may take to be fetched and compiled on a busy machine
REFRESH = "1s"


def sections(file: Path, **more: Any) -> dict[str, Any]:
    return {
        "routing": {"default": GROUP, "rules": [{"list": "blocked", "action": "block"}]},
        "lists.blocked": {"file": str(file), "format": "domains", **more},
    }


def soon(ask: Callable[[], object], wanted: object, seconds: float = WITHIN) -> None:
    end = time.monotonic() + seconds
    while (got := ask()) != wanted:
        assert time.monotonic() < end, f"still {got}"
        time.sleep(0.05)


def asking(proxy: RunningProxy, name: str) -> Callable[[], list[str]]:
    return lambda: addresses(proxy.udp(question(f"{name}.wild")))


def test_a_local_list_blocks_from_the_first_question(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    file = tmp_path / "blocked.txt"
    file.write_text(f"# mine\n{full_name('bad.wild')}\n".replace(".\n", "\n"))
    proxy = smartdoh(upstream.url, sections=sections(file))
    answer = proxy.udp(question("x.bad.wild"))
    assert addresses(answer) == NULL
    assert "blocked line 2" in error_text(answer)
    assert asking(proxy, "good")() == FROM_UPSTREAM


def test_a_changed_local_list_is_in_force_soon(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    file = tmp_path / "blocked.txt"
    file.write_text("nothing.example\n")
    proxy = smartdoh(upstream.url, sections=sections(file))
    assert asking(proxy, "bad")() == FROM_UPSTREAM
    file.write_text(f"nothing.example\n{full_name('bad.wild').rstrip('.')}\n")
    soon(asking(proxy, "bad"), NULL)


@needs_mounts
def test_a_local_list_in_a_folder_that_is_not_to_be_written_to(
    smartdoh: StartProxy, upstream: ScriptedServer, tmp_path: Path
) -> None:
    """As /etc is for a service: its compiled form lies in the state directory then."""
    folder = tmp_path / "etc"
    folder.mkdir()
    file = folder / "blocked.txt"
    file.write_text(f"{full_name('bad.wild')}\n".replace(".\n", "\n"))
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    prefix = ["unshare", "--mount", "sh", "-c", script, str(folder)]
    proxy = smartdoh(upstream.url, sections=sections(file), prefix=prefix)
    assert asking(proxy, "bad")() == NULL
    assert list(folder.iterdir()) == [file]
    assert "list is missing" not in proxy.log


def test_a_list_is_fetched_by_way_of_the_upstreams(
    smartdoh: StartProxy, upstream: ScriptedServer, list_server: ListServer, tmp_path: Path
) -> None:
    """Found by the group's own servers, kept, asked for again with its ETag, and there after a restart."""
    file = tmp_path / "kept" / "blocked.txt"
    list_server.put(full_name("bad.wild").rstrip("."))
    how = sections(file, url=list_server.url, refresh=REFRESH)
    proxy = smartdoh(upstream.url, sections=how)
    soon(asking(proxy, "bad"), NULL)
    assert upstream.asked(NAME_IN_ZONE, "A") >= 1
    soon(lambda: (304, list_server.etag) in list_server.asked, True)
    list_server.put(full_name("bad.wild").rstrip("."), full_name("worse.wild").rstrip("."))
    soon(asking(proxy, "worse"), NULL)
    proxy.kill()
    list_server.status = 500
    list_server.etag = ""
    again = smartdoh(upstream.url, sections=how)
    assert asking(again, "worse")() == NULL
    soon(lambda: "HTTP 500" in again.log, True)
    assert asking(again, "worse")() == NULL


def test_a_bad_list_is_set_aside(
    smartdoh: StartProxy, upstream: ScriptedServer, list_server: ListServer, tmp_path: Path
) -> None:
    file = tmp_path / "blocked.txt"
    many = [f"n{number}.example" for number in range(300)]
    list_server.put(*many, full_name("bad.wild").rstrip("."))
    canary = full_name("one").rstrip(".")
    proxy = smartdoh(
        upstream.url, sections=sections(file, url=list_server.url, refresh=REFRESH, canaries=[canary])
    )
    soon(asking(proxy, "bad"), NULL)
    for lines, why in (
        (["<html>Sorry</html>"], "no usable line"),
        (many[:20], "shrank from 301 to 20"),
        ([f"n{number}.example" for number in range(2000)], "grew from 301 to 2000"),
        ([*many, canary], f"it has {canary} on it (line 301)"),
    ):
        list_server.put(*lines)
        soon(lambda why=why: why in proxy.log, True)  # type: ignore[misc]
        assert asking(proxy, "bad")() == NULL
        assert why in file.with_name("blocked.txt.rejected.why").read_text()
    assert addresses(proxy.udp(question("one"))) == ["203.0.113.1"]


@pytest.mark.parametrize(
    ("on_missing", "rcode"), [("open", dns.rcode.NOERROR), ("closed", dns.rcode.REFUSED)]
)
def test_a_first_start_without_the_list(
    smartdoh: StartProxy,
    upstream: ScriptedServer,
    list_server: ListServer,
    tmp_path: Path,
    on_missing: str,
    rcode: dns.rcode.Rcode,
) -> None:
    list_server.status = 404
    how = sections(tmp_path / "blocked.txt", url=list_server.url, refresh=REFRESH, on_missing=on_missing)
    proxy = smartdoh(upstream.url, sections=how)
    soon(lambda: "HTTP 404" in proxy.log, True)
    assert "list is missing" in proxy.log
    assert proxy.udp(question("bad.wild")).rcode() == rcode
    list_server.status = 200
    list_server.put(full_name("bad.wild").rstrip("."))
    soon(asking(proxy, "bad"), NULL, seconds=40)
    assert asking(proxy, "good")() == FROM_UPSTREAM


def test_a_list_that_is_too_large_is_refused(
    smartdoh: StartProxy, upstream: ScriptedServer, list_server: ListServer, tmp_path: Path
) -> None:
    list_server.put(*(f"n{number}.example" for number in range(10_000)))
    how = sections(tmp_path / "blocked.txt", url=list_server.url, refresh=REFRESH, largest=2048)
    proxy = smartdoh(upstream.url, sections=how)
    soon(lambda: "list not updated" in proxy.log, True)
    problems = [json.loads(line) for line in proxy.log.splitlines() if "list not updated" in line]
    assert "aximum file size" in problems[0]["problem"]
    assert not (tmp_path / "blocked.txt").exists()


def test_another_server_with_the_lists_name_is_not_believed(
    smartdoh: StartProxy, upstream: ScriptedServer, list_server: ListServer, tmp_path: Path
) -> None:
    """The certificate has to be the host's: a URL by another name of the same server is refused."""
    list_server.put("bad.example")
    url = list_server.url.replace(NAME_IN_ZONE.rstrip("."), "127.0.0.2")
    proxy = smartdoh(upstream.url, sections=sections(tmp_path / "l.txt", url=url, refresh=REFRESH))
    soon(lambda: "list not updated" in proxy.log, True)
    assert list_server.asked == []


def test_a_list_that_blocks_what_is_asked_most_is_set_aside(
    smartdoh: StartProxy, upstream: ScriptedServer, list_server: ListServer, tmp_path: Path
) -> None:
    """The guard replays the query log; the reason names the busiest, and what was in force stays so."""
    busy, file = full_name("good.wild").rstrip("."), tmp_path / "blocked.txt"
    write_log(tmp_path, [(busy, 1, "192.0.2.1", 1000), (full_name("x"), 1, "192.0.2.1", 3000)])
    list_server.put(full_name("bad.wild").rstrip("."))
    how = sections(file, url=list_server.url, refresh=REFRESH)
    proxy = smartdoh(upstream.url, sections=how | {"query_log": {"enabled": True, "dir": str(tmp_path)}})
    soon(asking(proxy, "bad"), NULL)
    list_server.put(full_name("bad.wild").rstrip("."), busy)
    soon(lambda: f"newly blocked {busy} (1000)" in proxy.log, True, seconds=30)
    assert asking(proxy, "good")() == FROM_UPSTREAM
    assert asking(proxy, "bad")() == NULL
    assert "25% of the questions" in file.with_name("blocked.txt.rejected.why").read_text()
    list_server.put(full_name("worse.wild").rstrip("."))
    soon(asking(proxy, "worse"), NULL, seconds=30)
