"""The table [bootstrap]."""

from smartdoh.config.schema._fields import BootstrapServer, Schema, key
from smartdoh.config.settings import BootstrapSettings


class BootstrapTable(Schema):
    """Resolves the host names of upstreams and proxies, nothing else."""

    servers: list[BootstrapServer] = key(
        [],
        meaning="Plain DNS servers, or DoH servers by address. Needed only where an upstream or a proxy "
        "has a host name.",
    )
    remember: bool = key(
        True, meaning="Keep the last good addresses in the state directory, for a start without a network."
    )

    def resolve(self) -> BootstrapSettings:
        """The settings of this table."""
        return BootstrapSettings(servers=tuple(self.servers), remember=self.remember)
