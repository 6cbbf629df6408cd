"""The config as it is written: one small file a table, and the document they make together."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from smartdoh.config.problems import Problem
from smartdoh.config.schema._fields import Kind, RefusedValueError, Schema, Word, key
from smartdoh.config.schema.block import BlockTable
from smartdoh.config.schema.bootstrap import BootstrapTable
from smartdoh.config.schema.cache import CacheTable
from smartdoh.config.schema.dashboard import DashboardTable
from smartdoh.config.schema.dnstap import DnstapTable
from smartdoh.config.schema.groups import GroupTable
from smartdoh.config.schema.limits import LimitsTable
from smartdoh.config.schema.listen import ListenTable
from smartdoh.config.schema.lists import ListTable
from smartdoh.config.schema.local import LocalTable
from smartdoh.config.schema.log import LogTable
from smartdoh.config.schema.metrics import MetricsTable
from smartdoh.config.schema.query_log import QueryLogTable
from smartdoh.config.schema.routing import RoutingTable, RuleTable
from smartdoh.config.schema.server import ServerTable
from smartdoh.config.settings import Settings

__all__ = ["TABLES", "Document", "Kind", "RefusedValueError", "Schema"]


class Document(Schema):
    """A whole config file."""

    listen: ListenTable = key({})
    bootstrap: BootstrapTable = key({})
    groups: dict[Word, GroupTable] = key(min_length=1)
    routing: RoutingTable = key({})
    lists: dict[Word, ListTable] = key({})
    block: BlockTable = key({})
    cache: CacheTable = key({})
    log: LogTable = key({})
    query_log: QueryLogTable = key({})
    local: LocalTable = key({})
    limits: LimitsTable = key({})
    server: ServerTable = key({})
    metrics: MetricsTable = key({})
    dnstap: DnstapTable = key({})
    dashboard: DashboardTable = key({})

    def check(self) -> Iterator[Problem]:
        """What only the written form shows: a list that comes from nowhere."""
        for name, table in self.lists.items():
            if not table.url and not table.file:
                yield Problem(("lists", name), "the list comes from nowhere; allowed: url, file or both")

    def resolve(self, folder: Path, state_dir: Path) -> Settings:
        """The settings, before the checks that look at more than one key."""
        groups = {name: table.resolve(name, folder) for name, table in self.groups.items()}
        lists = {name: table.resolve(name, folder, state_dir) for name, table in self.lists.items()}
        return Settings(
            listen=self.listen.resolve(),
            bootstrap=self.bootstrap.resolve(),
            groups=MappingProxyType(groups),
            routing=self.routing.resolve(next(iter(groups)), folder),
            lists=MappingProxyType(lists),
            block=self.block.resolve(),
            cache=self.cache.resolve(folder, state_dir),
            log=self.log.resolve(),
            query_log=self.query_log.resolve(folder, state_dir),
            local=self.local.resolve(),
            limits=self.limits.resolve(),
            server=self.server.resolve(),
            metrics=self.metrics.resolve(),
            dnstap=self.dnstap.resolve(folder),
            dashboard=self.dashboard.resolve(),
            state_dir=state_dir,
        )


TABLES: dict[str, type[Schema]] = {  # by the path to a table, `*` for a name and `[]` for a place in a list
    "": Document,
    "listen": ListenTable,
    "bootstrap": BootstrapTable,
    "groups.*": GroupTable,
    "routing": RoutingTable,
    "routing.rules[]": RuleTable,
    "lists.*": ListTable,
    "block": BlockTable,
    "cache": CacheTable,
    "log": LogTable,
    "query_log": QueryLogTable,
    "local": LocalTable,
    "limits": LimitsTable,
    "server": ServerTable,
    "metrics": MetricsTable,
    "dnstap": DnstapTable,
    "dashboard": DashboardTable,
}
