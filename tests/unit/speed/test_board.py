"""What is remembered of addresses, for how long, and how much of it."""

from __future__ import annotations

import asyncio

import pytest

from smartdoh.speed import board as module
from smartdoh.speed.board import Board
from smartdoh.speed.ranking import PROBE_EVERY, PROOF_LIFE, Place, Standing, Verdict
from smartdoh.speed.way import Way
from smartdoh.wire.names import from_text

DIRECT, PROXY = Way(), Way("socks5h://u:secret@192.0.2.1:1080", shown="socks5h://192.0.2.1:1080")
NAME, OTHER = from_text("www.example.com"), from_text("example.org")
ONE, TWO = bytes((45, 10, 0, 1)), bytes((45, 10, 0, 2))
SIX = bytes.fromhex("20010db8") + bytes(11) + b"\1"


class Clock:
    """Seconds, moved by the test."""

    now = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board(clock)


def test_one_probe_in_ten_minutes(board: Board, clock: Clock) -> None:
    assert board.is_due(DIRECT, ONE)
    assert board.begin(DIRECT, ONE)
    assert not board.is_due(DIRECT, ONE)
    assert not board.begin(DIRECT, ONE)
    clock.now += PROBE_EVERY
    assert board.begin(DIRECT, ONE)


def test_ways_are_apart(board: Board) -> None:
    assert board.begin(DIRECT, ONE)
    board.connected(DIRECT, ONE, 0.02, 443)
    assert board.begin(PROXY, ONE)
    board.failed(PROXY, ONE)
    assert board.place(DIRECT, NAME, ONE) == Place(Standing.CONNECTED, 0.02)
    assert board.place(PROXY, NAME, ONE) == Place(Standing.FAILED)


def test_groups_with_other_authorities_share_connects_but_no_proofs(board: Board) -> None:
    private = Way(ca_file="private.pem")
    board.begin(DIRECT, ONE)
    board.connected(DIRECT, ONE, 0.02, 443)
    board.note(private, NAME, [ONE])
    board.proved(private, NAME, ONE, Verdict.VERIFIED)
    assert board.place(private, NAME, ONE).standing is Standing.VERIFIED
    assert board.place(DIRECT, NAME, ONE).standing is Standing.CONNECTED


def test_names_share_connects_but_no_proofs(board: Board) -> None:
    board.begin(DIRECT, ONE)
    board.connected(DIRECT, ONE, 0.02, 443)
    for name in (NAME, OTHER):
        board.note(DIRECT, name, [ONE])
    board.proved(DIRECT, NAME, ONE, Verdict.WRONG)
    assert board.place(DIRECT, NAME, ONE).standing is Standing.WRONG
    assert board.place(DIRECT, OTHER, ONE).standing is Standing.CONNECTED


def test_a_failure_counts_at_once_and_a_success_too(board: Board, clock: Clock) -> None:
    board.begin(DIRECT, ONE)
    board.connected(DIRECT, ONE, 0.02, 443)
    clock.now += PROBE_EVERY
    board.begin(DIRECT, ONE)
    board.failed(DIRECT, ONE)
    assert board.place(DIRECT, NAME, ONE).standing is Standing.FAILED
    clock.now += PROBE_EVERY
    board.begin(DIRECT, ONE)
    board.connected(DIRECT, ONE, 0.5, 443)
    assert board.place(DIRECT, NAME, ONE) == Place(Standing.CONNECTED, 0.5)


def test_noting_a_name_again_keeps_what_holds(board: Board, clock: Clock) -> None:
    board.note(DIRECT, NAME, [ONE, TWO])
    board.proved(DIRECT, NAME, ONE, Verdict.VERIFIED)
    clock.now += PROBE_EVERY
    board.note(DIRECT, NAME, [SIX])
    assert {row.address for row in board.snapshot(NAME)} == {"45.10.0.1", "2001:db8::1"}
    clock.now += PROOF_LIFE[Verdict.VERIFIED]
    board.note(DIRECT, NAME, [SIX])
    assert {row.address for row in board.snapshot(NAME)} == {"2001:db8::1"}


def test_snapshot_is_ranked_by_family_and_shows_no_password(board: Board, clock: Clock) -> None:
    board.note(PROXY, NAME, [ONE, TWO, SIX])
    for address, seconds in ((ONE, 0.3), (TWO, 0.1)):
        board.begin(PROXY, address)
        board.connected(PROXY, address, seconds, 443)
    board.proved(PROXY, NAME, ONE, Verdict.VERIFIED)
    clock.now += 30
    rows = board.snapshot(NAME)
    assert [row.address for row in rows] == ["45.10.0.1", "45.10.0.2", "2001:db8::1"]
    assert rows[0] == (PROXY.shown, "45.10.0.1", "verified", 0.3, 443, 30.0, "verified")
    assert rows[2] == (PROXY.shown, "2001:db8::1", "not measured", None, 0, None, "")
    assert "secret" not in repr((rows, PROXY))
    assert board.snapshot(OTHER) == []


def test_names_are_bounded(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 3)
    for number in range(5):
        board.note(DIRECT, from_text(f"n{number}"), [ONE])
    assert [bool(board.snapshot(from_text(f"n{number}"))) for number in range(5)] == [0, 0, 1, 1, 1]


def test_addresses_of_a_name_are_bounded(board: Board) -> None:
    for number in range(60):
        board.note(DIRECT, NAME, [bytes((45, 10, 0, number))])
    rows = board.snapshot(NAME)
    assert len(rows) == module.MOST_OF_A_NAME
    assert "45.10.0.59" in {row.address for row in rows}


def test_a_flood_of_addresses_is_let_pass(
    board: Board, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forgetting an address would let it be probed again too soon."""
    monkeypatch.setattr(module, "MOST_CONNECTS", 3)
    assert [board.begin(DIRECT, bytes((45, 10, 0, number))) for number in range(5)] == [1, 1, 1, 0, 0]
    clock.now += PROBE_EVERY
    assert board.begin(DIRECT, bytes((45, 10, 0, 9)))
    assert len(board) == 3


def test_what_was_measured_on_ways_that_are_gone_is_forgotten(board: Board) -> None:
    for way in (DIRECT, PROXY):
        assert board.begin(way, ONE)
        board.connected(way, ONE, 0.02, 443)
        board.note(way, NAME, [ONE])
        board.proved(way, NAME, ONE, Verdict.VERIFIED)
    asyncio.run(board.keep_only({PROXY}))
    assert board.place(DIRECT, NAME, ONE) == Place(Standing.UNKNOWN)
    assert board.place(PROXY, NAME, ONE) == Place(Standing.VERIFIED, 0.02)
    assert [row.way for row in board.snapshot(NAME)] == [PROXY.shown]
