"""Parts: taken over where nothing that they were made from has changed, and closed once nobody uses them."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable

from smartdoh.app.parts import Parts
from smartdoh.tasks import Tasks


def make(name: str) -> Callable[[Tasks], list[str]]:
    """A part that can be told from others of its name."""
    return lambda _: [name]


def play(story: Callable[[list[str]], Awaitable[None]]) -> None:
    closed: list[str] = []
    asyncio.run(story(closed))  # type: ignore[arg-type]


def report(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


def test_what_has_its_key_still_is_taken_over_and_the_rest_is_closed_last_made_first() -> None:
    async def story(closed: list[str]) -> None:
        async def close(part: list[str]) -> None:
            closed.append(part[0])

        old = Parts(report)
        for name in "abc":
            old.take(name, make(name), close)
        new = Parts(report, old)
        kept = new.take("b", make("other"), close)
        new.take("d", make("d"), close)
        new.settle()
        assert kept == ["b"]
        await old.without(new).aclose()
        assert closed == ["c", "a"]
        await new.aclose()
        assert closed == ["c", "a", "d", "b"]

    play(story)


def test_the_same_key_twice_is_one_part() -> None:
    parts = Parts(report)
    assert parts.take("a", make("a")) is parts.take("a", make("a"))
    assert len(parts) == 1


def test_a_part_s_tasks_have_ended_when_it_is_closed_and_not_before() -> None:
    async def story(closed: list[str]) -> None:
        started: list[Tasks] = []

        def make_busy(tasks: Tasks) -> list[str]:
            started.append(tasks)
            tasks.start(asyncio.Event().wait(), "busy")  # type: ignore[arg-type]
            return ["busy"]

        async def close(part: list[str]) -> None:
            assert not len(started[0])
            closed.append(part[0])

        old = Parts(report)
        old.take("a", make_busy, close)
        new = Parts(report, old)
        new.take("a", make_busy, close)
        await old.without(new).aclose()
        assert len(started[0]) == 1
        await new.aclose()
        assert closed == ["busy"]

    play(story)


def test_what_was_made_for_a_config_that_is_refused_is_closed_and_nothing_else() -> None:
    closed: list[str] = []

    def close(part: list[str]) -> None:
        closed.append(part[0])

    old = Parts(report)
    old.take("a", make("a"), close)
    new = Parts(report, old)
    new.take("a", make("a"), close)
    new.take("b", make("b"), close)
    new.abandon()
    assert closed == ["b"]


def test_once_all_is_taken_what_was_left_is_not_held() -> None:
    class Thing:
        """Something that can be referred to weakly."""

    old = Parts(report)
    thing = weakref.ref(old.take("a", lambda _: Thing()))
    new = Parts(report, old)
    del old
    assert thing() is not None
    new.settle()
    assert thing() is None
