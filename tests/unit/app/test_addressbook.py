"""The addresses on disk: what is written, what is believed, and that nothing of it can do harm."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from smartdoh.app.addressbook import CONFIRM, FILE_NAME, MOST_HOSTS, AddressBook, parse, render
from smartdoh.tasks import Tasks
from tests.in_loop import in_loop

ONE: dict[str, tuple[str, ...]] = {"doh.test": ("192.0.2.1", "2001:db8::1")}
TWO: dict[str, tuple[str, ...]] = {"other.test": ("192.0.2.2",)}


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def noted(
    folder: Path, *learned: dict[str, tuple[str, ...]], wall: Callable[[], float] | None = None
) -> AddressBook:
    """A book that has been told, and has written."""
    bugs: list[BaseException] = []
    tasks = Tasks(lambda name, error: bugs.append(error))
    book = AddressBook(folder, tasks, wall or Clock())
    for what in learned:
        book.note(what)
    while len(tasks):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert not bugs
    return book


@in_loop
async def test_what_was_found_is_known_to_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    await noted(folder, ONE, TWO)
    assert AddressBook(folder, Tasks(print)).known() == ONE | TWO
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@in_loop
async def test_two_processes_add_to_one_file(tmp_path: Path) -> None:
    first = await noted(tmp_path, ONE)
    await noted(tmp_path, TWO)
    assert first.known() == ONE
    assert AddressBook(tmp_path, Tasks(print)).known() == ONE | TWO


@in_loop
async def test_what_is_no_news_is_not_written(tmp_path: Path) -> None:
    """Servers change the order of addresses all the time; once a day the date is renewed."""
    clock = Clock()
    book = await noted(tmp_path, ONE, wall=clock)
    before = (tmp_path / FILE_NAME).stat().st_ino
    clock.now += CONFIRM - 1
    book.note({"doh.test": ("2001:db8::1", "192.0.2.1")})
    assert not book._is_writing
    assert (tmp_path / FILE_NAME).stat().st_ino == before
    clock.now += 2
    book.note(ONE)
    assert book._is_writing
    await asyncio.gather(*book._tasks._running)
    assert (tmp_path / FILE_NAME).stat().st_ino != before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-3],
        lambda content: content.replace(b"192.0.2.1", b"192.0.2.9"),
        lambda content: content.replace(b"-1 ", b"-2 "),
        lambda content: b"",
        lambda content: os.urandom(300),
    ],
)
def test_what_is_not_sound_is_not_used_and_told_once(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    (tmp_path / FILE_NAME).write_bytes(spoil(render({"doh.test": (1.0, ("192.0.2.1",))})))
    with capture_logs() as lines:
        book = AddressBook(tmp_path, Tasks(print))
        assert book.known() == {}
        assert book.known() == {}
    assert [line["log_level"] for line in lines] == ["warning"]


def test_a_sound_checksum_over_nonsense_is_nonsense() -> None:
    made = render({"doh.test": (1.0, ("not an address",))})
    with pytest.raises(ValueError, match="not"):
        parse(made)


@in_loop
async def test_a_folder_that_cannot_be_written_costs_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with capture_logs() as lines:
        await noted(tmp_path / "file" / "below", ONE, TWO)
    assert [line["log_level"] for line in lines] == ["warning"]


def test_the_newest_hosts_are_kept() -> None:
    entries = {f"h{number}.test": (float(number), ("192.0.2.1",)) for number in range(MOST_HOSTS + 10)}
    assert parse(render(entries)) == {host: entry for host, entry in entries.items() if entry[0] >= 10}
