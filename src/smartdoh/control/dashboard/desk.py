"""What all pages of one dashboard share: the proxy they ask and the feed they are fed by."""

from __future__ import annotations

from dataclasses import dataclass

from smartdoh.control.dashboard.client import Proxy
from smartdoh.control.dashboard.feed import Feed
from smartdoh.control.dashboard.password import Secret


@dataclass(frozen=True, slots=True)
class Desk:
    """One for the whole process."""

    proxy: Proxy
    feed: Feed
    secret: Secret
