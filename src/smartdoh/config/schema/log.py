"""The table [log]."""

from smartdoh.config.schema._fields import Schema, key
from smartdoh.config.settings import LogFormat, LogLevel, LogSettings


class LogTable(Schema):
    """What is written to stderr."""

    level: LogLevel = key("info", meaning="The least important that is logged.")
    queries: bool = key(False, meaning="Log every question; what people look at is then in the log.")
    format: LogFormat = key("auto", meaning="`auto` is `text` on a terminal and `json` elsewhere.")

    def resolve(self) -> LogSettings:
        """The settings of this table."""
        return LogSettings(level=self.level, queries=self.queries, format=self.format)
