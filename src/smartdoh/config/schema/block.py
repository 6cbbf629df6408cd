"""The table [block]."""

from typing import Annotated

from smartdoh.config.schema._fields import Between, Schema, key
from smartdoh.config.settings import BlockAnswer, BlockSettings


class BlockTable(Schema):
    """What a blocked name is answered with."""

    answer: BlockAnswer = key("null", meaning="`null` is 0.0.0.0 and ::.")
    ttl: Annotated[float, Between("0s", "7d")] = key("5m", meaning="How long clients may keep the answer.")

    def resolve(self) -> BlockSettings:
        """The settings of this table."""
        return BlockSettings(answer=self.answer, ttl=self.ttl)
