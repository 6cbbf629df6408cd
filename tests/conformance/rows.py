"""The rows as they are written down in rows.toml: what is asked, where it stands, how much it binds."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = Path(__file__).with_name("rows.toml")

Level = Literal["M", "S", "M/S", "S/M", "P", "-"]
"""MUST or needed for safety, SHOULD, some of each, what a product needs, nothing that a forwarder does."""


@dataclass(frozen=True, slots=True)
class Row:
    """One promise."""

    key: str
    table: str
    behaviour: str
    source: str
    level: Level
    exception: str = ""
    """Why smartdoh does otherwise, argued; allowed for S alone."""
    """What has to come before smartdoh passes."""
    note: str = ""
    """What else is to be said of how smartdoh does it."""


def load() -> tuple[Row, ...]:
    """All rows, in the order of the file."""
    tables = tomllib.loads(FILE.read_text("utf-8"))
    return tuple(
        Row(key=key, table=table, **values) for table, rows in tables.items() for key, values in rows.items()
    )
