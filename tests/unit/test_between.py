"""Between two pieces of work: the sockets are looked at once in a while, not each time."""

from smartdoh.between import EVERY, Between


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_looks_when_some_time_has_passed_and_not_before() -> None:
    clock = Clock()
    between, looks = Between(clock), list[str]()
    between.look(lambda: looks.append("one"))
    between.look(lambda: looks.append("two"))
    between()
    assert looks == ["one", "two"]
    clock.now += EVERY * 0.9
    between()
    assert looks == ["one", "two"]
    clock.now += EVERY * 0.2
    between()
    assert looks == ["one", "two"] * 2


def test_the_time_counts_from_the_end_of_a_look() -> None:
    """Else a socket where more comes than is answered in that time would be all that is ever done."""
    clock = Clock()
    between, looks = Between(clock), list[float]()

    def look() -> None:
        looks.append(clock.now)
        clock.now += 10 * EVERY

    between.look(look)
    between()
    between()
    assert len(looks) == 1
