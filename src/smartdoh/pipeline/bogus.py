"""The shaper for addresses that stand for "no such name": what some networks' servers say instead of NXDOMAIN."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from smartdoh.model import Answer, Query, Route
from smartdoh.pipeline.shaping import instead
from smartdoh.rules.lists import NameSet
from smartdoh.rules.lists.dialects.addresses import address_key
from smartdoh.wire.codes import EDE_OTHER


class Bogus:
    """The shaper. `lists` has every list by its name, None for one that was never loaded, and may be replaced."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        """`wanted` are the names of lists of addresses by those of the groups that use them."""
        self._wanted = {group: name for group, name in wanted.items() if name}
        self.is_wanted = bool(self._wanted)
        self.lists: Mapping[str, NameSet | None] = {}

    def __call__(self, query: Query, route: Route, answer: Answer) -> Answer:
        """NXDOMAIN for an answer with an address that is listed."""
        name = self._wanted.get(route.group)
        addresses = self.lists.get(name) if name is not None else None
        if addresses is None:
            return answer
        for at, size in answer.scan.addresses:
            address = answer.wire[at : at + size]
            match = addresses.match_key(address_key(address))
            if match is not None:
                why = f"bogus: {ipaddress.ip_address(address)}, {name} line {match.line}"
                return instead(query, answer, EDE_OTHER, why, exists=False)
        return answer
