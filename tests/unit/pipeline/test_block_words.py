"""What a blocked answer says in its Extended DNS Error: the list and its line, or the rule."""

import pytest

from smartdoh.model import Route
from smartdoh.pipeline.block import words

BY_LIST = Route("main", True, False, "routing.rules[1]: ads line 17", list_name="ads", file="/x/ads", line=17)


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (BY_LIST, "blocked by list ads line 17 (routing.rules[1])"),
        (
            BY_LIST._replace(why=f"{BY_LIST.why}, by alias t.example.", alias="t.example."),
            "blocked by list ads line 17 (routing.rules[1]), by alias t.example.",
        ),
        (
            Route("main", True, True, "overrides.json: ads.example.com"),
            "blocked by overrides.json: ads.example.com",
        ),
        (Route("main", True, True, "routing.rules[0]"), "blocked by routing.rules[0]"),
    ],
)
def test_what_blocks_is_named(route: Route, said: str) -> None:
    assert words(route) == said
