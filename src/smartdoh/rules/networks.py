"""Sets of networks, and the question whether an address lies in one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from smartdoh.config import Network

MOST_REMEMBERED = 65_536  # addresses whose answer is remembered


class Networks:
    """Networks of both families. Verdicts are remembered, so that an address is parsed once."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)
        self._verdicts: dict[str, bool] = {}

    def __iter__(self) -> Iterator[Network]:
        """The networks."""
        return iter(self._networks)

    def __contains__(self, host: str) -> bool:
        """Whether `host`, an address as text, with or without a zone, is in one of them."""
        verdict = self._verdicts.get(host)
        if verdict is None:
            verdict = self._look(host)
            if len(self._verdicts) >= MOST_REMEMBERED:
                self._verdicts.clear()
            self._verdicts[host] = verdict
        return verdict

    def _look(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        wanted = mapped or address
        return any(wanted in network for network in self._networks if network.version == wanted.version)
