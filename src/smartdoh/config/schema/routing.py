"""The table [routing] and its rules."""

from pathlib import Path
from typing import Annotated

from smartdoh.config.names import parse_word
from smartdoh.config.schema._fields import Domain, FilePath, NetworkText, Qtype, Schema, Text, Word, key
from smartdoh.config.settings import Action, RoutingSettings, Rule


class RuleTable(Schema):
    """One rule: all that is given must match.

    At least one of `domains`, `list`, `types` and `clients` is given, and exactly one of `group`
    and `action`.
    """

    domains: list[Domain] = key([], meaning="Names, each for itself and all below it.")
    list_name: Word | None = key(None, alias="list", meaning="A list of names, `[lists.NAME]`.")
    types: list[Qtype] = key([], meaning="Types of records asked for.")
    clients: list[NetworkText] = key([], meaning="Who asks.")
    group: Word | None = key(None, meaning="The group that is asked.")
    action: Action | None = key(None, meaning="`block` answers as `[block]` says.")

    def resolve(self) -> Rule:
        """The rule of the settings."""
        return Rule(
            names=tuple(self.domains),
            list=self.list_name,
            types=tuple(self.types),
            clients=tuple(self.clients),
            group=self.group,
            action=self.action,
        )


class RoutingTable(Schema):
    """Which group answers which question."""

    default: Annotated[str, Text(lambda text: text and parse_word(text), "the name of a group")] = key(
        "", meaning="The group for what no rule matches; by default the first group of the file."
    )
    overrides: FilePath = key(
        "", meaning="A JSON file of names with what they get, which may be edited while the proxy runs."
    )
    rules: list[RuleTable] = key([], meaning="In order; the first that matches decides.")

    def resolve(self, first_group: str, folder: Path) -> RoutingSettings:
        """The settings of this table; relative paths are relative to `folder`."""
        return RoutingSettings(
            default=self.default or first_group,
            overrides=folder / self.overrides if self.overrides else None,
            rules=tuple(rule.resolve() for rule in self.rules),
        )
