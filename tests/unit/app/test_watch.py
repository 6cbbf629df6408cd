"""A change of a file is noticed, however it is made."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smartdoh.app.watch import changes, state_of

SOON = 5.0  # seconds that a change may take to be noticed on a busy machine


def write(path: Path) -> None:
    path.write_text("second, longer")


def replace(path: Path) -> None:
    new = path.with_suffix(".new")
    new.write_text("second, longer")
    new.replace(path)


def remove_and_make(path: Path) -> None:
    path.unlink()
    path.write_text("second, longer")


@pytest.mark.parametrize("change", [write, replace, remove_and_make])
def test_a_file_changes(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "overrides.json"
    path.write_text("first")
    asyncio.run(is_noticed(path, lambda: change(path)))


def test_a_file_comes_into_being(tmp_path: Path) -> None:
    path = tmp_path / "overrides.json"
    asyncio.run(is_noticed(path, lambda: write(path)))


def test_a_symlink_two_folders_away_moves(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: file -> ..data/file, ..data -> ..2026_1."""
    for version in ("..2026_1", "..2026_2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "overrides.json").write_text(version * len(version))
    (tmp_path / "..data").symlink_to("..2026_1")
    (tmp_path / "overrides.json").symlink_to("..data/overrides.json")

    def move() -> None:
        (tmp_path / "..new").symlink_to("..2026_2")
        os.replace(tmp_path / "..new", tmp_path / "..data")

    asyncio.run(is_noticed(tmp_path / "overrides.json", move))
    asyncio.run(
        is_noticed(tmp_path / "overrides.json", lambda: write(tmp_path / "..2026_2" / "overrides.json"))
    )


def test_other_files_are_nobodys_business(tmp_path: Path) -> None:
    path = tmp_path / "overrides.json"
    path.write_text("first")

    def write_both() -> None:
        (tmp_path / "other.json").write_text("x")
        write(path)

    seen = asyncio.run(is_noticed(path, write_both))
    assert seen == ["second, longer"]


def read(path: Path) -> str:
    return path.read_text()


async def is_noticed(path: Path, change: Callable[[], None]) -> list[str]:
    """What the file held whenever a change was noticed, from before `change` until the first notice."""
    seen: list[str] = []
    noticed = asyncio.Event()

    before = state_of(path)

    async def watch() -> None:
        async for _ in changes(path, before):
            seen.append(read(path))
            noticed.set()

    watching = asyncio.create_task(watch())
    try:
        async with asyncio.timeout(SOON):
            change()
            await noticed.wait()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return seen
