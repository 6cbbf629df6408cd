"""What becomes of connections before a word of HTTP: refused, closed, hanging in TLS, with bad certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from tests.faults.asking import Heard
from tests.faults.fault import During, Fault, New, World
from tests.faults.rows.answers import says
from tests.faults.rows.worlds import at_distance, one_upstream, two_upstreams
from tests.faults.stage import Stage
from tests.servers.certificates import Authority, Certificate
from tests.servers.ports import black_hole
from tests.servers.scripted import Handshake, replies

IDENTITY = "127.0.0.1"
NEAR, FAR = 0.02, 1.0  # seconds that a quick and a slow upstream take
SLOWER = 0.05  # seconds that one slow upstream of several may cost, at the 95th percentile
LEARNING = 20  # questions

BAD: dict[str, Callable[[Stage], Certificate]] = {
    "certificate of another name": lambda stage: stage.authority.issue("other", "other.test", "127.0.0.9"),
    "certificate expired": lambda stage: stage.authority.issue("old", IDENTITY, expired=True),
    "certificate not yet valid": lambda stage: stage.authority.issue("early", IDENTITY, days=(1, 30)),
    "certificate of an unknown CA": lambda stage: Authority(stage.directory / "stranger").good,
}


def shakes(hand: Handshake) -> During:
    """Connections are cut, and new ones to the first upstream meet with this."""

    @contextmanager
    def during(stage: Stage) -> Iterator[None]:
        stage.upstream.handshake = hand
        stage.upstream.drop_all()
        yield
        stage.upstream.handshake = Handshake.NORMAL
        stage.upstream.drop_all()

    return during


def shows(certificate: Callable[[Stage], Certificate]) -> During:
    """Connections are cut, and new ones to the first upstream are shown this certificate."""

    @contextmanager
    def during(stage: Stage) -> Iterator[None]:
        asked = len(stage.upstream.requests)
        stage.upstream.use(certificate(stage))
        stage.upstream.drop_all()
        yield
        assert len(stage.upstream.requests) == asked, "a question was sent to whom nothing proves"
        stage.upstream.use(stage.authority.good)

    return during


@contextmanager
def refused(stage: Stage) -> Iterator[None]:
    """Nobody listens there any more."""
    with stage.without_upstream():
        yield


@contextmanager
def queue_full(stage: Stage) -> Iterator[None]:
    """Somebody listens there and takes nobody: the kernel drops each SYN."""
    with stage.without_upstream() as port, black_hole(port):
        yield


def is_not_held_up(_: Stage, new: Sequence[Heard]) -> None:
    """One slow upstream costs little once it is known."""
    later = sorted(heard.seconds for heard in new[LEARNING:])
    p95 = later[int(len(later) * 0.95)]
    assert p95 <= NEAR + SLOWER, f"p95 {p95:.3f} s, with a quick upstream at {NEAR} s"


def fault(
    name: str,
    during: During | Callable[[Stage], AbstractContextManager[None]],
    within: float,
    world: World = one_upstream,
) -> Fault:
    """A row that differs by these alone; where there are two upstreams there is an answer."""
    new = New.DATA if world is two_upstreams else New.ANSWER
    return Fault(name=name, world=world, during=during, new=new, new_within=within)


FAULTS = (
    fault("TCP refused", refused, 1.0),
    fault("TCP refused, another upstream", refused, 1.0, two_upstreams),
    fault("SYNs swallowed, queue full", queue_full, 5.5),
    fault("SYNs swallowed, another upstream", queue_full, 2.5, two_upstreams),
    fault("TLS hangs", shakes(Handshake.HANG), 5.5),
    fault("TLS hangs, another upstream", shakes(Handshake.HANG), 2.5, two_upstreams),
    fault("closed before TLS", shakes(Handshake.CLOSE), 1.0),
    *(fault(name, shows(certificate), 1.0) for name, certificate in BAD.items()),
    fault("certificate expired, another upstream", shows(BAD["certificate expired"]), 1.0, two_upstreams),
    Fault(
        name="one of three slow",
        world=at_distance(NEAR, 3),
        during=says(replies.delayed(FAR)),
        new=New.DATA,
        new_within=2.0,
        new_every=0.04,
        check=is_not_held_up,
    ),
)
