"""The six formats of lists; each file here owns one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from smartdoh.rules.lists.dialects import adblock, addresses, autoproxy, dnsmasq, domains, hosts

if TYPE_CHECKING:
    from smartdoh.config.settings import ListFormat
    from smartdoh.rules.lists.dialects.dialect import Dialect

DIALECTS: Mapping[ListFormat, Dialect] = {
    "autoproxy": autoproxy.DIALECT,
    "adblock": adblock.DIALECT,
    "hosts": hosts.DIALECT,
    "dnsmasq": dnsmasq.DIALECT,
    "domains": domains.DIALECT,
    "addresses": addresses.DIALECT,
}
