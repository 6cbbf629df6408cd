"""The shapes of what was asked, as the query log and those who follow it have it."""

from __future__ import annotations

from typing_extensions import TypedDict

from smartdoh.control.api.shapes_live import Question


class Questions(TypedDict):
    """What a search found, the newest first."""

    questions: list[Question]
    before: int | None  # what to say as `before` for what comes next; None: there is no more


class Lost(TypedDict):
    """How many questions were not sent since the last such event: too many came at once."""

    count: int
