"""The tables [lists.NAME]."""

from pathlib import Path
from typing import Annotated

from smartdoh.config.schema._fields import Between, Domain, FilePath, ListUrl, Schema, Whole, Word, key
from smartdoh.config.settings import ListFormat, ListSettings, OnMissing


class ListTable(Schema):
    """A list of names for rules, or of addresses for a group; it needs a `url`, a `file` or both."""

    url: ListUrl = key("", meaning="Where the list is fetched from.")
    file: FilePath = key(
        "",
        meaning="Where the list is kept, by default in the state directory; without `url`, a local file "
        "that is watched.",
    )
    format: ListFormat = key("domains", meaning="How the list is written.")
    refresh: Annotated[float, Between("1s", "30d")] = key("24h", meaning="How often it is fetched again.")
    on_missing: OnMissing = key(
        "open",
        meaning="While there is no list: `open` goes on as if its rule were not there, `closed` refuses "
        "what would be looked up in it.",
    )

    group: Word | None = key(
        None,
        meaning="The group through which it is fetched, by default that of the first rule or group which uses it.",
    )
    canaries: list[Domain] = key(
        [],
        meaning="Names that must never be on it: a new list that matches one, where the old one did not, is set aside.",
    )
    guard: Annotated[int, Whole(0, 100)] = key(
        5,
        meaning="A new list that changes what becomes of more than so many per cent of the questions of the last 7 "
        "days is set aside; needs `[query_log]`. 0 lets all pass.",
    )
    largest: Annotated[int, Whole(1024, 1 << 30)] = key(
        64 << 20, meaning="The most octets that are fetched; a longer list is refused."
    )

    def resolve(self, name: str, folder: Path, state_dir: Path) -> ListSettings:
        """The settings of this table; relative paths are relative to `folder`."""
        state = state_dir / "lists"
        return ListSettings(
            name=name,
            url=self.url,
            file=folder / self.file if self.file else state / f"{name}.txt",
            state_dir=state,
            format=self.format,
            refresh=self.refresh,
            on_missing=self.on_missing,
            group=self.group or "",
            canaries=tuple(self.canaries),
            guard=self.guard,
            largest=self.largest,
        )
