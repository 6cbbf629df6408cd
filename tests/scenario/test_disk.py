"""Answers that outlive the process: what is given after a restart, what is not, and what another policy makes of it."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dns.rcode
import lmdb

from smartdoh.cache.disk import FILE_NAME, Disk
from smartdoh.cache.forget import forget
from smartdoh.errors import Timeout
from smartdoh.wire.names import from_text
from tests.scenario.messages import addresses, error_codes, soa, ttls
from tests.scenario.world import LONG, Clock, World, settle

OLD = "www.example.com. 300 A 192.0.2.1"
NEW = "www.example.com. 300 A 192.0.2.2"
OTHER_NAME = "other.example.com."
DAY = 86_400
BOOT_ID = "b" * 36


class Machine:
    """A directory and two clocks that outlive the proxies started here."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.boot = Clock()
        self.wall = Clock(1e9)
        self.disk: Disk | None = None

    def forward(self, seconds: float) -> None:
        self.boot.forward(seconds)
        self.wall.forward(seconds)

    @asynccontextmanager
    async def run(self, text: str = "", *, entries: int = 1000, **how: Any) -> AsyncIterator[World]:
        """One life of the proxy. It ends with all that was written behind on disk."""
        disk = Disk(
            self.directory, entries, stale=DAY, boot=self.boot, wall=lambda: self.wall.now, boot_id=BOOT_ID
        )
        self.disk = disk
        world = World(text, disk=disk, clock=self.boot, **how)
        try:
            yield world
        finally:
            await world.end()
            disk.close()
        assert not world.bugs


Story = Callable[[Machine], Awaitable[None]]


def story(tell: Story) -> Callable[[], None]:
    """Make a test of a coroutine that plays on a Machine of its own."""

    def test() -> None:
        with tempfile.TemporaryDirectory() as directory:
            asyncio.run(asyncio.wait_for(_play(tell, Machine(Path(directory))), LONG))

    functools.update_wrapper(test, tell)
    del test.__wrapped__  # type: ignore[attr-defined]  # pytest would look for a fixture `machine`
    return test


async def _play(tell: Story, machine: Machine) -> None:
    await tell(machine)


@story
async def test_a_restart_starts_warm_with_aged_ttls(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(100)
    async with machine.run() as world:
        client = await world.ask()
        assert addresses(client.message) == ["192.0.2.1"]
        assert ttls(client.message) == [200]
        assert not world.upstream.asked
        machine.forward(50)
        assert ttls((await world.ask()).message) == [150], "from memory now"


@story
async def test_what_memory_has_no_room_for_is_on_disk(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
        world.fast.flush()
        assert addresses((await world.ask()).message) == ["192.0.2.1"]
        assert len(world.upstream.asked) == 1


@story
async def test_a_stale_answer_comes_at_once_and_is_refreshed_behind(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(301)
    async with machine.run() as world:
        client = await world.ask(edns=True)
        assert addresses(client.message) == ["192.0.2.1"]
        assert ttls(client.message) == [30]
        assert error_codes(client.message) == [3]
        assert world.upstream.waiting == 1
        world.upstream.answer(NEW)
        await settle()
    async with machine.run() as world:
        assert addresses((await world.ask()).message) == ["192.0.2.2"]


@story
async def test_a_stale_answer_from_disk_stays_while_the_upstream_fails(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(301)
    async with machine.run() as world:
        await world.ask()
        world.upstream.fail(Timeout("late"))
        await settle()
        assert addresses((await world.ask()).message) == ["192.0.2.1"]
        assert world.upstream.waiting == 0, "the next try waits"


@story
async def test_the_stale_window_ends_on_disk_too(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(300 + DAY)
    async with machine.run() as world:
        assert (await world.ask()).is_waiting


@story
async def test_stale_off_is_off_and_stale_after_waits(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(301)
    async with machine.run('[cache]\nstale = "0s"') as world:
        assert (await world.ask()).is_waiting
    async with machine.run('[cache]\nstale_after = "30s"') as world:
        client = await world.ask()
        assert client.is_waiting
        world.upstream.fail(Timeout("late"))
        await settle()
        assert addresses(client.message) == ["192.0.2.1"]


@story
async def test_a_client_that_wants_no_recursion_gets_fresh_answers_only(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(299)
    async with machine.run() as world:
        assert addresses((await world.ask(flags="")).message) == ["192.0.2.1"]
    machine.forward(2)
    async with machine.run() as world:
        assert (await world.ask(flags="")).is_waiting


@story
async def test_in_the_last_tenth_of_its_ttl_it_is_fetched_again(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(280)
    async with machine.run() as world:
        assert ttls((await world.ask()).message) == [20]
        assert world.upstream.waiting == 1
    async with machine.run("[cache]\nprefetch = false") as world:
        assert ttls((await world.ask()).message) == [20]
        assert world.upstream.waiting == 0


@story
async def test_a_no_is_kept_too(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(rcode="NXDOMAIN", authority=(soa("example.com.", 60, 60),))
    async with machine.run() as world:
        assert (await world.ask()).message.rcode() == dns.rcode.NXDOMAIN
    machine.forward(61)
    async with machine.run() as world:
        client = await world.ask(edns=True)
        assert error_codes(client.message) == [19]


@story
async def test_an_answer_that_may_not_be_kept_ends_the_one_on_disk(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
        machine.forward(301)
        await world.ask()
        world.upstream.answer("www.example.com. 0 A 192.0.2.2")
        await settle()
    async with machine.run() as world:
        assert (await world.ask()).is_waiting


@story
async def test_failures_and_what_is_answered_here_are_not_on_disk(machine: Machine) -> None:
    block = '[routing]\nrules = [{ domains = ["blocked.example"], action = "block" }]'
    async with machine.run(block) as world:
        await world.ask("blocked.example.")
        await world.ask("localhost.")
        await world.ask()
        world.upstream.fail(Timeout("late"))
        await settle()
    async with machine.run() as world:
        assert machine.disk is not None
        assert machine.disk.statistics().entries == 0
        assert (await world.ask("blocked.example.")).is_waiting


@story
async def test_what_is_blocked_now_is_not_given_from_disk(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    async with machine.run('[routing]\nrules = [{ domains = ["example.com"], action = "block" }]') as world:
        assert addresses((await world.ask()).message) == ["0.0.0.0"]


@story
async def test_another_route_has_answers_of_its_own(machine: Machine) -> None:
    both = ("main", "proxy")
    rules = '[routing]\ndefault = "main"\nrules = [{ domains = ["www.example.com"], group = "proxy" }]'
    async with machine.run(groups=both) as world:
        await world.know(OLD)
        await world.know(f"{OTHER_NAME} 300 A 192.0.2.9", name=OTHER_NAME)
    async with machine.run(rules, groups=both) as world:
        client = await world.ask()
        assert client.is_waiting, "that was said by the other group"
        world.upstreams["proxy"].answer(NEW)
        await settle()
        assert addresses((await world.ask(OTHER_NAME)).message) == ["192.0.2.9"], "nothing changed for it"
    async with machine.run(groups=both) as world:
        assert addresses((await world.ask()).message) == ["192.0.2.1"], "and the first is still there"
        assert not world.upstream.asked


@story
async def test_other_bounds_of_ttls_begin_anew(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    async with machine.run('[cache]\nmax_ttl = "1m"') as world:
        assert (await world.ask()).is_waiting


@story
async def test_clients_of_all_views_share_what_an_upstream_said(machine: Machine) -> None:
    rules = (
        '[routing]\nrules = [{ clients = ["127.0.0.2"], domains = ["blocked.example"], action = "block" }]'
    )
    async with machine.run(rules) as world:
        await world.know(OLD)
        assert addresses((await world.ask(host="127.0.0.2")).message) == ["192.0.2.1"]
        assert len(world.upstream.asked) == 1


@story
async def test_do_and_cd_are_asked_and_kept_apart(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    async with machine.run() as world:
        assert (await world.ask(do=True)).is_waiting
        assert (await world.ask(flags="RD CD")).is_waiting
        assert (await world.ask(rdtype="AAAA")).is_waiting
        assert not (await world.ask("WWW.example.com.", edns=True)).is_waiting


@story
async def test_ad_is_as_the_upstream_said(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD, ad=True)
        await world.know(f"{OTHER_NAME} 300 A 192.0.2.9", name=OTHER_NAME)
    async with machine.run() as world:
        assert "AD" in dns.flags.to_text((await world.ask(flags="RD AD")).message.flags)
        assert "AD" not in dns.flags.to_text((await world.ask()).message.flags)
        assert "AD" not in dns.flags.to_text((await world.ask(OTHER_NAME, flags="RD AD")).message.flags)


@story
async def test_a_record_that_is_not_what_was_written_is_a_miss(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    _change_every_record(machine.directory / FILE_NAME)
    async with machine.run() as world:
        client = await world.ask()
        assert client.is_waiting
        assert machine.disk is not None
        assert machine.disk.statistics().damaged == 1
        world.upstream.answer(NEW)
        await settle()
    async with machine.run() as world:
        assert addresses((await world.ask()).message) == ["192.0.2.2"]


def _change_every_record(file: Path) -> None:
    with lmdb.open(str(file), subdir=False, max_dbs=2) as env:
        answers = env.open_db(b"answers")
        with env.begin(answers, write=True) as txn:
            for key, octets in list(txn.cursor()):
                txn.put(key, octets[:-1] + bytes([octets[-1] ^ 1]))


@story
async def test_a_flushed_name_is_gone_from_disk(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
        await world.know(f"{OTHER_NAME} 300 A 192.0.2.9", name=OTHER_NAME)
        assert machine.disk is not None
        machine.disk.flush(from_text("www.example.com"))
        await forget(world.fast, [from_text("www.example.com")], [])
        assert (await world.ask()).is_waiting
    async with machine.run() as world:
        assert (await world.ask()).is_waiting
        assert not (await world.ask(OTHER_NAME)).is_waiting


@story
async def test_a_clock_that_was_set_back_does_not_make_answers_younger(machine: Machine) -> None:
    async with machine.run() as world:
        await world.know(OLD)
    machine.forward(200)
    machine.wall.forward(-DAY)
    async with machine.run() as world:
        assert ttls((await world.ask()).message) == [100]
        machine.wall.forward(10 * DAY)
        machine.boot.forward(50)
        world.fast.flush()
        assert ttls((await world.ask()).message) == [50]


@story
async def test_identical_questions_wait_for_one_fetch_though_the_disk_has_nothing(machine: Machine) -> None:
    async with machine.run() as world:
        clients = [await world.ask() for _ in range(5)]
        assert len(world.upstream.asked) == 1
        world.upstream.answer(OLD)
        await settle()
        assert all(addresses(client.message) == ["192.0.2.1"] for client in clients)


@story
async def test_an_answer_that_is_asked_again_is_spared_by_eviction(machine: Machine) -> None:
    names = [f"n{number}.example.com." for number in range(12)]
    async with machine.run(entries=12) as world:
        for name in names:
            await world.know(f"{name} 300 A 192.0.2.1", name=name)
            machine.forward(1)
    async with machine.run(entries=12) as world:
        for name in names[:3]:
            assert not (await world.ask(name)).is_waiting
        assert machine.disk is not None
        assert machine.disk.settle(LONG)
        for number in range(9):
            name = f"m{number}.example.com."
            await world.know(f"{name} 300 A 192.0.2.1", name=name)
            assert machine.disk.settle(LONG)
    async with machine.run(entries=12) as world:
        assert [(await world.ask(name)).is_waiting for name in names[:6]] == [False] * 3 + [True] * 3


@story
async def test_what_is_on_disk_is_judged_by_the_policy_that_reads_it(machine: Machine) -> None:
    """The disk has the upstream's own words: what they are worth is decided each time."""
    allowing = '[local]\nrebind_allow = ["example.com"]\n'
    async with machine.run(allowing) as world:
        await world.know("www.example.com. 300 A 192.168.1.1")
        assert addresses((await world.ask()).message) == ["192.168.1.1"]
    for text, expected in (("", []), (allowing, ["192.168.1.1"]), ("", [])):
        async with machine.run(text) as world:
            assert addresses((await world.ask()).message) == expected
            assert addresses((await world.ask()).message) == expected, "and from memory"
            assert not world.upstream.asked
