"""The table [limits]."""

from typing import Annotated

from smartdoh.config.schema._fields import Between, Schema, Whole, key
from smartdoh.config.settings import LimitsSettings


class LimitsTable(Schema):
    """What is given up when too much is asked at once; cached names are always answered."""

    questions: Annotated[int, Whole(1, 1_000_000)] = key(
        10_000,
        meaning="Questions that may wait for an upstream at a time. Past that, clients that have few waiting take the "
        "places of those that have most; a lone client may have all.",
    )
    wait: Annotated[float, Between("100ms", "30s")] = key(
        "5s", meaning="The longest that a client waits; an answer that comes later is kept, but not sent."
    )
    zone_failures: Annotated[int, Whole(0, 1_000_000)] = key(
        100,
        meaning="Names a second that do not exist, or have no answer, and are looked up for one zone, twenty times "
        "as many at once; past that names of it that were never heard of get SERVFAIL. `0` turns it off.",
    )

    def resolve(self) -> LimitsSettings:
        """The settings of this table."""
        return LimitsSettings(questions=self.questions, wait=self.wait, zone_failures=self.zone_failures)
