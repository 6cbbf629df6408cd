"""Where a server under test is put: its port, its folder, and the upstreams it may ask."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One upstream on 127.0.0.1, by its ports; `plain` is 0 where it speaks DoH only."""

    doh: int
    plain: int = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.doh}/dns-query"


@dataclass(frozen=True, slots=True)
class Site:
    """What a server is to be: where it listens, whom it asks and how, where its files go."""

    folder: Path
    port: int
    upstreams: tuple[Endpoint, ...]
    over_doh: bool
    ca_file: Path
    cache_entries: int
    workers: int = 1
    besides: str = ""
    """More of smartdoh's config, whole tables."""

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)
