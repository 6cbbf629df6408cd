"""Bootstrap: which answer counts, how long it is kept, and what happens when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from smartdoh.errors import BadReply, NetworkDown, Timeout
from smartdoh.model import Answer, Query
from smartdoh.tasks import Tasks
from smartdoh.upstream import bootstrap
from smartdoh.upstream.bootstrap import Bootstrap, HostFinder, Source
from smartdoh.upstream.plain import PlainServer, Server
from smartdoh.wire.answer import scan_answer
from smartdoh.wire.codes import AAAA, A
from tests.unit.upstream.conftest import Run
from tests.unit.upstream.responders import (
    HOST,
    LONG,
    Responder,
    Script,
    Transport,
    addresses,
    answer,
    closed_port,
    qtype_of,
    responder,
    silent,
    until,
)

V4, V6, OLD = "192.0.2.1", "2001:db8::1", "192.0.2.99"
GOOD = addresses(V4, V6)
SERVFAIL, NXDOMAIN = 2, 3
SHORT = 0.2  # seconds, where the end of the wait is what is tested


class World:
    """A bootstrap with time that only moves when it is told to, and scripted servers."""

    def __init__(self, tasks: Tasks, servers: Sequence[Responder]) -> None:
        self.tasks = tasks
        self.servers = list(servers)
        self.now = 1000.0
        self.pauses: list[float] = []
        self.on_pause: Callable[[], None] = lambda: None

    def bootstrap(self, *others: Server | Source, timeout: float = LONG, **how: Any) -> Bootstrap:
        """A bootstrap that asks the scripted servers, then `others`."""
        servers = [*(server.server for server in self.servers), *others]
        return Bootstrap(servers, self.tasks, lambda: self.now, timeout=timeout, sleep=self.sleep, **how)

    def finder(self, *others: Server | Source, **how: Any) -> HostFinder:
        """The finder of HOST in a new bootstrap."""
        return self.bootstrap(*others, **how).finder(HOST)

    async def sleep(self, seconds: float) -> None:
        """A pause passes at once, and the clock with it."""
        self.pauses.append(seconds)
        self.now += seconds
        self.on_pause()
        await asyncio.sleep(0)

    async def quiet(self) -> None:
        """Wait until no background task runs."""
        await until(lambda: len(self.tasks) == 0)

    @property
    def asked(self) -> int:
        """Questions that the scripted servers received."""
        return sum(len(server.asked) for server in self.servers)


@asynccontextmanager
async def world(*scripts: Script) -> AsyncIterator[World]:
    """A world with a server for each script; a background task that fails, fails the test."""
    failures: list[BaseException] = []
    tasks = Tasks(lambda name, error: failures.append(error))
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(responder(script)) for script in scripts]
        try:
            yield World(tasks, servers)
        finally:
            await tasks.aclose()
    assert not failures


class Told:
    """A source that is no plain server: it says what it is told to, when it is told to."""

    def __init__(self, script: Script, *, error: Exception | None = None) -> None:
        self.name = "told"
        self.go_on = asyncio.Event()
        self.queries: list[Query] = []
        self._script = script
        self._error = error

    async def exchange(self, query: Query, deadline: float) -> Answer:
        """As in Upstream, but not before `go_on`, deadline or not."""
        self.queries.append(query)
        await self.go_on.wait()
        if self._error is not None:
            raise self._error
        wire = self._script(query.wire, "udp")[0]
        return Answer(wire, scan_answer(wire, query), self.name)


def only(qtype: int, script: Script, other: Script = silent) -> Script:
    """A server that answers one type, and the other by another script."""
    return lambda wire, how: script(wire, how) if qtype_of(wire) == qtype else other(wire, how)


def with_ttl(seconds: int, script: Script = GOOD) -> Script:
    """A server whose records have another TTL."""
    ttl, other = (300).to_bytes(4), seconds.to_bytes(4)
    return lambda wire, how: [reply.replace(ttl, other) for reply in script(wire, how)]


def scripted(*records: str) -> Script:
    """A server that gives these records for a question for A, and none for AAAA."""
    return only(A, lambda wire, _: [answer(wire, *records)], lambda wire, _: [answer(wire)])


def test_real_servers_give_both_families(run: Run, plain_dns: Server) -> None:
    """The addresses of a name, of an alias of an alias, and of one that has IPv4 alone."""

    async def go() -> list[set[str]]:
        async with world() as here:
            booted = here.bootstrap(plain_dns)
            hosts = ("doh.test", "alias.test", "only4.test")
            return [set(await booted.finder(host).find()) for host in hosts]

    both = {"192.0.2.1", "192.0.2.2", "2001:db8::1"}
    assert run(go()) == [both, both, {"192.0.2.4"}]


@pytest.mark.parametrize("host", ["text.test", "nobody.test"])
def test_real_servers_without_an_address_are_told(run: Run, plain_dns: Server, host: str) -> None:
    """NODATA and NXDOMAIN, not a timeout."""

    async def go() -> None:
        async with world() as here:
            await here.bootstrap(plain_dns).finder(host).find()

    with pytest.raises(
        NetworkDown, match=rf"bootstrap: no address of {host}: .*(NXDOMAIN|no usable address)"
    ):
        run(go())


def test_both_families_come_ipv4_first(run: Run) -> None:
    """Alternating, so that a short list of attempts has both."""

    def script(wire: bytes, how: Transport) -> list[bytes]:
        if qtype_of(wire) == A:
            return [answer(wire, "A 192.0.2.1", "A 192.0.2.2", "A 192.0.2.3")]
        return [answer(wire, "AAAA 2001:db8::1")]

    async def go() -> tuple[str, ...]:
        async with world(script) as here:
            finder = here.finder()
            assert finder.known() == ()
            found = await finder.find()
            assert finder.known() == found
            assert here.asked == 2
            return found

    assert run(go()) == ("192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3")


@pytest.mark.parametrize(
    "bad",
    [
        silent,
        addresses(rcode=SERVFAIL),
        addresses(rcode=NXDOMAIN),
        addresses(),
        addresses("0.0.0.0", "::"),
        lambda wire, _: [b"junk"],
        lambda wire, _: [answer(wire, "A 192.0.2.66", host="other.test")],
    ],
    ids=["silent", "servfail", "nxdomain", "nodata", "null", "junk", "other question"],
)
@pytest.mark.parametrize("place", [0, 1])
def test_one_good_server_is_enough(run: Run, bad: Script, place: int) -> None:
    """Whatever the other one says, and in whatever order they are configured."""

    async def go() -> tuple[str, ...]:
        scripts = [GOOD, GOOD]
        scripts[place] = bad
        async with world(*scripts) as here:
            return await here.finder(("127.0.0.1", closed_port())).find()

    assert run(go()) == (V4, V6)


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (["CNAME b.test.", "b.test. CNAME c.test.", "c.test. A 192.0.2.1"], ("192.0.2.1",)),
        (["c.test. A 192.0.2.1", "b.test. CNAME c.test.", "CNAME B.test."], ("192.0.2.1",)),
        (["A 0.0.0.0", "A 224.0.0.1", "A 255.255.255.255", "A 127.0.0.9"], ("127.0.0.9",)),
        (["A 192.0.2.1", "A 192.0.2.1", "evil.test. A 203.0.113.66"], ("192.0.2.1",)),
        ([f"A 192.0.2.{number}" for number in range(1, 30)], tuple(f"192.0.2.{n}" for n in range(1, 9))),
    ],
    ids=["chain", "chain backwards", "unusable", "not asked for", "many"],
)
def test_the_chain_is_followed_and_the_rest_left(
    run: Run, records: list[str], found: tuple[str, ...]
) -> None:
    """Addresses of the name that the aliases lead to, no others, and only those that can be connected to."""

    async def go() -> tuple[str, ...]:
        async with world(scripted(*records)) as here:
            return await here.finder().find()

    assert run(go()) == found


@pytest.mark.parametrize(
    "records",
    [
        ["CNAME b.test.", "b.test. CNAME doh.test."],
        ["CNAME b.test.", "c.test. A 192.0.2.1"],
        ["AAAA ::ffff:0.0.0.0"],
        [f"b{number}.test. A 192.0.2.1" for number in range(101)],
    ],
    ids=["circle", "broken chain", "another type", "endless"],
)
def test_answers_without_an_address_of_the_host(run: Run, records: list[str]) -> None:
    """They end the lookup with its reason, and nothing hangs."""

    async def go() -> None:
        async with world(scripted(*records)) as here:
            await here.finder().find()

    with pytest.raises(NetworkDown, match=r"no usable address|more records than"):
        run(go())


@pytest.mark.parametrize(
    ("ttl", "kept"),
    [(0, 30), (5, 30), (300, 300), (86_400, 86_400), (600_000, 86_400), (2**31, 30)],
)
def test_the_ttl_is_kept_to_within_bounds(run: Run, ttl: int, kept: int) -> None:
    """Nobody is asked before nine tenths of it, and everybody after."""

    async def go() -> None:
        async with world(with_ttl(ttl)) as here:
            finder = here.finder()
            await finder.find()
            asked = here.asked
            here.now += 0.89 * kept
            assert finder.known() == (V4, V6)
            await here.quiet()
            assert here.asked == asked
            here.now += 0.02 * kept
            assert finder.known() == (V4, V6)
            assert finder.known() == (V4, V6)
            await here.quiet()
            assert here.asked == asked + 2

    run(go())


def test_a_refresh_brings_the_new_addresses(run: Run) -> None:
    """Who asks meanwhile gets the old ones at once."""

    async def go() -> tuple[tuple[str, ...], tuple[str, ...]]:
        async with world(addresses(OLD)) as here:
            finder = here.finder()
            await finder.find()
            here.servers[0].script = GOOD
            here.now += 1000
            old = await finder.find()
            await here.quiet()
            return old, finder.known()

    assert run(go()) == ((OLD,), (V4, V6))


def test_what_is_doubted_is_looked_up_again_but_not_each_time(run: Run) -> None:
    """As behind a captive portal, whose address for every name is good for a day."""

    async def go() -> tuple[int, int, tuple[str, ...]]:
        async with world(addresses(OLD)) as here:
            finder = here.finder()
            await finder.find()
            counts = []
            for script in (addresses(OLD), GOOD):
                before, here.servers[0].script = here.asked, script
                for _ in range(10):
                    finder.doubt()
                await here.quiet()
                counts.append(here.asked - before)
                here.now += bootstrap.DOUBT_EVERY
            return counts[0], counts[1], finder.known()

    assert run(go()) == (2, 2, (V4, V6))  # a lookup asks for both families


@pytest.mark.parametrize("answers", [True, False], ids=["no longer there", "not heard of"])
def test_a_family_goes_only_where_a_server_says_so(run: Run, answers: bool) -> None:
    """Silence about IPv6 is no reason to forget it; an empty answer is."""
    other = addresses() if answers else silent

    async def go() -> tuple[str, ...]:
        async with world(GOOD) as here:
            finder = here.finder(timeout=SHORT)
            await finder.find()
            here.servers[0].script = only(A, addresses(OLD), other)
            here.now += 1000
            finder.known()
            await here.quiet()
            return finder.known()

    assert run(go()) == ((OLD,) if answers else (OLD, V6))


def test_the_last_good_addresses_outlive_their_ttl(run: Run) -> None:
    """Bootstrap down for a month: they are still given, and trying goes on with growing pauses."""

    async def go() -> list[float]:
        async with world(GOOD) as here:
            finder = here.finder()
            await finder.find()
            here.servers[0].script = addresses(rcode=SERVFAIL)
            here.now += 30 * 86_400

            def back_at_the_ninth() -> None:
                assert finder.known() == (V4, V6)
                if len(here.pauses) == 9:
                    here.servers[0].script = addresses(OLD)

            here.on_pause = back_at_the_ninth
            assert await finder.find() == (V4, V6)
            await here.quiet()
            assert finder.known() == (OLD,)
            return here.pauses

    assert run(go()) == [1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_bootstrap_dead_at_start_is_tried_again(run: Run) -> None:
    """Nothing known, one asked and was refused; later the addresses are there without anybody asking."""

    async def go() -> list[float]:
        async with world(addresses(rcode=SERVFAIL)) as here:
            finder = here.finder()

            def back_at_the_third() -> None:
                if len(here.pauses) == 3:
                    here.servers[0].script = GOOD

            here.on_pause = back_at_the_third
            with pytest.raises(NetworkDown, match="SERVFAIL"):
                await finder.find()
            await here.quiet()
            assert finder.known() == (V4, V6)
            return here.pauses

    assert run(go()) == [1, 2, 4]


def test_a_host_that_nobody_needs_any_more_is_not_looked_up_for_ever(run: Run) -> None:
    async def go() -> None:
        async with world(addresses(rcode=SERVFAIL)) as here:
            boot = here.bootstrap()
            finder = boot.finder(HOST)

            def nobody_needs_it() -> None:
                if len(here.pauses) == 2:
                    boot.forget_all_but(())

            here.on_pause = nobody_needs_it
            with pytest.raises(NetworkDown, match="SERVFAIL"):
                await finder.find()
            await here.quiet()
            assert here.pauses == [1, 2]
            assert boot.finder(HOST) is not finder

    run(go())


def test_a_refresh_that_failed_is_left_to_its_pauses(run: Run) -> None:
    """Questions that come meanwhile start no lookup; and after an outage refreshing goes on as before."""

    async def go() -> None:
        async with world(GOOD) as here:
            woken = asyncio.Event()
            finder = Bootstrap(
                [here.servers[0].server], here.tasks, lambda: here.now, sleep=lambda _: wait_for(woken)
            ).finder(HOST)
            await finder.find()
            here.servers[0].script = addresses(rcode=SERVFAIL)
            here.now += 1000
            finder.known()
            await until(lambda: here.asked == 4)
            for _ in range(20):
                assert finder.known() == (V4, V6)
                await asyncio.sleep(0.001)
            assert here.asked == 4
            here.servers[0].script = GOOD
            woken.set()
            await here.quiet()
            assert here.asked == 6
            here.now += 1000
            finder.known()
            await here.quiet()
            assert here.asked == 8

    run(go())


async def wait_for(event: asyncio.Event) -> None:
    """A pause that lasts until the event."""
    await event.wait()


def test_a_failure_is_told_again_for_a_second_and_then_asked_anew(run: Run) -> None:
    """A thousand questions in the dark are no thousand lookups, but the first after a second is one."""

    async def go() -> None:
        async with world(addresses(rcode=SERVFAIL)) as here:
            finder = Bootstrap([here.servers[0].server], here.tasks, lambda: here.now).finder(HOST)
            for _ in range(5):
                with pytest.raises(NetworkDown, match="SERVFAIL") as caught:
                    await finder.find()
                assert caught.value.upstream == HOST
            assert here.asked == 2
            here.servers[0].script = GOOD
            here.now += 1.01
            assert await finder.find() == (V4, V6)

    run(go())


def test_those_who_ask_together_share_a_lookup(run: Run) -> None:
    """And one who leaves does not end it for the others, nor do all."""

    async def go() -> None:
        async with world() as here:
            source = Told(GOOD)
            finder = here.finder(source)
            waiting = [asyncio.create_task(finder.find()) for _ in range(5)]
            await until(lambda: len(source.queries) == 2)
            waiting[0].cancel()
            await asyncio.sleep(0)
            source.go_on.set()
            found = await asyncio.gather(*waiting, return_exceptions=True)
            assert isinstance(found[0], asyncio.CancelledError)
            assert found[1:] == [(V4, V6)] * 4
            assert len(source.queries) == 2

    run(go())


def test_a_lookup_goes_on_when_all_have_left(run: Run) -> None:
    """The next one finds its addresses."""

    async def go() -> None:
        async with world() as here:
            source = Told(GOOD)
            finder = here.finder(source)
            waiting = asyncio.create_task(finder.find())
            await until(lambda: len(source.queries) == 2)
            waiting.cancel()
            source.go_on.set()
            await here.quiet()
            assert waiting.cancelled()
            assert finder.known() == (V4, V6)

    run(go())


def test_the_slower_family_is_not_waited_for_and_not_lost(run: Run) -> None:
    """IPv4 is given after a moment; IPv6 joins it when it comes."""

    async def go() -> None:
        async with world(only(A, GOOD)) as here:
            source = Told(only(AAAA, GOOD, addresses()))
            finder = here.finder(source)
            assert await finder.find() == (V4,)
            source.go_on.set()
            await here.quiet()
            assert finder.known() == (V4, V6)

    run(go())


def test_the_other_family_is_waited_for_a_moment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both come with the first answer, if they are not far apart (RFC 8305 section 3)."""
    monkeypatch.setattr(bootstrap, "OTHER_FAMILY", LONG)

    async def go() -> None:
        async with world(only(A, GOOD)) as here:
            source = Told(only(AAAA, GOOD, addresses()))
            waiting = asyncio.create_task(here.finder(source).find())
            await asyncio.sleep(0.02)
            assert not waiting.done()
            source.go_on.set()
            assert await waiting == (V4, V6)

    run(go())


def test_everything_silent_is_a_timeout(run: Run) -> None:
    """Also a source that does not keep the deadline. It says who was silent."""

    async def go() -> str:
        async with world(silent) as here:
            with pytest.raises(Timeout) as caught:
                await here.finder(Told(GOOD), timeout=SHORT).find()
            return str(caught.value)

    why = run(go())
    assert why.startswith(f"bootstrap: no address of {HOST}: ")
    assert "127.0.0.1:" in why
    assert "told: no answer in time" in why


def test_the_error_tells_what_each_server_said(run: Run) -> None:
    """Refused by the network, SERVFAIL, a bad certificate, each once."""

    async def go() -> tuple[str, int]:
        async with world(addresses(rcode=SERVFAIL)) as here:
            source = Told(GOOD, error=BadReply("HTTP 500", "told"))
            source.go_on.set()
            port = closed_port()
            with pytest.raises(NetworkDown) as caught:
                await here.finder(("127.0.0.1", port), source, timeout=SHORT).find()
            return str(caught.value), port

    why, port = run(go())
    assert why.count("SERVFAIL") == 1
    assert why.count("told: HTTP 500") == 1
    assert f"127.0.0.1:{port}: UDP: Connection refused; TCP: Connection refused" in why


def test_without_a_server_it_says_so(run: Run) -> None:
    """At once."""

    async def go() -> None:
        async with world() as here:
            await here.finder().find()

    with pytest.raises(NetworkDown, match="there is no server to ask"):
        run(go())


def test_stopping_ends_those_who_wait(run: Run) -> None:
    """With an error that they know, and no task is left."""

    async def go() -> None:
        async with world() as here:
            source = Told(GOOD)
            waiting = asyncio.create_task(here.finder(source).find())
            await until(lambda: len(source.queries) == 2)
            await here.tasks.aclose()
            with pytest.raises(NetworkDown, match="stopped"):
                await waiting
            assert len(asyncio.all_tasks()) == 1

    run(go())


def test_addresses_of_an_earlier_run_are_used_at_once(run: Run) -> None:
    """And asked for anew in the background."""

    async def go() -> None:
        async with world(GOOD) as here:
            booted = here.bootstrap(remembered={HOST: (OLD,)})
            finder = booted.finder(HOST)
            assert await finder.find() == (OLD,)
            await here.quiet()
            assert finder.known() == (V4, V6)
            assert booted.learned() == {HOST: (V4, V6)}
            assert booted.finder("other.test").known() == ()
            assert list(booted.learned()) == [HOST]

    run(go())


def test_one_host_has_one_finder_and_must_be_a_name(run: Run) -> None:
    """Groups that name the same upstream share what is known of it."""

    async def go() -> None:
        async with world(GOOD) as here:
            booted = here.bootstrap()
            assert booted.finder(HOST) is booted.finder(HOST)
            with pytest.raises(ValueError, match="label"):
                booted.finder("a..test")
            with pytest.raises(ValueError, match=r"dns\.test"):
                here.bootstrap(("dns.test", 53))

    run(go())


def test_a_source_that_fails_in_an_unknown_way_frees_those_who_wait() -> None:
    """It is a fault of ours: reported as a task that failed, and nobody hangs."""

    async def go() -> tuple[list[str], str]:
        failures: list[str] = []
        tasks = Tasks(lambda name, error: failures.append(name))
        source = Told(GOOD, error=ZeroDivisionError())
        source.go_on.set()
        with pytest.raises(NetworkDown) as caught:
            await Bootstrap([source], tasks, lambda: 0.0).finder(HOST).find()
        await until(lambda: len(tasks) == 0)
        return failures, str(caught.value)

    assert asyncio.run(go()) == ([f"bootstrap of {HOST}"], "bootstrap: stopped")


def test_the_representations_say_what_matters(run: Run) -> None:
    """For logs and debuggers."""

    async def go() -> list[str]:
        async with world(GOOD) as here:
            finder = here.finder()
            before = repr(finder)
            await finder.find()
            return [before, repr(finder), repr(PlainServer(("::1", 53))), PlainServer(("::1", 54)).name]

    shown: Coroutine[Any, Any, list[str]] = go()
    assert run(shown) == [
        f"<HostFinder {HOST} nothing known>",
        f"<HostFinder {HOST} {V4}, {V6}>",
        "<PlainServer ::1>",
        "[::1]:54",
    ]


def test_another_network_is_asked_at_once(run: Run) -> None:
    """Though the last failure is fresh and the next try would be long in coming; and the pauses begin anew."""

    async def go() -> None:
        async with world(addresses(rcode=SERVFAIL)) as here:
            booted = here.bootstrap()
            finder, asleep = booted.finder(HOST), asyncio.Event()

            async def sleep(seconds: float) -> None:
                here.pauses.append(seconds)
                if seconds >= 4:
                    asleep.set()
                    await asyncio.Event().wait()

            finder._sleep = sleep
            with pytest.raises(NetworkDown):
                await finder.find()
            await asleep.wait()
            here.servers[0].script = GOOD
            booted.renew()
            assert await finder.find() == (V4, V6)
            await here.quiet()
            assert here.pauses == [1, 2, 4]

    run(go())


def test_another_network_ends_a_lookup_that_went_out_by_the_old_one(run: Run) -> None:
    """Nothing else would, for as long as the questions may take; those who wait get the new one's answer."""

    async def go() -> None:
        async with world() as here:
            source = Told(GOOD)
            booted = here.bootstrap(source)
            finder = booted.finder(HOST)
            waiting = asyncio.create_task(finder.find())
            await until(lambda: len(source.queries) == 2)
            booted.renew()
            booted.renew()
            await until(lambda: len(source.queries) == 4)
            source.go_on.set()
            assert await waiting == (V4, V6)
            assert len(source.queries) == 4

    run(go())


def test_what_is_known_stays_known_while_it_is_looked_up_again(run: Run) -> None:
    async def go() -> None:
        async with world(silent) as here:
            booted = here.bootstrap(remembered={HOST: (OLD,)}, timeout=SHORT)
            finder = booted.finder(HOST)
            booted.renew()
            assert finder.known() == (OLD,)
            await until(lambda: here.asked > 0)
            assert await finder.find() == (OLD,)

    run(go())
