"""Looks at lists as the API tells of them: in order, all of them, and again where there is nothing new."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartdoh.app.build import build
from smartdoh.config import parse
from smartdoh.control.api import lists
from smartdoh.control.api.lists import known, updating
from smartdoh.errors import ConfigError
from smartdoh.tasks import Tasks
from tests.in_loop import in_loop

CONFIG = """
[groups.main]
upstreams = ["https://192.0.2.1"]
[lists.one]
file = "{0}/one.txt"
format = "domains"
[lists.two]
file = "{0}/two.txt"
format = "domains"
"""


def unreported(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


@in_loop
async def test_who_waits_hears_again_how_far_those_are_that_are_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One list is done, another waits for its lock: silence would look like a proxy that hangs."""
    monkeypatch.setattr(lists, "BEAT", 0.001)
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text("a.example\n")
    runtime = build(parse(CONFIG.format(tmp_path)), Tasks(unreported))
    files = runtime.lists.states["two"].files
    held = files.alone(lambda _: None)
    await held.__aenter__()
    monkeypatch.setattr("smartdoh.app.lists.store.LOOK_EVERY", 3600.0)
    seen = []
    async for event in updating(runtime, ["one", "two"]):
        seen.append(event)
        done = [found for found in seen if "outcome" in found]
        waits = [found for found in seen if "phase" in found and found["phase"] == "waiting"]
        if done and len(waits) >= 3:
            await runtime.tasks.aclose()  # as a reload does
    outcomes = {found["list"]: (found["outcome"], found["why"]) for found in seen if "outcome" in found}
    assert outcomes["one"] == ("updated", "")
    assert outcomes["two"][0] == "failed"
    assert "broken off" in outcomes["two"][1]
    await held.__aexit__(None, None, None)
    await runtime.aclose()


@pytest.mark.parametrize(
    ("name", "names", "hint"),
    [
        ("gfwlsit", ["gfwlist", "ads"], "did you mean 'gfwlist'?"),
        ("x", ["gfwlist", "ads"], "there are: gfwlist, ads"),
        ("x", [], "the config has none"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(name: str, names: list[str], hint: str) -> None:
    with pytest.raises(ConfigError, match=r"NAME: 'x|NAME: 'gfwlsit") as told:
        known(name, names)
    assert hint in str(told.value)
    assert [known(one, names) for one in names] == names
