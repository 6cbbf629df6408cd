"""The order of addresses: a table of cases, and what holds for every measurement."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartdoh.speed import ranking
from smartdoh.speed.ranking import (
    MEASURED_FOR,
    PROBE_EVERY,
    PROOF_LIFE,
    Connect,
    Place,
    Proof,
    Standing,
    Verdict,
    contenders,
    measured,
    order,
    place,
)

NOW = 100_000.0
FAST, SLOW, DEAD = Connect(NOW, NOW, 0.010, 443), Connect(NOW, NOW, 0.900, 443), Connect(NOW, NOW)
HTTP_ONLY = Connect(NOW, NOW, 0.001, 80)
UNDER_WAY = Connect(NOW)
GOOD, BAD, SILENT, UNASKED = (Proof(verdict, NOW) for verdict in (*Verdict, None))

State = tuple[Connect | None, Proof | None]


def ranked(*states: State) -> tuple[list[int], bool]:
    """The order of addresses 0, 1, ... with these states, and whether the first may stand alone."""
    names = {bytes([number]): state for number, state in enumerate(states)}
    found, alone = order(list(names), lambda address: place(*names[address], NOW))
    return [address[0] for address in found], alone


@pytest.mark.parametrize(
    ("states", "wanted", "alone"),
    [
        pytest.param([(SLOW, None), (FAST, None)], [1, 0], True, id="by time where nobody has TLS"),
        pytest.param([(FAST, SILENT), (SLOW, GOOD)], [1, 0], True, id="verified beats unverified"),
        pytest.param([(HTTP_ONLY, None), (SLOW, GOOD)], [1, 0], True, id="and beats plain HTTP"),
        pytest.param([(SLOW, GOOD), (FAST, GOOD)], [1, 0], True, id="by time among the verified"),
        pytest.param([(FAST, BAD), (DEAD, None), (SLOW, None)], [2, 1, 0], True, id="wrong is last"),
        pytest.param([(DEAD, None), (SLOW, None)], [1, 0], True, id="out of reach goes behind"),
        pytest.param([(DEAD, GOOD), (SLOW, None)], [1, 0], True, id="also if it was verified once"),
        pytest.param([(DEAD, None), (None, None)], [1, 0], False, id="unknown before out of reach"),
        pytest.param([(UNDER_WAY, None), (FAST, None)], [1, 0], True, id="measured before unknown"),
        pytest.param([(None, None), (None, None)], [0, 1], False, id="nothing known"),
        pytest.param([(DEAD, None), (DEAD, None)], [0, 1], False, id="all out of reach: as it came"),
        pytest.param([(FAST, BAD), (DEAD, None)], [0, 1], False, id="none of any use: as it came"),
        pytest.param([(SLOW, BAD), (FAST, BAD)], [0, 1], False, id="all wrong: as it came"),
        pytest.param([(FAST, UNASKED), (FAST, UNASKED)], [0, 1], True, id="equals keep their order"),
        pytest.param([], [], False, id="no address"),
    ],
)
def test_order(states: list[State], wanted: list[int], alone: bool) -> None:
    assert ranked(*states) == (wanted, alone)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_ends(verdict: Verdict) -> None:
    proof = Proof(verdict, NOW)
    assert ranking.live(proof, NOW + PROOF_LIFE[verdict] - 1) is verdict
    assert ranking.live(proof, NOW + PROOF_LIFE[verdict]) is None


def test_a_measurement_ends() -> None:
    assert place(FAST, None, NOW + MEASURED_FOR - 1).standing is Standing.CONNECTED
    assert place(FAST, None, NOW + MEASURED_FOR).standing is Standing.UNKNOWN
    assert place(DEAD, None, NOW + MEASURED_FOR).standing is Standing.UNKNOWN


def test_a_newer_measurement_counts_more() -> None:
    soon = measured(Connect(NOW, NOW, 1.0, 443), 0.0, 443, NOW + PROBE_EVERY)
    later = measured(Connect(NOW, NOW, 1.0, 443), 0.0, 443, NOW + 2 * PROBE_EVERY)
    assert (soon.seconds, later.seconds) == (0.5, 0.25)


@pytest.mark.parametrize(
    "before", [DEAD, UNDER_WAY, HTTP_ONLY, Connect(0.0, NOW - MEASURED_FOR, 9.0, 443)], ids=repr
)
def test_what_is_no_measurement_of_the_same_is_not_mixed_in(before: Connect) -> None:
    assert measured(before, 0.25, 443, NOW).seconds == 0.25


@pytest.mark.parametrize(
    ("states", "wanted"),
    [
        pytest.param([(SLOW, None), (FAST, UNASKED)], [1, 0], id="nobody is verified: all, fastest first"),
        pytest.param([(SLOW, None), (FAST, GOOD)], [], id="the fastest is verified"),
        pytest.param([(SLOW, GOOD), (FAST, None)], [1], id="a faster one might win"),
        pytest.param([(FAST, BAD), (FAST, SILENT), (SLOW, None)], [2], id="nobody is asked twice"),
        pytest.param(
            [(HTTP_ONLY, None), (DEAD, None), (None, None), (UNDER_WAY, None)], [], id="no TLS there"
        ),
    ],
)
def test_contenders(states: list[State], wanted: list[int]) -> None:
    names = {bytes([number]): state for number, state in enumerate(states)}
    assert [address[0] for address in contenders(list(names), names.__getitem__, NOW)] == wanted


times = st.floats(0, 2)
ages = st.floats(0, 2 * MEASURED_FOR)
connects = st.one_of(
    st.none(),
    st.builds(lambda age, seconds: Connect(NOW - age, NOW - age, seconds, 443), ages, st.none() | times),
)
proofs = st.none() | st.builds(
    lambda verdict, age: Proof(verdict, NOW - age), st.sampled_from(Verdict) | st.none(), ages
)
states_ = st.lists(st.tuples(connects, proofs), max_size=12)


@settings(deadline=None)
@given(states_)
def test_order_keeps_every_address_once(states: list[State]) -> None:
    assert sorted(ranked(*states)[0]) == list(range(len(states)))


@settings(deadline=None)
@given(states_)
def test_order_is_settled(states: list[State]) -> None:
    """Ordering what is in order changes nothing."""
    found, alone = ranked(*states)
    again, alone_again = ranked(*(states[number] for number in found))
    assert (again, alone_again) == (list(range(len(states))), alone)


@settings(deadline=None)
@given(states_)
def test_only_what_can_be_reached_stands_alone(states: list[State]) -> None:
    found, alone = ranked(*states)
    places = [place(*states[number], NOW) for number in found]
    reachable = [where for where in places if where.standing <= Standing.CONNECTED]
    assert alone == bool(reachable)
    if alone:
        assert places[0] == min(places)


@settings(deadline=None)
@given(states_)
def test_a_contender_that_is_verified_wins(states: list[State]) -> None:
    """What the proofs are asked for: the first contender takes the lead if its certificate is good."""
    names = {bytes([number]): state for number, state in enumerate(states)}
    found = contenders(list(names), names.__getitem__, NOW)
    if found:
        names[found[0]] = (names[found[0]][0], GOOD)
        best = min(place(*state, NOW) for state in names.values())
        assert place(*names[found[0]], NOW) == best


@settings(deadline=None)
@given(times, times, st.floats(0, MEASURED_FOR, exclude_max=True))
def test_a_smoothed_time_lies_between(old: float, new: float, age: float) -> None:
    seconds = measured(Connect(NOW, NOW, old, 443), new, 443, NOW + age).seconds
    assert seconds is not None
    assert min(old, new) - 1e-9 <= seconds <= max(old, new) + 1e-9


def test_places_sort_by_standing_first() -> None:
    assert Place(Standing.VERIFIED, math.inf) < Place(Standing.CONNECTED, 0.0)
