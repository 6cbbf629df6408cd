"""Sets of domain names: is a name, or one above it, in the set?"""

from __future__ import annotations

from collections.abc import Iterable

from smartdoh.wire.names import from_text, parents


class Domains:
    """Names that each stand for themselves and all below them."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names` as people write them, IDN in either form. Raises ValueError where one is no name."""
        self._names = frozenset(from_text(name) for name in names)

    def __bool__(self) -> bool:
        return bool(self._names)

    def __contains__(self, name: object) -> bool:
        """Whether `name`, in folded wire format, is one of them or below one. The border is the label's."""
        return isinstance(name, bytes) and any(parent in self._names for parent in parents(name))
