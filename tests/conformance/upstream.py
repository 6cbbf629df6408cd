"""The connection to the upstream: kept, renewed, verified; and what a client hears when it fails."""

from tests.conformance.edns import SUBNET, upstream_options
from tests.conformance.messages import ECS, NOERROR, opt, option, query
from tests.conformance.script import Asked, Said, Say, in_turn, usual
from tests.conformance.world import World
from tests.servers.scripted.replies import Ending, Reply

QUERIES = 20
IDLE = 600.0  # seconds, more than a connection without questions is kept
BAD_CERTIFICATES = ("expired", "wrong name", "unknown authority")


def both_go_over_doh(world: World) -> None:
    """However the client asked."""
    world.needs_doh()
    over_udp, over_tcp = world.name("udp"), world.name("tcp")
    world.ask_name(over_udp)
    world.ask_tcp(query(over_tcp))
    faces = {one.face for name in (over_udp, over_tcp) for one in world.script.asked(name)}
    assert faces == {"doh"}, f"over {', '.join(faces)}"


def _connections(world: World, names: list[str]) -> set[int]:
    found = (one.request for name in names for one in world.script.asked(name))
    return {request.connection for request in found if request is not None}


def one_connection(world: World) -> None:
    """Is enough for many questions."""
    world.needs_doh()
    names = [world.name("reuse") for _ in range(QUERIES)]
    for name in names:
        world.ask_name(name)
    assert len(_connections(world, names)) == 1, f"{len(_connections(world, names))} connections"


def idle_connections_end(world: World) -> None:
    """And the next question has a new one."""
    world.needs_doh()
    first, second = world.name("before"), world.name("after")
    world.ask_name(first)
    world.pass_time(IDLE)
    assert world.ask_name(second).rcode == NOERROR
    assert len(_connections(world, [first, second])) == 2, "the old one was kept"


def _broken(how: Ending) -> Say:
    def say(asked: Asked) -> Said:
        said = usual(asked)
        return Reply(body=said.to_wire(), ending=how)

    return say


FAULTS: dict[str, Say] = {
    "HTTP 500": lambda _asked: Reply(status=500, media_type="text/plain", body=b"oops"),
    "an invalid payload": lambda _asked: b"no DNS message at all",
    "an empty body": lambda _asked: Reply(body=b""),
    "half a message": lambda asked: usual(asked).to_wire()[:20],
    "closed before the answer": _broken(Ending.DROP),
    "a reset stream": _broken(Ending.RESET),
}


def faults(world: World) -> None:
    """The client hears of it, and the next question is answered."""
    world.needs_doh()
    for kind, say in FAULTS.items():
        name, good = world.name("fault"), world.name("good")
        world.script.says(name, say)
        [answer] = world.ask_all([query(name)])
        assert answer is not None, f"{kind}: silence"
        assert answer.is_failure, f"{kind}: taken for an answer"
        world.pass_time(70)  # the upstream may have been put to rest
        assert world.ask_name(good).rcode == NOERROR, f"{kind}: and the next question has no answer"


def certificates(world: World) -> None:
    """Whose name it is not, that has ended, that nobody vouches for: not one question is asked."""
    world.needs_doh()
    for kind in BAD_CERTIFICATES:
        other = world.of(kind)
        name = other.name("certificate")
        [answer] = other.ask_all([query(name)])
        assert answer is None or answer.is_failure, f"{kind}: taken for an answer"
        assert not other.script.asked(name), f"{kind}: the question was sent"


def restart(world: World) -> None:
    """The connection is gone between two questions: the client does not notice."""
    world.ask_name(world.name("before"))
    world.doh.drop_all()
    assert world.ask_name(world.name("after")).rcode == NOERROR


def one_reconnects(world: World) -> None:
    """Many questions find the connection gone: one is made."""
    world.ask_name(world.name("before"))
    world.doh.drop_all()
    names = [world.name("race") for _ in range(QUERIES)]
    heard = world.ask_all([query(name) for name in names])
    assert all(answer is not None and answer.rcode == NOERROR for answer in heard), "not all were answered"
    assert len(_connections(world, names)) == 1, f"{len(_connections(world, names))} connections"


def nothing_of_the_client(world: World) -> None:
    """Neither its address nor its network."""
    world.needs_doh()
    name = world.name("client")
    world.ask_name(name, edns=opt(options=option(ECS, SUBNET)))
    for asked in world.script.asked(name):
        assert asked.request is not None
        told = [
            key for key, _ in asked.request.headers if "forward" in key or "client" in key or "real" in key
        ]
        assert not told, f"sent: {', '.join(told)}"
        assert ECS not in upstream_options(asked), "ECS was sent"


def works_after_a_fault(world: World) -> None:
    """The same name, too, once its failure is over."""
    world.needs_doh()
    name = world.name("fault")
    world.script.says(name, in_turn(FAULTS["HTTP 500"], usual))
    world.ask_all([query(name)])
    world.pass_time(70)
    assert world.ask_name(name).rcode == NOERROR


CHECKS = {
    "upstream-doh-only": (both_go_over_doh, one_connection, idle_connections_end),
    "upstream-faults": (faults, works_after_a_fault),
    "upstream-certificates": (certificates,),
    "upstream-restart": (restart,),
    "upstream-reconnect": (one_reconnects,),
    "upstream-headers": (nothing_of_the_client,),
}
