"""The overrides' file as it is read: bounded."""

from pathlib import Path

import pytest

from smartdoh.app.overrides_reading import read
from smartdoh.errors import ConfigError
from smartdoh.rules.overrides_file import LARGEST


@pytest.mark.parametrize("filling", [b" ", "\u00fc".encode()])
def test_a_file_without_end_is_not_read_to_its_end(tmp_path: Path, filling: bytes) -> None:
    path = tmp_path / "overrides.json"
    with path.open("wb") as file:
        file.write(b" " + filling * (LARGEST // len(filling)))
        file.truncate(1 << 40)  # it takes no room, and nobody has so much memory
    with pytest.raises(ConfigError, match="is longer than"):
        read(path, ())
