"""The stories of the cache, told to a running server whose clock jumps."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator

import pytest

from tests.conformance.messages import RD, opt
from tests.conformance.script import Asked as Question
from tests.conformance.script import Said, reply_to, soa
from tests.conformance.stage import Stage, stage
from tests.conformance.world import World
from tests.stories.language import Ask, Asked, Pass, Says, Step, Story, stories
from tests.stories.telling import assert_as_told

SECONDS = 4.0  # in which what goes on behind an answer has come about


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The upstream; stories with the same config share a server."""
    with stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


class Teller:
    """One story, about a name that no other story asks for."""

    def __init__(self, story: Story, world: World) -> None:
        self.story = story
        self.world = world
        self.name = world.name(story.name)

    def tell(self) -> None:
        """All steps."""
        for line, step in self.story.steps:
            self.take(f"{self.story.name} line {line}", step)

    def take(self, where: str, step: Step) -> None:
        """One step."""
        match step:
            case Says():
                self.world.script.says(self.name, lambda asked: said(asked, step))
            case Pass():
                self.world.pass_time(step.seconds)
            case Asked():
                self.world.script.wait_for(self.name, step.count)
                self.world.settle()
                count = len(self.world.script.asked(self.name))
                assert count == step.count, f"{where}: asked {count} times"
            case Ask():
                self.ask(where, step)

    def ask(self, where: str, step: Ask) -> None:
        """Once; again only where what goes on behind the last answer may not have ended yet."""
        deadline = time.monotonic() + SECONDS
        while True:
            answer = self.world.ask_name(
                self.name, step.rtype, flags=RD if step.is_recursive else 0, edns=opt()
            )
            if step.expected is None:
                return
            try:
                assert_as_told(where, answer.message, step.expected)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


def said(asked: Question, says: Says) -> Said:
    """What a story has the upstream say, as an answer."""
    if says.is_silent:
        return None
    records = [f"@ {ttl} {rtype} {rdata}" for ttl, rtype, rdata in says.records]
    return reply_to(asked, *records, authority=[soa(*says.soa)] if says.soa else [], rcode=says.rcode)


@pytest.mark.parametrize("story", stories(), ids=lambda story: story.name)
def test_story(on: Stage, story: Story) -> None:
    Teller(story, on.configured(tomllib.loads(story.config))).tell()
