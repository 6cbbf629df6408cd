"""What a reload takes over from the runtime before: connections, health, the table, rankings; and what it does not."""

import asyncio
import gc
import os
import shutil
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from smartdoh import config
from smartdoh.app.build import build
from smartdoh.app.runtime import Runtime
from smartdoh.app.server import Server
from smartdoh.errors import ConfigError
from smartdoh.tasks import Tasks
from tests.scenario.messages import question
from tests.scenario.world import Datagrams
from tests.servers.certificates import Authority
from tests.servers.ports import free_port

ONE, TWO, THREE = (f"https://192.0.2.{n}/dns-query" for n in (1, 2, 3))
RELOADS = 200

Again = Callable[[str], Runtime]


def text(upstreams: tuple[str, ...] = (ONE, TWO), group: str = "", rest: str = "") -> str:
    quoted = ", ".join(f'"{url}"' for url in upstreams)
    return f"{rest}\n[groups.main]\nupstreams = [{quoted}]\n{group}\n"


def reloaded(folder: Path, before: str, look: Callable[[Runtime, Again], Awaitable[None]]) -> None:
    """Build, and build again on top of what is there; at the end all is closed in the order of the reloads."""

    async def play() -> None:
        bugs: list[BaseException] = []
        made: list[Runtime] = []

        def again(words: str) -> Runtime:
            tasks = Tasks(lambda name, error: bugs.append(error))
            present = made[-1] if made else None
            made.append(build(config.parse(words, folder=folder), tasks, present=present))
            made[-1].start()
            return made[-1]

        try:
            await look(again(before), again)
        finally:
            for old, new in zip(made, [*made[1:], None], strict=True):
                await old.aclose(new)
        assert not bugs
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())


def test_the_same_config_takes_over_everything(tmp_path: Path) -> None:
    async def look(old: Runtime, again: Again) -> None:
        old.groups["main"].questions = 7
        new = again(text())
        assert new.fast is old.fast
        assert new.groups["main"] is old.groups["main"]
        assert new.upstreams.bootstrap is old.upstreams.bootstrap
        assert new.timing._prober is old.timing._prober
        assert len(old.parts.without(new.parts)) == 0

    reloaded(tmp_path, text(), look)


def test_another_rate_is_in_force_at_once_and_the_same_changes_nothing(tmp_path: Path) -> None:
    def limited(runtime: Runtime, count: int) -> int:
        """How many more questions of one client are over the limit."""
        before, datagrams = runtime.fast.statistics().limited, Datagrams()
        datagrams.waiting.extend([(question(), ("192.168.1.7", 5353))] * count)
        runtime.fast.drain(datagrams)
        return runtime.fast.statistics().limited - before

    async def look(old: Runtime, again: Again) -> None:
        slow = text(rest="[listen]\nrate = 1\nburst = 3")
        assert limited(old, 10) == 0
        assert limited(again(slow), 10) == 7
        assert limited(again(slow), 2) == 2
        assert limited(again(text()), 10) == 0

    reloaded(tmp_path, text(), look)


def test_an_upstream_more_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    async def look(old: Runtime, again: Again) -> None:
        old.groups["main"].questions = 7
        new = again(text((THREE, TWO, ONE)))
        third, second, first = new.groups["main"].members
        assert (first, second) == old.groups["main"].members
        assert third.name == "192.0.2.3"
        assert new.groups["main"].questions == 7

    reloaded(tmp_path, text(), look)


@pytest.mark.parametrize("group", ['strategy = "parallel"', "hedge_percent = 0", 'fastest_ip = "first"'])
def test_another_way_of_asking_keeps_the_connections(tmp_path: Path, group: str) -> None:
    async def look(old: Runtime, again: Again) -> None:
        assert again(text(group=group)).groups["main"].members == old.groups["main"].members

    reloaded(tmp_path, text(), look)


@pytest.mark.parametrize("group", ['timeout = "1s"', 'via = "socks5://127.0.0.1:1"', "trust_ad = false"])
def test_what_a_connection_was_made_with_makes_others(tmp_path: Path, group: str) -> None:
    async def look(old: Runtime, again: Again) -> None:
        assert set(again(text(group=group)).groups["main"].members).isdisjoint(old.groups["main"].members)

    reloaded(tmp_path, text(), look)


def test_another_way_has_a_prober_of_its_own_and_the_same_board(tmp_path: Path) -> None:
    async def look(old: Runtime, again: Again) -> None:
        new = again(text(group='via = "socks5://127.0.0.1:1"'))
        assert new.timing._prober is not old.timing._prober
        assert new.measures.board is old.measures.board
        assert again(text()).measures.board is old.measures.board

    reloaded(tmp_path, text(), look)


def test_hosts_are_found_by_who_found_them_unless_others_are_to(tmp_path: Path) -> None:
    upstreams = ("https://dns.example/dns-query",)
    named = text(upstreams, rest='[bootstrap]\nservers = ["192.0.2.8"]')

    async def look(old: Runtime, again: Again) -> None:
        assert again(named).groups["main"] is old.groups["main"]
        other = again(text(upstreams, rest='[bootstrap]\nservers = ["192.0.2.9"]'))
        assert other.groups["main"].members != old.groups["main"].members

    reloaded(tmp_path, named, look)


def test_a_table_of_another_size_is_another_table(tmp_path: Path) -> None:
    async def look(old: Runtime, again: Again) -> None:
        assert again(text(rest="[cache]\nmemory_entries = 7")).fast is not old.fast

    reloaded(tmp_path, text(), look)


def test_a_ca_file_with_another_content_is_read_again(tmp_path: Path, authority: Authority) -> None:
    ca_file = tmp_path / "ca.pem"
    shutil.copy(authority.ca_file, ca_file)
    trusting = text(group='ca_file = "ca.pem"')

    async def look(old: Runtime, again: Again) -> None:
        assert again(trusting).groups["main"] is old.groups["main"]
        ca_file.write_bytes(ca_file.read_bytes() * 2)
        assert again(trusting).groups["main"].members != old.groups["main"].members

    reloaded(tmp_path, trusting, look)


def test_a_refused_config_leaves_nothing_open_and_all_as_it_was(tmp_path: Path, authority: Authority) -> None:
    for name in ("one.pem", "two.pem"):
        shutil.copy(authority.ca_file, tmp_path / name)
    other = '[groups.other]\nupstreams = ["https://192.0.2.5/dns-query"]\nca_file = "two.pem"\n'
    settings = config.parse(text(group='ca_file = "one.pem"') + other, folder=tmp_path)
    (tmp_path / "two.pem").unlink()

    async def look(old: Runtime, again: Again) -> None:
        before, generation = len(os.listdir("/proc/self/fd")), old.fast.generation
        with pytest.raises(ConfigError, match=r"groups\.other\.ca_file"):
            build(settings, old.tasks, present=old)
        assert len(os.listdir("/proc/self/fd")) == before
        assert old.fast.generation == generation
        assert again(text()).groups["main"] is old.groups["main"]

    reloaded(tmp_path, text(), look)


def ours() -> Counter[str]:
    """The objects of our own classes, and the files that are mapped."""
    kinds = (type(found) for found in gc.get_objects())
    return Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if str(kind.__module__).startswith(("smartdoh", "mmap"))
    )


def test_reloads_leave_nothing_behind(tmp_path: Path) -> None:
    """Not even until the next full collection of garbage, which comes by the clock: lists are open files.

    Every other reload has another group, so that connections are left behind too.
    """
    (tmp_path / "list.txt").write_text("ads.example\n")
    (tmp_path / "overrides.json").write_text("{}")
    rest = (
        f'[listen]\ndns = ["127.0.0.1:{free_port()}"]\n[lists.ads]\nfile = "list.txt"\nformat = "domains"\n'
        '[routing]\noverrides = "overrides.json"\nrules = [{ list = "ads", action = "block" }]\n'
        '[cache]\ndir = "none"\n'
    )
    loads = 0

    def load() -> config.Settings:
        nonlocal loads
        loads += 1
        upstreams = (ONE, TWO) if loads % 2 else (ONE, THREE)
        return config.parse(text(upstreams, rest=rest), folder=tmp_path)

    async def play() -> None:
        server = Server(load(), load)
        running = asyncio.ensure_future(server.run())

        async def reload(times: int) -> None:
            for _ in range(times):
                await server.reload()
            while any(task.get_name() == "retirement" for task in asyncio.all_tasks()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)

        await asyncio.sleep(0)
        while len(server._tasks) < 1:  # noqa: ASYNC110 - it has not begun yet
            await asyncio.sleep(0.001)
        await reload(4)
        gc.collect()
        gc.disable()
        try:
            before, descriptors = ours(), len(os.listdir("/proc/self/fd"))
            await reload(RELOADS)
            assert ours() - before == Counter()
            assert len(os.listdir("/proc/self/fd")) <= descriptors + 2  # watchers that are about to end
        finally:
            gc.enable()
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(play())
