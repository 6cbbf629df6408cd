"""The table [metrics]."""

from typing import Annotated

from smartdoh.config.addresses import Endpoint, parse_endpoint
from smartdoh.config.schema._fields import Schema, Text, key
from smartdoh.config.settings import MetricsSettings

PORT = 9153  # what DNS servers commonly have their metrics on, CoreDNS for one


def _parse(text: str) -> Endpoint | None:
    return parse_endpoint(text, PORT) if text else None


Listen = Annotated[
    Endpoint | None,
    Text(
        _parse, f'"" or an address with a port, as 127.0.0.1:{PORT} or [::1]:{PORT}; without a port, {PORT}'
    ),
]


class MetricsTable(Schema):
    """Counters for Prometheus; see [metrics](metrics.md)."""

    listen: Listen = key(
        "",
        meaning="Where they can be read by HTTP, at /metrics; nowhere by default. Those in `listen.allow` may.",
    )

    def resolve(self) -> MetricsSettings:
        """The settings of this table."""
        return MetricsSettings(listen=self.listen)
