"""The keeper: one look at a list at a time, joined by who comes meanwhile; local files read again on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest

from smartdoh.app.lists import keeper as keeping
from smartdoh.app.lists import update as updating
from smartdoh.app.lists.fetch import Fetched, FetchError, Validators, Way
from smartdoh.app.lists.keeper import ListKeeper
from smartdoh.app.lists.progress import Outcome, Progress
from smartdoh.config import Settings, parse
from smartdoh.errors import NetworkDown
from smartdoh.rules.lists import NameSet
from smartdoh.tasks import Tasks
from smartdoh.upstream.trust import TrustStore
from tests.in_loop import in_loop

URL = "https://lists.example/list.txt"


async def found_nowhere(host: str) -> tuple[str, ...]:
    raise NetworkDown(f"{host} is nowhere")


class Sender:
    """Stands where lists come from: gives what it has when it may."""

    def __init__(self) -> None:
        self.content = b"a.example\n"
        self.fetches = 0
        self.begun = asyncio.Event()
        self.may_send = asyncio.Event()
        self.many = asyncio.Event()  # is set by the fourth fetch

    async def fetch(
        self, _url: str, _way: Way, _known: Validators, _largest: int, tell: Callable[[int, int], None]
    ) -> Fetched:
        self.fetches += 1
        self.begun.set()
        if self.fetches == 4:
            self.many.set()
        tell(5, 10)
        await self.may_send.wait()
        if not self.content:
            raise FetchError("HTTP 500")
        return Fetched(self.content, Validators())


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Sender:
    found = Sender()
    monkeypatch.setattr(updating, "fetch", found.fetch)
    return found


class Force:
    """Counts how often lists are put in force."""

    def __init__(self) -> None:
        self.puts: list[dict[str, int]] = []

    def __call__(self, lists: Mapping[str, NameSet | None]) -> None:
        self.puts.append({name: names.report.used for name, names in lists.items() if names is not None})


def settings_in(folder: Path, url: str = URL) -> Settings:
    with_url = f'url = "{url}"' if url else ""
    return parse(
        f"""
[groups.main]
upstreams = ["https://192.0.2.1"]
[lists.l]
{with_url}
file = "{folder / "l.txt"}"
format = "domains"
"""
    )


def keeper_of(settings: Settings, force: Force) -> ListKeeper:
    way = Way(found_nowhere, cast(TrustStore, None))  # nothing is fetched with it
    return ListKeeper(
        settings.lists, {name: way for name, found in settings.lists.items() if found.url}, force
    )


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


@in_loop
async def test_who_comes_meanwhile_joins(tmp_path: Path, sender: Sender) -> None:
    force = Force()
    keeper = keeper_of(settings_in(tmp_path), force)
    told: dict[str, list[Progress]] = {"first": [], "second": []}
    first = asyncio.create_task(keeper.update("l", lambda _, progress: told["first"].append(progress)))
    await sender.begun.wait()
    assert keeper.is_under_way("l")
    second = asyncio.create_task(keeper.update("l", lambda _, progress: told["second"].append(progress)))
    await turns()
    sender.may_send.set()
    assert set(await asyncio.gather(first, second)) == {Outcome("updated")}
    assert sender.fetches == 1
    assert force.puts == [{"l": 1}]
    assert [progress.phase for progress in told["first"]] == ["fetching", "fetching", "compiling", "judging"]
    assert told["first"][1] == Progress("fetching", 5, 10)
    assert told["second"] == told["first"][1:], "how far it was, and the rest"
    assert not keeper.is_under_way("l")


@in_loop
async def test_who_joined_goes_on_alone_where_the_first_is_broken_off(tmp_path: Path, sender: Sender) -> None:
    keeper = keeper_of(settings_in(tmp_path), Force())
    first = asyncio.create_task(keeper.update("l"))
    await sender.begun.wait()
    second = asyncio.create_task(keeper.update("l"))
    await turns()
    first.cancel()
    sender.may_send.set()
    assert await second == Outcome("updated")
    assert sender.fetches == 2


@in_loop
async def test_the_same_content_is_no_update(tmp_path: Path, sender: Sender) -> None:
    """From a server that does not tell versions apart: answers that were kept stay kept."""
    sender.may_send.set()
    force = Force()
    keeper = keeper_of(settings_in(tmp_path), force)
    assert await keeper.update("l") == Outcome("updated")
    assert await keeper.update("l") == Outcome("unchanged")
    sender.content = b"a.example\nb.example\n"
    assert await keeper.update("l") == Outcome("updated")
    assert force.puts == [{"l": 1}, {"l": 2}]


@in_loop
async def test_what_another_process_has_put_there_is_taken_up(tmp_path: Path, sender: Sender) -> None:
    sender.may_send.set()
    settings, force = settings_in(tmp_path), Force()
    keeper, other = keeper_of(settings, force), keeper_of(settings, Force())
    await keeper.update("l")
    sender.content = b"a.example\nb.example\n"
    assert await other.update("l") == Outcome("updated")
    assert await keeper.update("l") == Outcome("updated")
    assert force.puts == [{"l": 1}, {"l": 2}]


@in_loop
async def test_a_failure_keeps_the_list_and_is_tried_again_sooner(tmp_path: Path, sender: Sender) -> None:
    sender.may_send.set()
    keeper = keeper_of(settings_in(tmp_path), Force())
    state, now = keeper.states["l"], asyncio.get_running_loop().time
    await keeper.update("l")
    assert state.due is not None
    assert state.due - now() == pytest.approx(86_400, abs=60)
    sender.content = b""
    assert await keeper.update("l") == Outcome("failed", "HTTP 500")
    assert (state.problem, state.failures) == ("HTTP 500", 1)
    assert 0 < state.due - now() <= keeping.FIRST_PAUSE
    assert state.names is not None
    sender.content = b"<html>\n"
    outcome = await keeper.update("l")
    assert outcome.result == "set aside"
    assert "no usable line" in outcome.why
    assert keeping.FIRST_PAUSE < state.due - now() <= 2 * keeping.FIRST_PAUSE
    sender.content = b"a.example\n"
    assert await keeper.update("l") == Outcome("unchanged")
    assert (state.problem, state.failures, state.files.aside()) == ("", 0, None)


@in_loop
async def test_a_look_by_hand_moves_the_next_one(tmp_path: Path, sender: Sender) -> None:
    """A keeper that waits for a day looks again soon after one by hand has failed."""
    sender.may_send.set()
    keeper = keeper_of(settings_in(tmp_path), Force())
    await keeper.update("l")
    bugs: list[BaseException] = []
    tasks = Tasks(lambda name, error: bugs.append(error))
    keeper.follow(tasks)
    await turns()
    sender.content = b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "FIRST_PAUSE", 0.001)
        await keeper.update("l")
        await sender.many.wait()
    await tasks.aclose()
    assert not bugs


@in_loop
async def test_another_network_ends_the_pause_of_what_failed(tmp_path: Path, sender: Sender) -> None:
    """And of nothing else: a list that is well is looked at when it is due."""
    sender.may_send.set()
    keeper = keeper_of(settings_in(tmp_path), Force())
    state = keeper.states["l"]
    await keeper.update("l")
    due = state.due
    keeper.hurry()
    assert state.due == due
    sender.content = b""
    for _ in range(5):
        await keeper.update("l")
    keeper.hurry()
    assert state.due is not None
    assert state.due <= asyncio.get_running_loop().time()
    assert state.rescheduled.is_set()
    await keeper.update("l")
    assert state.failures == 1


@in_loop
async def test_a_list_without_a_url_is_read_again(tmp_path: Path) -> None:
    force = Force()
    keeper = keeper_of(settings_in(tmp_path, url=""), force)
    outcome = await keeper.update("l")
    assert (outcome.result, "no file" in outcome.why) == ("failed", True)
    (tmp_path / "l.txt").write_text("a.example\n")
    assert await keeper.update("l") == Outcome("updated")
    assert await keeper.update("l") == Outcome("unchanged")
    (tmp_path / "l.txt").write_text("a.example\nb.example\n")
    assert await keeper.update("l") == Outcome("updated")
    assert force.puts == [{"l": 1}, {"l": 2}]
    assert keeper.states["l"].due is None
