"""TCP from the client's side: segments, order, time-outs, limits, and clients that leave."""

import socket
from contextlib import ExitStack, suppress
from itertools import pairwise

from tests.conformance.messages import NOERROR, frame, query
from tests.conformance.script import after, records, usual
from tests.conformance.world import NotApplicable, World, is_closed, read_frame

IDLE = 120.0  # seconds, more than any server here lets a connection idle
WITHIN = 6.0  # seconds of the default time-out of 10 that may pass between two questions
PER_CLIENT = 600  # connections, more than one client should be given


def served(world: World) -> None:
    """As over UDP."""
    answer = world.ask_tcp(query(world.name()))
    assert answer.rcode == NOERROR, f"rcode {answer.rcode}"


def no_udp_before(world: World) -> None:
    """A question over TCP goes out once; nothing is tried over UDP first."""
    name = world.name()
    world.ask_tcp(query(name))
    faces = [one.face for one in world.script.asked(name)]
    assert faces in (["tcp"], ["doh"]), f"it went out over {', '.join(faces)}"


def any_segments(world: World) -> None:
    """Octet by octet, the length apart, two messages in one, one and a half."""
    first, second = query(world.name()), query(world.name())
    whole = frame(first) + frame(second)
    for cuts in (range(1, len(whole)), (1,), (2,), (len(frame(first)) - 3,), (len(frame(first)) + 1,), ()):
        with world.tcp() as client:
            marks = [0, *cuts, len(whole)]
            for start, end in pairwise(marks):
                client.sendall(whole[start:end])
            heard = {answer.id for answer in (read_frame(client), read_frame(client)) if answer is not None}
            assert heard == {int.from_bytes(first[:2]), int.from_bytes(second[:2])}, (
                f"cut at {list(cuts)[:3]}"
            )


def out_of_order(world: World) -> None:
    """What is known is not held up by what has to be asked for."""
    slow, quick = world.name("slow"), world.name("quick")
    world.needs_doh()
    world.script.says(slow, after(0.5, usual))
    world.ask_name(quick)
    late, soon = query(slow), query(quick)
    with world.tcp() as client:
        client.sendall(frame(late) + frame(soon))
        order = [answer.wire[:2] for answer in (read_frame(client), read_frame(client)) if answer is not None]
    assert order == [soon[:2], late[:2]], "the second waited for the first"


def pipelined(world: World) -> None:
    """Many at once, each answered under its id."""
    names = [world.name() for _ in range(20)]
    queries = [query(name) for name in names]
    with world.tcp() as client:
        client.sendall(b"".join(map(frame, queries)))
        heard = [read_frame(client) for _ in queries]
    asked = {wire[:2]: wire[12:] for wire in queries}
    for answer in heard:
        assert answer is not None, "closed"
        assert answer.question == asked[answer.wire[:2]], "a question under another's id"


def idle_ends(world: World) -> None:
    """A connection on which nothing comes is closed, and so is one on which half a question came."""
    world = world.of("own clock")
    for started in (b"", b"\0", frame(query("localhost."))[:9]):
        with world.tcp() as client:
            client.sendall(frame(query("localhost.")))
            assert read_frame(client) is not None
            client.sendall(started)
            world.ask_name("localhost.")  # it has read what came before
            world.let_idle(IDLE)
            assert is_closed(client), "still open" + (" after half a question" if started else "")


def only_whole_messages_count(world: World) -> None:
    """An octet now and then does not keep a connection; a question does."""
    world = world.of("own clock")
    if world.kind != "smartdoh":
        raise NotApplicable("its time-out is its own")
    with world.tcp() as kept, world.tcp() as dribbled:
        for _ in range(3):
            kept.sendall(frame(query("localhost.")))
            assert read_frame(kept) is not None, "closed between questions"
            with suppress(OSError):  # closed in the meantime
                dribbled.sendall(b"\0")
            world.ask_name("localhost.")
            world.let_idle(WITHIN)
        assert is_closed(dribbled), "kept open by single octets"


def half_close(world: World) -> None:
    """Who says that it has no more questions gets its answers still."""
    name = world.name()
    with world.tcp() as client:
        client.sendall(frame(query(name)) + frame(query(name, "AAAA")))
        client.shutdown(socket.SHUT_WR)
        assert [read_frame(client) is None for _ in range(2)] == [False, False], "closed without answers"
        assert is_closed(client), "and then left open"


def closed_before_the_answer(world: World) -> None:
    """No harm: the next question is answered."""
    name = world.name()
    world.needs_doh()
    world.script.says(name, after(0.2, usual))
    for _ in range(5):
        with world.tcp() as client:
            client.sendall(frame(query(name)))
    assert world.ask_name(name).rcode == NOERROR


def leaver_feeds_the_cache(world: World) -> None:
    """Its answer is there for the next."""
    name = world.name()
    world.needs_doh()
    world.script.says(name, after(0.2, usual))
    with world.tcp() as client:
        client.sendall(frame(query(name)))
        world.script.wait_for(name, 1)
    assert world.ask_name(name).rcode == NOERROR
    assert len(world.script.asked(name)) == 1, "asked for again"


def new_clients_are_served(world: World) -> None:
    """A client with many connections does not keep another out."""
    with ExitStack() as stack:
        for _ in range(PER_CLIENT):
            try:
                stack.enter_context(world.tcp())
            except OSError:
                break
        other = stack.enter_context(world.tcp("127.0.0.9"))
        other.sendall(frame(query("localhost.")))
        assert read_frame(other) is not None, "closed"


def several_connections(world: World) -> None:
    """One client may have more than one."""
    with ExitStack() as stack:
        clients = [stack.enter_context(world.tcp()) for _ in range(8)]
        for client in clients:
            client.sendall(frame(query("localhost.")))
        assert all(read_frame(client) is not None for client in clients), "closed"


def connections_per_client(world: World) -> None:
    """One client does not get all there are."""
    world = world.of("own clock")
    with ExitStack() as stack:
        clients = [stack.enter_context(world.tcp()) for _ in range(PER_CLIENT)]
        closed = 0
        for client in clients:
            try:
                client.sendall(frame(query("localhost.")))
                closed += read_frame(client) is None
            except OSError:
                closed += 1
        assert closed, f"{PER_CLIENT} connections of one client"
        other = stack.enter_context(world.tcp("127.0.0.9"))
        other.sendall(frame(query("localhost.")))
        assert read_frame(other) is not None, "one client has them all"


def dribblers(world: World) -> None:
    """Fifty clients that send an octet at a time: everybody else is answered."""
    wire = frame(query("localhost."))
    with ExitStack() as stack:
        clients = [stack.enter_context(world.tcp()) for _ in range(50)]
        for at in range(10):
            for client in clients:
                client.sendall(wire[at : at + 1])
            assert world.ask_name("localhost.").rcode == NOERROR
        assert world.ask_tcp(query("localhost.")).rcode == NOERROR


def slow_reader(world: World) -> None:
    """One that asks and never reads: it is not read from any more, and others do not notice."""
    name = world.name("long")
    world.script.says(name, records("@ 300 TXT " + " | ".join(f'"{n:03d}{"x" * 200}"' for n in range(200))))
    wire = frame(query(name, "TXT")) * 64
    with world.tcp() as client:
        client.settimeout(0.3)
        sent = 0
        try:
            while sent < 8 << 20:
                sent += client.send(wire)
        except OSError:  # it takes no more, or ends it
            pass
        assert sent < 8 << 20, "it reads on without end"
        assert world.ask_name("localhost.").rcode == NOERROR
        assert world.ask_tcp(query(name, "TXT")).rcode == NOERROR


def bounded_duration(world: World) -> None:
    """Even one that asks now and then does not stay for ever."""
    world = world.of("own clock")
    if world.kind != "smartdoh":
        raise NotApplicable("its time-out is its own")
    with world.tcp() as client:
        for _ in range(1_000):
            try:
                client.sendall(frame(query("localhost.")))
                if read_frame(client) is None:
                    return
            except OSError:
                return
            world.pass_time(WITHIN)
        raise AssertionError("a connection of more than an hour and a half")


CHECKS = {
    "tcp-served": (served, no_udp_before),
    "tcp-segments": (any_segments,),
    "tcp-pipelining": (pipelined, out_of_order),
    "tcp-idle": (idle_ends, only_whole_messages_count),
    "tcp-half-close": (half_close, closed_before_the_answer),
    "tcp-limits": (several_connections, new_clients_are_served),
    "tcp-dribble": (dribblers,),
    "tcp-slow-reader": (slow_reader,),
    "tcp-leaver": (leaver_feeds_the_cache,),
    "tcp-queries": (bounded_duration,),
    "tcp-client-connections": (connections_per_client,),
}
