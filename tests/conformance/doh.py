"""How the upstream is asked over HTTPS, and which of its replies are answers."""

from collections.abc import Callable

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from tests.conformance.messages import NOERROR, frame, query
from tests.conformance.script import Asked, Said, Say, after, in_turn, records, reply_to, usual
from tests.conformance.world import World, read_frame
from tests.servers.scripted.replies import Reply, Request

MEDIA_TYPE = "application/dns-message"
ADDRESS = "@ 300 A 203.0.113.7"
IDENTIFYING = (
    "accept-language",
    "authorization",
    "cookie",
    "forwarded",
    "from",
    "referer",
    "user-agent",
    "via",
    "x-forwarded-for",
)
NO_SUCCESS = (204, 301, 302, 307, 308, 400, 401, 403, 404, 415, 500, 502)
# 429 and 503 ask for a pause and get one, which the rows behind these would feel.


def over_http(status: int = 200, media_type: str | None = MEDIA_TYPE, *headers: tuple[str, str]) -> Say:
    """The right answer in an HTTP reply of this kind."""

    def say(asked: Asked) -> Said:
        body = reply_to(asked, ADDRESS).to_wire()
        return Reply(
            body=b"" if status == 204 else body, status=status, media_type=media_type, headers=headers
        )

    return say


def _requests(world: World, name: str) -> list[Request]:
    return [one.request for one in world.script.asked(name) if one.request is not None]


def _no_data(world: World, say: Say) -> str:
    """What is said in this way is given to nobody; the name it was said of."""
    name = world.name("doh")
    world.script.says(name, say)
    [answer] = world.ask_all([query(name)])
    assert answer is None or answer.is_failure, "taken for an answer"
    return name


def _recover(world: World) -> None:
    """The upstream does well again, and is believed."""
    world.pass_time(70)
    assert world.ask_name(world.name("recovery")).rcode == NOERROR


def form_of_requests(world: World) -> None:
    """ID 0, a media type, what is accepted; GET without `=` at the end."""
    world.needs_doh()
    name = world.name("form")
    world.ask_name(name, message_id=0x7777)
    for request in _requests(world, name):
        assert request.header("accept") == MEDIA_TYPE, f"accept: {request.header('accept')}"
        if request.method == "POST":
            assert request.header("content-type") == MEDIA_TYPE
        else:
            assert request.method == "GET", request.method
            assert "=" not in request.path.partition("dns=")[2], request.path
        assert request.wire[:2] == b"\0\0", f"ID {request.wire[:2].hex()}"


def other_media_types(world: World) -> None:
    """What is not application/dns-message is no answer, though it look like one."""
    world.needs_doh()
    for media_type in ("text/html", "application/dns-json", "application/octet-stream", None):
        _no_data(world, over_http(200, media_type))
    _recover(world)


def https_only(world: World) -> None:
    """A server that would be asked in clear is refused."""
    assert world.refuses_upstream("http://127.0.0.1/dns-query"), "an upstream of http:// is taken"


def other_statuses(world: World) -> None:
    """However right the body."""
    world.needs_doh()
    for status in NO_SUCCESS:
        _no_data(world, over_http(status))
    _recover(world)


def no_redirects(world: World) -> None:
    """Neither to another path nor to another host."""
    for target in ("/elsewhere", f"https://localhost:{world.doh.port}/elsewhere"):
        name = _no_data(world, over_http(307, MEDIA_TYPE, ("location", target)))
        paths = {request.path for request in _requests(world, name)}
        assert not any("elsewhere" in path for path in paths), f"followed to {target}"
    _recover(world)


def age_is_subtracted(world: World) -> None:
    """What HTTP caches used up is gone."""
    world.needs_doh()
    name = world.name("aged")
    world.script.says(name, over_http(200, MEDIA_TYPE, ("age", "100")))
    for _ in range(2):
        [ttl] = world.ask_name(name).ttls
        assert ttl <= 200, f"{ttl} s of 300 after an Age of 100"
    assert len(world.script.asked(name)) == 1, "not cached"


def too_old(world: World) -> None:
    """Age above TTL: nothing is left to be cached."""
    world.needs_doh()
    name = world.name("old")
    world.script.says(name, over_http(200, MEDIA_TYPE, ("age", "400")))
    for count in (1, 2):
        assert world.ask_name(name).rcode == NOERROR
        assert len(world.script.asked(name)) == count, "cached"


def many_streams(world: World) -> None:
    """Ten at once on one connection of HTTP/2; what is quick comes before what is slow."""
    world.needs_doh()
    slow, quick = [world.name("slow") for _ in range(9)], world.name("quick")
    for name in slow:
        world.script.says(name, after(0.4, usual))
    queries = [query(name) for name in (*slow, quick)]
    with world.tcp() as client:
        client.sendall(b"".join(map(frame, queries)))
        heard = [read_frame(client) for _ in queries]
    first = heard[0].wire[:2] if heard[0] is not None else b""
    assert first == queries[-1][:2], "the quick one waited for the slow"
    requests = [request for name in (*slow, quick) for request in _requests(world, name)]
    assert {request.protocol for request in requests} == {"HTTP/2"}, "not HTTP/2"
    assert len({request.connection for request in requests}) == 1, "more than one connection"


def nothing_identifies(world: World) -> None:
    """No cookies, not even those that the server would like to have back; nothing of the client."""
    world.needs_doh()
    names = [world.name("private") for _ in range(2)]
    for name in names:
        world.script.says(name, over_http(200, MEDIA_TYPE, ("set-cookie", "who=you; Path=/; Max-Age=3600")))
        world.ask_name(name)
    for request in (one for name in names for one in _requests(world, name)):
        sent = [name for name in IDENTIFYING if request.header(name) is not None]
        assert not sent, f"sent: {', '.join(sent)}"


def _changed(change: Callable[[dns.message.Message], None]) -> Say:
    def say(asked: Asked) -> Said:
        answer = reply_to(asked, ADDRESS)
        change(answer)
        return answer

    return say


def _is_query(answer: dns.message.Message) -> None:
    answer.flags &= ~dns.flags.QR


def _other_opcode(answer: dns.message.Message) -> None:
    answer.set_opcode(dns.opcode.STATUS)


def _other_name(answer: dns.message.Message) -> None:
    answer.question = [
        dns.rrset.RRset(dns.name.from_text("attacker.example."), dns.rdataclass.IN, dns.rdatatype.A)
    ]


def _other_type(answer: dns.message.Message) -> None:
    answer.question = [dns.rrset.RRset(answer.question[0].name, dns.rdataclass.IN, dns.rdatatype.MX)]


def _other_class(answer: dns.message.Message) -> None:
    answer.question = [dns.rrset.RRset(answer.question[0].name, dns.rdataclass.HS, dns.rdatatype.A)]


def _no_question(answer: dns.message.Message) -> None:
    answer.question = []


def _two_questions(answer: dns.message.Message) -> None:
    answer.question = answer.question * 2


def _other_id(answer: dns.message.Message) -> None:
    answer.id ^= 0x1234


MISMATCHES = {
    "QR=0": _is_query,
    "another opcode": _other_opcode,
    "another name": _other_name,
    "another type": _other_type,
    "another class": _other_class,
    "no question": _no_question,
    "two questions": _two_questions,
    "another ID": _other_id,
}


def wrong_answers(world: World) -> None:
    """Data in an answer to something else is given to nobody."""
    names = {kind: world.name("wrong") for kind in MISMATCHES}
    for kind, change in MISMATCHES.items():
        world.script.says(names[kind], _changed(change))
    heard = world.ask_all([query(name) for name in names.values()])
    for kind, answer in zip(names, heard, strict=True):
        assert answer is None or not answer.message.answer, f"taken: {kind}"
    world.script.says(names["QR=0"], usual)


def service_bindings(world: World) -> None:
    """HTTPS and SVCB as they came, with keys that nobody knows; cold, and from the cache."""
    rdata = '1 svc.example. alpn="h2,h3" port="8443" ipv4hint="203.0.113.30" key65400="opaque"'
    for rtype in ("HTTPS", "SVCB"):
        name = world.name("service")
        world.script.says(name, records(f"@ 300 {rtype} {rdata}"))
        wanted = dns.rrset.from_text(name, 300, "IN", rtype, rdata)
        for _ in range(2):
            [found] = world.ask_name(name, rtype).records(rtype)
            assert found == wanted, f"changed: {found}"


def next_one_works(world: World) -> None:
    """After every kind of bad reply the right one is taken."""
    world.needs_doh()
    name = world.name("again")
    world.script.says(name, in_turn(over_http(500), usual))
    world.ask_all([query(name)])
    world.pass_time(10)
    assert world.ask_name(name).rcode == NOERROR


CHECKS = {
    "doh-request": (form_of_requests, other_media_types, https_only),
    "doh-status": (other_statuses, no_redirects),
    "doh-age": (age_is_subtracted, too_old),
    "doh-streams": (many_streams,),
    "doh-privacy": (nothing_identifies,),
    "answer-matches": (wrong_answers, next_one_works),
    "svcb": (service_bindings,),
}
