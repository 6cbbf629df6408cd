"""The table [dashboard]."""

import re
from typing import Annotated

from smartdoh.config.addresses import Endpoint, parse_endpoint
from smartdoh.config.names import parse_host
from smartdoh.config.schema._fields import Schema, Text, key
from smartdoh.config.settings import DashboardSettings

_HASH = re.compile(r"\$argon2id\$[A-Za-z0-9+/=$,]{20,500}")


def _parse_hash(text: str) -> str:
    if text and not _HASH.fullmatch(text):
        raise ValueError("is not a hash")
    return text


def _parse_listen(text: str) -> Endpoint | None:
    if not text:
        return None
    if not re.search(r":[0-9]+$", text):
        raise ValueError("has no port")
    return parse_endpoint(text)


PageAddress = Annotated[
    Endpoint | None, Text(_parse_listen, "an address with a port, as 127.0.0.1:8053 or [::1]:8053")
]
HostName = Annotated[str, Text(parse_host, "a host name without a port")]
PasswordHash = Annotated[str, Text(_parse_hash, "what `smartdoh dashboard password --print` prints")]


class DashboardTable(Schema):
    """The pages that show in a browser what is asked and answered."""

    listen: PageAddress = key(
        "",
        meaning="Where the dashboard is; without it there is none. Any address but loopback needs a password; see "
        "[dashboard](dashboard.md).",
    )
    hosts: list[HostName] = key(
        [],
        meaning="Names by which browsers may reach it, beside `localhost` and the address; those of a proxy in front "
        "of it.",
    )
    password_hash: PasswordHash = key(
        "",
        meaning="The password, in place of the one that `smartdoh dashboard password` keeps in the state directory.",
    )

    def resolve(self) -> DashboardSettings:
        """The settings of this table."""
        return DashboardSettings(
            listen=self.listen, hosts=tuple(self.hosts), password_hash=self.password_hash
        )
