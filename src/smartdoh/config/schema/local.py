"""The table [local]."""

from smartdoh.config.schema._fields import Domain, Schema, key
from smartdoh.config.settings import LocalSettings


class LocalTable(Schema):
    """Names that belong to the local network and are answered here (RFC 6303, RFC 6761)."""

    zones_off: list[Domain] = key(
        [],
        meaning='Local zones resolved like other names, as `"home.arpa"` or `"10.in-addr.arpa"`.',
    )
    rebind_allow: list[Domain] = key(
        [],
        meaning='Public names that may have private addresses, as `"plex.direct"`; see [filters](filters.md).',
    )
    explain: bool = key(
        True,
        meaning="Whether TXT of `NAME.explain.smartdoh` says why NAME gets its answer; see [control](control.md).",
    )

    def resolve(self) -> LocalSettings:
        """The settings of this table."""
        return LocalSettings(
            zones_off=tuple(self.zones_off),
            rebind_allow=tuple(self.rebind_allow),
            explain=self.explain,
        )
