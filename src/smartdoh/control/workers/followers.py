"""Those who follow what is asked of all workers, as one of them knows them: who does not look again is forgotten."""

from __future__ import annotations

import asyncio

from typing_extensions import TypedDict

from smartdoh.app.questions.following import Following
from smartdoh.app.questions.hub import Hub
from smartdoh.control.api.asking import question
from smartdoh.control.api.endpoint import Asked
from smartdoh.control.api.filters import wanted
from smartdoh.control.api.shapes_live import Question

PATIENCE = 5.0  # seconds without a look, after which a follower is gone
MOST = 32


class AskedShare(TypedDict):
    """What was asked of one worker."""

    questions: list[Question]
    lost: int


class Followers:
    """By the words that they call themselves."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._all: dict[str, tuple[Following, asyncio.TimerHandle]] = {}

    async def fetch(self, asked: Asked) -> AskedShare:
        """What was asked since this follower's last look; nothing the first time."""
        word = asked.text("follower")
        if word in self._all:
            mine, timer = self._all[word]
            timer.cancel()
        elif len(self._all) >= MOST:
            return AskedShare(questions=[], lost=0)
        else:
            mine = Following(wanted(asked))
            self._hub.add(mine, mine.most)
        timer = asyncio.get_running_loop().call_later(PATIENCE, self._forget, word)
        self._all[word] = mine, timer
        seen, lost = mine.fetch()
        return AskedShare(questions=[question(one) for one in seen], lost=lost)

    def _forget(self, word: str) -> None:
        mine, _ = self._all.pop(word)
        self._hub.remove(mine)
