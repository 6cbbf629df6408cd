"""Names' addresses looked at in the background: against sockets, and with scripted probes for the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Any

import pytest

from smartdoh.speed import prober as module
from smartdoh.speed.board import Board
from smartdoh.speed.probe import Failure, Probed
from smartdoh.speed.prober import Prober
from smartdoh.speed.ranking import PROBE_EVERY, PROOF_LIFE, Verdict
from smartdoh.speed.way import Way
from smartdoh.tasks import Tasks
from smartdoh.wire.names import from_text
from tests.servers.certificates import Authority
from tests.unit.speed.conftest import Run
from tests.unit.speed.hosts import black_hole, late, listening, packed, tls

NAME, OTHER = from_text("www.example.com"), from_text("other.example.net")
DIRECT = Way()


class Clock:
    """Seconds, moved by the test."""

    now = 5000.0

    def __call__(self) -> float:
        return self.now


class Looking:
    """A prober with all that it needs; loopback may be probed."""

    def __init__(self, way: Way = DIRECT, **how: Any) -> None:
        self.clock = Clock()
        self.errors: list[BaseException] = []
        self.tasks = Tasks(lambda name, error: self.errors.append(error))
        self.board = Board(self.clock)
        self.way = way
        self.prober = Prober(self.board, self.tasks, self.clock, **({"policy": lambda _: True} | how))

    def schedule(self, *addresses: str, name: bytes = NAME, done: Callable[[], None] = lambda: None) -> bool:
        return self.prober.schedule(self.way, name, tuple(map(packed, addresses)), done)

    async def look(self, *addresses: str, name: bytes = NAME) -> list[tuple[str, str]]:
        """(address, standing), best first, when all is known."""
        ended = asyncio.Event()
        if self.schedule(*addresses, name=name, done=ended.set):
            await ended.wait()
        return [(row.address, row.standing) for row in self.board.snapshot(name)]

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)


@asynccontextmanager
async def looking(way: Way = DIRECT, **how: Any) -> AsyncIterator[Looking]:
    """As at the end of a runtime: the tasks end, then the connections, and nothing has failed."""
    made = Looking(way, **how)
    try:
        yield made
    finally:
        await made.tasks.aclose()
        await made.prober.aclose()
    assert not made.errors
    assert made.prober.jobs == 0


class Script:
    """Probes and proofs as told, and a list of them."""

    def __init__(self, probes: dict[str, float | Failure], proofs: dict[str, Verdict] | None = None) -> None:
        self._probes = {packed(address): outcome for address, outcome in probes.items()}
        self._proofs = {packed(address): verdict for address, verdict in (proofs or {}).items()}
        self._texts = {packed(address): address for address in probes}
        self.probed: list[str] = []
        self.proved: list[tuple[str, str]] = []
        self.under_way = self.most_under_way = 0

    @property
    def how(self) -> dict[str, Any]:
        return {"probe": self.probe, "prove": self.prove}

    async def probe(self, address: bytes, dialer: object) -> Probed | Failure:
        self.probed.append(self._texts[address])
        await self._wait()
        outcome = self._probes[address]
        return outcome if isinstance(outcome, Failure) else Probed(outcome, 443)

    async def prove(self, host: str, address: bytes, dialer: object) -> Verdict:
        self.proved.append((host, self._texts[address]))
        await self._wait()
        return self._proofs.get(address, Verdict.NONE)

    async def _wait(self) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        self.under_way -= 1


class TestWithSockets:
    """What real connections lead to."""

    pytestmark = pytest.mark.usefixtures("low_ports")

    def test_prompt_late_refusing_and_silent(self, run: Run) -> None:
        async def story() -> list[tuple[str, str]]:
            with listening("127.67.0.4", 80), black_hole("127.67.0.1"):
                async with late("127.67.0.2"), looking() as it:
                    return await it.look(*(f"127.67.0.{number}" for number in range(1, 5)))

        assert run(story()) == [
            ("127.67.0.4", "connected"),
            ("127.67.0.2", "connected"),
            ("127.67.0.1", "out of reach"),
            ("127.67.0.3", "out of reach"),
        ]

    def test_whoever_is_verified_comes_first(self, run: Run, authority: Authority) -> None:
        good, wrong = authority.issue("good name", "www.example.com"), authority.issue("wrong", "x.example")

        async def story() -> list[tuple[str, str]]:
            async with AsyncExitStack() as stack:
                stack.enter_context(tls("127.67.0.1", wrong))
                stack.enter_context(listening("127.67.0.2", 80))
                stack.enter_context(tls("127.67.0.3", good, port=443))
                it = await stack.enter_async_context(looking(Way(ca_file=str(authority.ca_file))))
                return await it.look("127.67.0.1", "127.67.0.2", "127.67.0.3")

        found = run(story())
        assert found[0] == ("127.67.0.3", "verified")
        assert found[2][0] == "127.67.0.1" or ("127.67.0.1", "wrong certificate") not in found

    def test_names_that_share_an_address_share_its_probe(self, run: Run) -> None:
        async def story() -> list[int]:
            with listening("127.67.0.1", 80) as one, listening("127.67.0.2", 80) as two:
                async with looking() as it:
                    await asyncio.gather(
                        *(
                            it.look("127.67.0.1", "127.67.0.2", name=from_text(f"n{number}.example"))
                            for number in range(20)
                        )
                    )
                    return [one.connections(), two.connections()]

        assert run(story()) == [1, 1]

    def test_closing_in_the_middle_leaves_nothing(self, run: Run, authority: Authority) -> None:
        """One probe is under way, and one handshake; the fixture `run` counts sockets."""

        async def story() -> None:
            with ExitStack() as stack:
                stack.enter_context(black_hole("127.67.0.1"))
                host = stack.enter_context(listening("127.67.0.2"))
                async with looking(Way(ca_file=str(authority.ca_file))) as it:
                    called: list[None] = []
                    it.schedule("127.67.0.1", "127.67.0.2", done=lambda: called.append(None))
                    it.schedule("127.67.0.2", name=OTHER, done=lambda: called.append(None))
                    for _ in ("the probe", "the handshake"):
                        await host.accepted()
                    assert len(it.tasks) == 2
                assert not called

        run(story())


ONE, TWO, THREE, FOUR, FIVE = (f"127.67.0.{number}" for number in range(1, 6))
FIVE_TIMES: dict[str, float | Failure] = {ONE: 0.1, TWO: 0.2, THREE: 0.3, FOUR: 0.4, FIVE: 0.5}


def test_special_addresses_are_never_probed(run: Run) -> None:
    async def story() -> None:
        script = Script(FIVE_TIMES)
        made = Looking(**script.how)
        assert not Prober(made.board, made.tasks, made.clock, **script.how).schedule(
            DIRECT, NAME, tuple(map(packed, FIVE_TIMES)), lambda: None
        )
        assert not script.probed

    run(story())


def test_most_names_cost_one_handshake(run: Run) -> None:
    async def story() -> None:
        script = Script(FIVE_TIMES, dict.fromkeys(FIVE_TIMES, Verdict.VERIFIED))
        async with looking(**script.how) as it:
            found = await it.look(FIVE, FOUR, THREE, TWO, ONE)
        assert script.proved == [("www.example.com", ONE)]
        assert found[0] == (ONE, "verified")

    run(story())


def test_proofs_go_on_until_one_is_good(run: Run) -> None:
    """The fastest alone, then three at a time; those behind a good one are not asked."""

    async def story() -> None:
        wrong = dict.fromkeys((ONE, TWO), Verdict.WRONG)
        script = Script(FIVE_TIMES, wrong | {FOUR: Verdict.VERIFIED})
        async with looking(**script.how) as it:
            found = await it.look(*FIVE_TIMES)
        assert [address for _, address in script.proved] == [ONE, TWO, THREE, FOUR]
        assert [address for address, _ in found] == [FOUR, THREE, FIVE, ONE, TWO]

    run(story())


def test_a_name_that_no_certificate_can_hold_is_timed_alone(run: Run) -> None:
    async def story() -> None:
        script = Script(FIVE_TIMES)
        async with looking(**script.how) as it:
            found = await it.look(TWO, ONE, name=b"\x01*\x07example\0")
        assert not script.proved
        assert found == [(ONE, "connected"), (TWO, "connected")]

    run(story())


def test_families_are_proved_apart(run: Run) -> None:
    async def story() -> None:
        script = Script({ONE: 0.5, "::1": 0.1}, dict.fromkeys((ONE, "::1"), Verdict.VERIFIED))
        async with looking(**script.how) as it:
            await it.look(ONE, "::1")
        assert [address for _, address in script.proved] == [ONE, "::1"]

    run(story())


def test_what_is_known_is_not_asked_again(run: Run) -> None:
    async def story() -> None:
        script = Script({ONE: 0.1, TWO: 0.2}, {ONE: Verdict.VERIFIED})
        async with looking(**script.how) as it:
            await it.look(ONE, TWO)
            it.clock.now += PROBE_EVERY - 1
            assert not it.schedule(ONE, TWO)
            it.clock.now += 1
            await it.look(ONE, TWO)
            assert script.probed == [ONE, TWO] * 2
            assert len(script.proved) == 1
            it.clock.now += PROOF_LIFE[Verdict.VERIFIED]
            await it.look(ONE, TWO)
            assert len(script.proved) == 2

    run(story())


def test_questions_of_one_name_share_a_handshake(run: Run) -> None:
    """A browser asks for A and HTTPS at once, and both have the same addresses."""

    async def story() -> None:
        script = Script({ONE: 0.1, TWO: 0.2}, {ONE: Verdict.VERIFIED})
        async with looking(**script.how) as it:
            await asyncio.gather(it.look(ONE, TWO), it.look(ONE, TWO))
        assert (len(script.probed), len(script.proved)) == (2, 1)

    run(story())


def test_never_more_than_so_many_at_once(run: Run) -> None:
    async def story() -> None:
        addresses = [f"127.67.1.{number}" for number in range(40)]
        script = Script(dict.fromkeys(addresses, 0.1))
        async with looking(at_once=3, **script.how) as it:
            for number in range(5):
                assert it.schedule(*addresses[number * 8 : number * 8 + 8], name=from_text(f"n{number}"))
            await it.settled()
        assert script.most_under_way == 3
        assert len(script.probed) == 40

    run(story())


def test_eight_addresses_of_a_name(run: Run) -> None:
    async def story() -> None:
        addresses = [f"127.67.1.{number}" for number in range(20)]
        script = Script(dict.fromkeys(addresses, 0.1))
        async with looking(**script.how) as it:
            await it.look(*addresses)
        assert script.probed == addresses[:8]

    run(story())


def test_a_flood_of_names_is_passed_over(run: Run) -> None:
    async def story() -> None:
        names = [from_text(f"n{number}.example") for number in range(int(module.BURST) + 50)]
        addresses = [f"127.67.{number // 250}.{number % 250}" for number in range(len(names) + 1)]
        script = Script(dict.fromkeys(addresses, 0.1))
        async with looking(**script.how) as it:
            taken = 0
            for number, name in enumerate(names):
                taken += it.schedule(addresses[number], name=name)
                await it.settled()
            assert taken == module.BURST
            assert it.prober.passed_over == 50
            it.clock.now += 1
            assert it.schedule(addresses[-1])
            await it.settled()

    run(story())


def test_waiting_names_are_bounded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_JOBS", 2)

    async def story() -> None:
        script = Script(FIVE_TIMES)
        async with looking(**script.how) as it:
            taken = [it.schedule(each, name=from_text(f"n{each}")) for each in (ONE, TWO, THREE)]
            assert taken == [True, True, False]
            await it.settled()

    run(story())


def test_a_proxy_that_is_down_leaves_addresses_unknown(run: Run) -> None:
    async def story() -> None:
        script = Script({ONE: Failure.NO_PROXY, TWO: 0.1})
        async with looking(Way("socks5h://127.0.0.1:1"), **script.how) as it:
            assert await it.look(ONE, TWO) == [(TWO, "connected"), (ONE, "not measured")]

    run(story())


def test_nothing_is_connected_to_while_the_proxy_has_no_address(run: Run) -> None:
    known: list[str] = []
    way = Way("socks5h://proxy.test:1", proxy=("proxy.test", 1), proxy_addresses=lambda: tuple(known))

    async def story() -> None:
        script = Script(FIVE_TIMES)
        async with looking(way, **script.how) as it:
            await it.look(ONE, TWO)
            assert not script.probed
            known.append("127.0.0.1")
            await it.look(ONE, TWO)
            assert script.probed == [ONE, TWO]

    run(story())


def test_a_bug_in_a_probe_ends_its_job_alone(run: Run) -> None:
    async def broken(address: bytes, dialer: object) -> Probed | Failure:
        raise ZeroDivisionError

    async def story() -> None:
        made = Looking(probe=broken)
        called: list[None] = []
        made.schedule(ONE, done=lambda: called.append(None))
        await made.settled()
        assert made.prober.jobs == 0
        assert not called
        assert len(made.errors) == 1
        await made.prober.aclose()

    run(story())
