"""The ledger of what left, leaks, and what if: one proxy with two groups, whose query log all of them read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from smartdoh.control.client import Proxy
from smartdoh.control.failures import RefusedError
from tests.conftest import settings_for
from tests.e2e.commands import config_of, run, socket_of
from tests.e2e.messages import question
from tests.e2e.waiting import until
from tests.servers.certificates import Authority
from tests.servers.scripted import ScriptedServer
from tests.servers.smartdoh import COMMAND, RunningProxy, environment, start_proxy
from tests.servers.zone import full_name


class Stage:
    """A proxy that sends what is on the list `far` to a group of its own, and blocks what is on `ads`."""

    def __init__(self, proxy: RunningProxy, folder: Path) -> None:
        self.proxy = proxy
        self.folder = folder

    @property
    def api(self) -> Proxy:
        return Proxy(socket_of(self.proxy))

    def leaks(self, name: str) -> Any:
        """As the command line has them."""
        (found,) = json.loads(run(self.proxy, "leaks", "--list", name, "--json").stdout)["lists"]
        return found

    def whatif(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        config = config_of(self.proxy)
        done = subprocess.run(
            [*COMMAND, "whatif", *arguments, "--present", str(config)],
            env=environment(config.parent),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        return done


def wild(name: str) -> str:
    return full_name(f"{name}.wild")


@pytest.fixture(scope="module")
def stage(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """What is asked, and where it went: near to main, y to far, bad nowhere; then the lists change."""
    folder = tmp_path_factory.mktemp("leaks")
    (folder / "far.txt").write_text(f"{wild('y')}\n".replace(".\n", "\n"))
    (folder / "ads.txt").write_text(f"{wild('bad')}\n".replace(".\n", "\n"))
    with ExitStack() as stack:
        main, far = (stack.enter_context(ScriptedServer(authority.good)) for _ in range(2))
        more = {
            "groups.far": {"upstreams": [far.url], "ca_file": authority.ca_file},
            "routing": {
                "default": "main",
                "rules": [{"list": "ads", "action": "block"}, {"list": "far", "group": "far"}],
            },
            "lists.far": {"file": str(folder / "far.txt")},
            "lists.ads": {"file": str(folder / "ads.txt")},
            "lists.unused": {"file": str(folder / "unused.txt")},
            "query_log": {"enabled": True},
        }
        proxy = start_proxy(settings_for(main.url, authority=authority, sections=more), folder)
        stack.callback(proxy.stop)
        for name, times in (("near", 3), ("y", 2), ("bad", 4), ("x", 1)):
            for _ in range(times):
                proxy.udp(question(f"{name}.wild"))
        proxy.udp(question("near.wild", "AAAA"))
        found = Stage(proxy, folder)
        until(lambda: found.leaks("far")["names"] == 3)
        (folder / "far.txt").write_text(f"{wild('y')}\n{wild('near')}\n".replace(".\n", "\n"))
        until(lambda: found.api.get("/explain?name=" + wild("near"))["decision"]["group"] == "far")
        yield found


def test_a_name_that_a_list_has_got_since(stage: Stage) -> None:
    """It went to the other group before: it is named, and told apart from one that went there afterwards."""
    found = stage.leaks("far")
    (leak,) = found["leaked"]
    assert (leak["name"], leak["group"], leak["count"]) == (wild("near"), "main", 2)
    assert leak["since_change"] is False
    assert leak["first"] <= leak["last"] <= found["changed"]
    assert (found["group"], found["names"], found["listed"]) == ("far", 3, 2)


def test_the_endpoint_says_the_same(stage: Stage) -> None:
    assert stage.api.get("/leaks?list=far") == stage.leaks("far")
    for target, why in (
        ("/leaks?list=fart", "did you mean 'far'"),
        ("/leaks?list=unused", "no rule uses the list"),
        ("/leaks", "missing"),
        ("/leaks?list=far&limit=0", "limit"),
    ):
        with pytest.raises(RefusedError, match=why):
            stage.api.get(target)


def test_every_list_for_people(stage: Stage) -> None:
    """A blocked name that was never sent anywhere is no leak."""
    text = run(stage.proxy, "leaks").stdout
    ads = text.index("list ads, whose names are blocked")
    far = text.index("list far, whose names are for group far")
    assert "none of them was sent elsewhere" in text[min(ads, far) :]
    assert wild("near") in text
    assert "no, before" in text
    assert "is no list" in run(stage.proxy, "leaks", "--list", "other", status=2).stderr


def test_what_if_a_list_had_more_on_it(stage: Stage) -> None:
    """Newly blocked and no longer blocked, the busiest first, with who asked; read without the proxy's help."""
    new = stage.folder / "new" / "ads.txt"
    new.parent.mkdir(exist_ok=True)
    new.write_text(f"{wild('near')}\n{wild('x')}\n".replace(".\n", "\n"))
    found = json.loads(stage.whatif("--list", str(new), "--json").stdout)
    assert [(one["name"], one["change"], one["count"]) for one in found["changes"]] == [
        (wild("bad"), "unblocked", 4),
        (wild("near"), "blocked", 4),
        (wild("x"), "blocked", 1),
    ]
    near = found["changes"][1]
    assert (near["types"], near["clients"], near["before"], near["after"]) == (
        ["A", "AAAA"],
        1,
        "group far",
        "blocked",
    )
    assert (near["list"], near["line"]) == ("ads", 1)
    assert found["questions"] == 11
    assert found["changed"]["blocked"] == {"names": 2, "questions": 5}
    text = stage.whatif("--list", str(new), "--limit", "1").stdout
    assert "newly blocked: 2 names, 5 questions" in text
    assert "and 2 names more" in text


def test_what_if_another_config_were_in_force(stage: Stage) -> None:
    other = stage.folder / "other.toml"
    text = config_of(stage.proxy).read_text().replace('{ "list" = "ads", "action" = "block" }, ', "")
    other.write_text(text)
    found = json.loads(stage.whatif("--config", str(other), "--json").stdout)
    assert [(one["name"], one["before"], one["after"]) for one in found["changes"]] == [
        (wild("bad"), "blocked", "group main")
    ]
    assert "nothing would change" in stage.whatif("--config", str(config_of(stage.proxy))).stdout


def test_what_cannot_be_answered(stage: Stage) -> None:
    for arguments, why in (
        ((), "needs either --list FILE or --config FILE"),
        (("--list", "nothing.txt"), "say which list is meant: far, ads, unused"),
        (("--list", "nothing.txt", "--name", "adds"), "did you mean 'ads'"),
        (("--list", "nothing.txt", "--name", "ads"), "cannot be used"),
        (("--config", "nothing.toml"), "nothing.toml"),
    ):
        assert why in stage.whatif(*arguments, status=2).stderr
