"""The tables [groups.NAME]."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from smartdoh.config.schema._fields import Between, FilePath, Proxy, Schema, Upstream, Whole, Word, key
from smartdoh.config.settings import FastestIp, GroupSettings, Ipv6, Strategy
from smartdoh.wire.private import is_private


class GroupTable(Schema):
    """DNS-over-HTTPS servers that are asked as one; at least one group is needed."""

    upstreams: list[Upstream] = key(
        min_length=1,
        meaning="DoH servers; without a path, `/dns-query`. By address, no bootstrap is needed.",
    )
    strategy: Strategy = key(
        "hedged",
        meaning="`hedged` asks the best and, if it is late, the next; `parallel` asks all at once; "
        "`failover` asks in order.",
    )
    timeout: Annotated[float, Between("10ms", "1m")] = key(
        "5s", meaning="For one question, all attempts together."
    )
    via: Proxy = key(
        "",
        meaning="A proxy for all connections of the group, `user:password@` allowed. Host names are then "
        "resolved by the proxy, but for `socks5://`.",
    )
    ca_file: FilePath = key("", meaning="Certificates (PEM) that are trusted beside the system's.")
    fastest_ip: FastestIp = key(
        "off",
        meaning="Addresses in answers: `first` moves the fastest to the front, `only` keeps it alone.",
    )
    idle: Annotated[float, Between("10ms", "1d")] = key(
        "2m", meaning="A connection without questions for this long is closed."
    )
    trust_ad: bool = key(
        True, meaning="Pass on these servers' word (the AD bit) that an answer was validated by DNSSEC."
    )
    max_in_flight: Annotated[int, Whole(1, 1_000_000)] = key(
        1000, meaning="Requests at a time to one upstream; more wait or go to the next."
    )
    hedge_percent: Annotated[int, Whole(0, 100)] = key(
        5, meaning="At most this share of requests may be second attempts because the first is late."
    )

    private: bool | None = key(
        None,
        meaning="Whether answers may hold private addresses, as those of an office's own servers do; by default if all "
        "upstreams have private addresses themselves.",
    )
    bogus_nxdomain: Word | None = key(
        None,
        meaning="A list of addresses, `[lists.NAME]`; an answer with one of them becomes NXDOMAIN.",
    )
    ipv6: Ipv6 = key(
        "keep",
        meaning="`drop` takes IPv6 addresses out of answers, `drop_if_ipv4` only where the name has IPv4 ones.",
    )

    def resolve(self, name: str, folder: Path) -> GroupSettings:
        """The settings of this table; relative paths are relative to `folder`."""
        return GroupSettings(
            name=name,
            upstreams=tuple(self.upstreams),
            strategy=self.strategy,
            timeout=self.timeout,
            via=self.via,
            ca_file=folder / self.ca_file if self.ca_file else None,
            fastest_ip=self.fastest_ip,
            idle=self.idle,
            trust_ad=self.trust_ad,
            max_in_flight=self.max_in_flight,
            hedge_percent=self.hedge_percent,
            is_private=self._is_private() if self.private is None else self.private,
            bogus_nxdomain=self.bogus_nxdomain or "",
            ipv6=self.ipv6,
        )

    def _is_private(self) -> bool:
        """Whether all of its servers are known to be near."""
        return all(url.is_address and is_private(ip_address(url.host).packed) for url in self.upstreams)
