"""Sets of domain names: is a name, or one above it, in the set?"""

from __future__ import annotations

from collections.abc import Iterable

import marisa_trie

from smartdoh.rules.lists.keys import key_of
from smartdoh.wire.names import from_text

FEW = 32  # names up to which holding a key against each is faster than a trie


class Domains:
    """Names that each stand for themselves and all below them."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names` as people write them, IDN in either form. Raises ValueError where one is no name."""
        self._keys = tuple({key_of(from_text(name)): None for name in names})
        self._trie = marisa_trie.BinaryTrie(self._keys) if len(self._keys) > FEW else None

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __contains__(self, name: object) -> bool:
        """Whether `name`, in folded wire format, is one of them or below one. The border is the label's."""
        return isinstance(name, bytes) and self.covers(key_of(name))

    def covers(self, key: bytes) -> bool:
        """The same, of the name that has this key."""
        return key.startswith(self._keys) if self._trie is None else bool(self._trie.prefixes(key))
