"""The user's own word on names: overrides, the values of `overrides.json` as look-ups."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from smartdoh.config import Address, Network
from smartdoh.model import Query
from smartdoh.rules.networks import Networks
from smartdoh.wire.names import from_text, parents


@dataclass(frozen=True, slots=True)
class Override:
    """One value: exactly one of the first four says what is meant.

    `until` is when it ends (aware, None for never), `clients` for whom it holds (none for everybody).
    """

    is_blocked: bool = False
    is_allowed: bool = False
    group: str = ""
    addresses: tuple[Address, ...] = ()
    until: datetime | None = None
    clients: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """A name as the file has it: with all below it, or alone (written with a leading `=`)."""

    text: str
    name: bytes  # folded wire format
    alone: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The override that holds for a question, and the key under which it stands."""

    key: Key
    override: Override


def parse_key(text: str) -> Key:
    """A key of the file. Raises ValueError where it is no name."""
    bare = text.removeprefix("=")
    if "*" in bare or not bare.strip("."):
        raise ValueError(
            "is no name; a name stands for itself and all below it, with a leading = for itself alone"
        )
    return Key(text, from_text(bare), alone=text.startswith("="))


@dataclass(frozen=True, slots=True)
class _Entry:
    key: Key
    override: Override
    clients: Networks | None = field(compare=False)


class Overrides:
    """Every override of one file. The longest matching name wins; on one name, `=` before the rest.

    An override that has ended, or is not for the client, is passed over as if it were not there.
    """

    def __init__(self, entries: Mapping[Key, Iterable[Override]]) -> None:
        self.entries = {key: tuple(values) for key, values in entries.items()}
        self._alone: dict[bytes, list[_Entry]] = {}
        self._below: dict[bytes, list[_Entry]] = {}
        self._reverse: dict[bytes, _Entry] = {}
        for key, values in self.entries.items():
            for value in values:
                self._add(_Entry(key, value, Networks(value.clients) if value.clients else None))

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def clients(self) -> frozenset[tuple[Network, ...]]:
        """The sets of networks that overrides look at; clients have to be told apart by them."""
        return frozenset(
            value.clients for values in self.entries.values() for value in values if value.clients
        )

    def find(self, query: Query, now: datetime) -> Found | None:
        """The override that holds for the name of `query`, or None."""
        name = query.name
        for entry in self._alone.get(name, ()):
            if _holds(entry, query, now):
                return Found(entry.key, entry.override)
        if not self._below:
            return None
        for parent in parents(name):
            for entry in self._below.get(parent, ()):
                if _holds(entry, query, now):
                    return Found(entry.key, entry.override)
        return None

    def find_reverse(self, query: Query, now: datetime) -> Key | None:
        """The name that the reverse name of an overriding address leads back to."""
        entry = self._reverse.get(query.name)
        return entry.key if entry is not None and _holds(entry, query, now) else None

    def next_end(self, now: datetime) -> datetime | None:
        """When the next override ends."""
        return min((end for end in self._ends() if end > now), default=None)

    def ended(self, since: datetime, now: datetime) -> list[Key]:
        """The keys with an override that ended after `since` and not after `now`."""
        return [
            key
            for key, values in self.entries.items()
            if any(value.until is not None and since < value.until <= now for value in values)
        ]

    def changed(self, other: Overrides) -> list[Key]:
        """The keys whose values differ between the two."""
        keys = {**self.entries, **other.entries}
        return [key for key in keys if self.entries.get(key) != other.entries.get(key)]

    def _ends(self) -> Iterable[datetime]:
        return (
            value.until for values in self.entries.values() for value in values if value.until is not None
        )

    def _add(self, entry: _Entry) -> None:
        table = self._alone if entry.key.alone else self._below
        table.setdefault(entry.key.name, []).append(entry)
        for address in entry.override.addresses:
            self._reverse.setdefault(from_text(address.reverse_pointer), entry)


def reverse_names(override: Override) -> list[bytes]:
    """The names of the PTR records that an override makes, in folded wire format."""
    return [from_text(ipaddress.ip_address(address).reverse_pointer) for address in override.addresses]


def _holds(entry: _Entry, query: Query, now: datetime) -> bool:
    until = entry.override.until
    if until is not None and now >= until:
        return False
    return entry.clients is None or query.host in entry.clients
