"""The stories of the cache, told to the pipeline with a clock in hand."""

from __future__ import annotations

import asyncio

import pytest

from tests.scenario.messages import soa
from tests.scenario.world import World, settle
from tests.stories.language import Ask, Asked, Pass, Says, Step, Story, stories
from tests.stories.telling import assert_as_told

NAME = "www.example.com."
ZONE = "example.com."


class Teller:
    """One story in a world of its own."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.world = World(story.config)
        self.says = Says(is_silent=True)

    async def tell(self) -> None:
        """All steps; each is over when nothing is left to do but waiting."""
        try:
            for line, step in self.story.steps:
                await self.take(f"{self.story.name} line {line}", step)
        finally:
            await self.world.end()
        assert not self.world.bugs

    async def take(self, where: str, step: Step) -> None:
        """One step."""
        match step:
            case Says():
                self.says = step
            case Pass():
                self.world.clock.forward(step.seconds)
            case Asked():
                assert len(self.world.upstream.asked) == step.count, where
            case Ask():
                flags = "RD" if step.is_recursive else ""
                client = await self.world.ask(NAME, step.rtype, edns=True, flags=flags)
                await self.answer()
                if step.expected is not None:
                    assert_as_told(where, client.message, step.expected)

    async def answer(self) -> None:
        """Have the upstream say what it says to all who wait for it."""
        while self.world.upstream.waiting and not self.says.is_silent:
            records = [f"{NAME} {ttl} {rtype} {rdata}" for ttl, rtype, rdata in self.says.records]
            authority = (soa(ZONE, *self.says.soa),) if self.says.soa else ()
            self.world.upstream.answer(*records, rcode=self.says.rcode, authority=authority)
            await settle()


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.name)
def test_story(story: Story) -> None:
    async def play() -> None:
        await Teller(story).tell()

    asyncio.run(play())
