"""Finding the addresses of upstreams' host names, and nothing else."""

from __future__ import annotations

from typing import Protocol


class Finder(Protocol):
    """The addresses of one host name."""

    def known(self) -> tuple[str, ...]:
        """What is known now, the last good addresses included; may start a refresh. Empty before the first answer."""
        ...

    async def find(self) -> tuple[str, ...]:
        """The addresses, asked for if none are known. Raises UpstreamError."""
        ...


class Bootstrap:
    def __init__(self, servers: object, tasks: object) -> None:
        pass

    def finder(self, host: str) -> Finder:
        raise NotImplementedError
