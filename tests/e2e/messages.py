"""DNS messages as the tests write and read them: queries, frames over TCP, comparisons."""

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset

from tests.servers.smartdoh import ASK_SECONDS, RunningProxy
from tests.servers.zone import full_name

MOST_BYTES = 65_535
QUERIES_A_SOCKET = 50


def question(owner: str, rdtype: str = "A", **options: object) -> dns.message.Message:
    """A query for a name of the tests' zone, or for an absolute one (with its last dot); with EDNS."""
    name = owner if owner.endswith(".") else full_name(owner)
    return dns.message.make_query(name, rdtype, **{"use_edns": 0, **options})  # type: ignore[arg-type]


def error_codes(message: dns.message.Message) -> set[int]:
    """The codes of the Extended DNS Errors in an answer (RFC 8914)."""
    return {int(option.code) for option in message.options if isinstance(option, dns.edns.EDEOption)}


def error_text(message: dns.message.Message) -> str:
    """The words of the Extended DNS Errors in an answer."""
    found = [option.text for option in message.options if isinstance(option, dns.edns.EDEOption)]
    return " ".join(text for text in found if text)


def addresses(message: dns.message.Message) -> list[str]:
    """The addresses in an answer, sorted."""
    wanted = {dns.rdatatype.A, dns.rdatatype.AAAA}
    return sorted(item.address for rrset in message.answer if rrset.rdtype in wanted for item in rrset)


def lowest_ttl(message: dns.message.Message) -> int:
    """The lowest TTL of an answer's answer and authority sections."""
    return min(rrset.ttl for rrset in (*message.answer, *message.authority))


def sections(message: dns.message.Message) -> list[set[tuple[dns.name.Name, int, int, frozenset[bytes]]]]:
    """Answer, authority and additional records in a form that compares whatever their order and TTLs."""
    return [
        {
            (rrset.name, rrset.rdtype, rrset.rdclass, frozenset(item.to_digestable() for item in rrset))
            for rrset in section
        }
        for section in (message.answer, message.authority, message.additional)
    ]


def assert_same(got: dns.message.Message, wanted: dns.message.Message) -> None:
    """The same rcode, question and records in the same sections."""
    assert got.rcode() == wanted.rcode()
    assert got.question == wanted.question
    assert sections(got) == sections(wanted)


def frame(wire: bytes) -> bytes:
    """A message with its length before it, as TCP carries it (RFC 1035 section 4.2.2)."""
    return len(wire).to_bytes(2) + wire


def read_exactly(client: socket.socket, count: int) -> bytes:
    """So many bytes; fewer where the other side closed."""
    found = bytearray()
    while len(found) < count:
        part = client.recv(count - len(found))
        if not part:
            break
        found += part
    return bytes(found)


def read_frame_bytes(client: socket.socket) -> bytes | None:
    """The bytes of the next message from a TCP connection; None where the other side closed it."""
    length = read_exactly(client, 2)
    return read_exactly(client, int.from_bytes(length)) if len(length) == 2 else None


def read_frame(client: socket.socket) -> dns.message.Message | None:
    """The next message from a TCP connection; None where the other side closed it."""
    wire = read_frame_bytes(client)
    return None if wire is None else dns.message.from_wire(wire)


def is_closed(client: socket.socket) -> bool:
    """Whether the other side closes the connection without sending anything more."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def ask_together(
    proxy: RunningProxy, queries: list[dns.message.Message], seconds: float = ASK_SECONDS
) -> list[dns.message.Message]:
    """The answers to queries sent all at once over UDP, in the order of the queries.

    A socket has few enough of them that their answers fit into its buffer, whoever runs this.
    """
    found: dict[int, dns.message.Message] = {}
    deadline = time.monotonic() + seconds
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for start in range(0, len(queries), QUERIES_A_SOCKET):
            client = stack.enter_context(proxy.udp_socket())
            selector.register(client, selectors.EVENT_READ)
            for number, query in enumerate(queries[start : start + QUERIES_A_SOCKET], start):
                query.id = number
                client.send(query.to_wire())
        while len(found) < len(queries):
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            assert ready, f"{len(queries) - len(found)} of {len(queries)} got no answer in {seconds} s"
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                answer = dns.message.from_wire(key.fileobj.recv(MOST_BYTES))
                found[answer.id] = answer
    return [found[query.id] for query in queries]


def until(
    ask: Callable[[], dns.message.Message],
    is_wanted: Callable[[dns.message.Message], bool],
    seconds: float = 20.0,
) -> dns.message.Message:
    """The first answer that is as wanted; a TTL of one second has to pass, whenever that is."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if is_wanted(answer):
            return answer
        assert time.monotonic() < deadline, f"still {answer}"
        time.sleep(0.05)
