"""The table [listen]."""

from typing import Annotated

from smartdoh.config.schema._fields import Between, ListenAddress, NetworkText, Schema, Whole, key
from smartdoh.config.settings import ListenSettings

PRIVATE = [  # loopback; RFC 1918; RFC 3927; RFC 4291 section 2.5.6; RFC 4193
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fe80::/10",
    "fc00::/7",
]


class ListenTable(Schema):
    """Where programs ask, and who may."""

    dns: list[ListenAddress] = key(
        ["127.0.0.1:5553"], min_length=1, meaning="UDP and TCP, both, on each address."
    )
    allow: list[NetworkText] = key(
        PRIVATE,
        min_length=1,
        meaning="Who may ask; by default loopback and private networks. Others get REFUSED.",
    )
    hide_version: bool = key(
        False, meaning="Refuse version.bind and id.server instead of naming the product."
    )
    tcp_connections: Annotated[int, Whole(1, 65_536)] = key(
        512,
        meaning="TCP connections at a time, over all addresses; past that a new one takes the place of the one that "
        "has been idle for longest, and is refused only where none is.",
    )
    tcp_per_client: Annotated[int, Whole(0, 65_536)] = key(
        0, meaning="How many of them one client may have; `0` is a quarter of all."
    )
    tcp_idle: Annotated[float, Between("10ms", "1h")] = key(
        "10s", meaning="A TCP connection without a whole question for this long is closed (RFC 7766)."
    )
    rate: Annotated[int, Whole(0, 1_000_000)] = key(
        0,
        meaning="Questions a second that one client may ask over UDP, IPv4 by address, IPv6 by /56, loopback as it "
        "likes; `0` turns it off.",
    )
    burst: Annotated[int, Whole(0, 10_000_000)] = key(
        0, meaning="How many of them at once; `0` is what `rate` allows in two seconds."
    )

    cookies: bool = key(
        True,
        meaning="Clients that send a DNS cookie get one back (RFC 7873); questions that bring it along are not counted "
        "by `rate`.",
    )

    def resolve(self) -> ListenSettings:
        """The settings of this table."""
        return ListenSettings(
            dns=tuple(self.dns),
            allow=tuple(self.allow),
            hide_version=self.hide_version,
            tcp_connections=self.tcp_connections,
            tcp_per_client=self.tcp_per_client,
            tcp_idle=self.tcp_idle,
            rate=self.rate,
            burst=self.burst or 2 * self.rate,
            cookies=self.cookies,
        )
