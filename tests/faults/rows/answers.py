"""What an upstream can say: HTTP that is no answer, DNS that is none, bodies without an end, failures in DNS words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager

import dns.message
import dns.rcode

from tests.faults.asking import Heard
from tests.faults.fault import During, Fault, New
from tests.faults.rows.worlds import at_distance, one_upstream, two_upstreams
from tests.faults.stage import Stage, undone
from tests.servers.scripted import replies
from tests.servers.scripted.replies import Behaviour, Ending, GoAway, Reply, Request

RETRY_AFTER = 30  # seconds
HANGING = tuple(f"new{digit}" for digit in "13579")  # how names begin that hang
UNTOUCHED = 1.0  # seconds that other names take at most
EVERY = 7  # one request in so many, where a fault is not about all of them


def says(behaviour: Behaviour) -> During:
    """The first upstream does this with every question."""

    def during(stage: Stage) -> AbstractContextManager[None]:
        return undone(lambda: stage.upstream.behave(behaviour), lambda: stage.upstream.behave(replies.right))

    return during


def now_and_then(behaviour: Behaviour) -> Behaviour:
    """The right answer, but for one request in so many; the first of them is at once."""
    numbers = itertools.count()

    def behave(request: Request, answer: dns.message.Message) -> Reply:
        chosen = behaviour if next(numbers) % EVERY == 0 else replies.right
        return chosen(request, answer)

    return behave


def some_names_hang(request: Request, answer: dns.message.Message) -> Reply:
    """Some names are never answered, all others are."""
    hangs = request.name.to_text().startswith(HANGING)
    return (replies.ending(Ending.STALL) if hangs else replies.right)(request, answer)


def others_do_not_wait(_: Stage, new: Sequence[Heard]) -> None:
    """A name that hangs costs itself alone."""
    others = [heard for heard in new if not heard.name.startswith(HANGING)]
    assert others
    for heard in others:
        assert heard.is_good, f"beside names that hang: {heard}"
        assert heard.seconds <= UNTOUCHED, f"beside names that hang: {heard}"


SAYS: dict[str, tuple[Behaviour, float]] = {
    "HTTP 204": (replies.status(204), 1.0),
    "HTTP 302": (replies.status(302, ("location", "http://127.0.0.1:1/login")), 1.0),
    "HTTP 404": (replies.status(404), 1.0),
    "HTTP 500": (replies.status(500), 1.0),
    "HTTP 503": (replies.status(503), 5.5),
    "captive portal (HTML)": (replies.media_type("text/html"), 1.0),
    "gzip body": (replies.gzipped, 1.0),
    "gzip bomb": (replies.gzip_bomb, 5.5),
    "endless body": (replies.ending(Ending.ENDLESS), 5.5),
    "body stops half way": (replies.ending(Ending.HALF), 5.5),
    "body cut short": (replies.ending(Ending.CUT), 1.0),
    "no answer at all": (replies.ending(Ending.STALL), 5.5),
    "connection dropped": (replies.ending(Ending.DROP), 2.0),
    "GOAWAY for everything": (replies.going_away(GoAway.BEFORE), 2.0),
    "REFUSED_STREAM for everything": (replies.ending(Ending.REFUSED), 2.0),
    "wrong id": (replies.wrong_id, 1.0),
    "wrong question": (replies.wrong_question, 1.0),
    "QR not set": (replies.without_qr, 1.0),
    "truncated": (replies.truncated, 1.0),
    "garbage": (replies.body(b"\xff" * 200), 1.0),
    "empty body": (replies.body(b""), 1.0),
    "upstream SERVFAIL": (replies.rcode(dns.rcode.SERVFAIL), 1.0),
}
"""With each how soon a new name has to be told, in seconds."""

PASSES = {
    "GOAWAY in flight": replies.going_away(GoAway.HERE),
    "GOAWAY before the answers": replies.going_away(GoAway.BEFORE),
    "GOAWAY after the answers": replies.going_away(GoAway.AFTER),
    "RST_STREAM REFUSED_STREAM": replies.ending(Ending.REFUSED),
    "RST_STREAM in the body": replies.ending(Ending.RESET),
}
"""What one request in several gets, so that all of them can be answered in the end."""

HELPED = ("HTTP 500", "no answer at all", "connection dropped", "upstream SERVFAIL", "wrong question")

FAULTS = (
    *(
        Fault(name=name, world=one_upstream, during=says(behaviour), new_within=within)
        for name, (behaviour, within) in SAYS.items()
    ),
    Fault(
        name="HTTP 429 with Retry-After, another upstream",
        world=two_upstreams,
        during=says(replies.status(429, ("retry-after", str(RETRY_AFTER)))),
        new=New.DATA,
        new_within=2.0,
    ),
    Fault(
        name="upstream REFUSED, another upstream",
        world=two_upstreams,
        during=says(replies.rcode(dns.rcode.REFUSED)),
        new=New.DATA,
        new_within=2.0,
    ),
    *(
        Fault(
            name=name,
            world=at_distance(0.01, count),
            during=says(some_names_hang),
            new_within=5.5,
            new_every=0.04,
            check=others_do_not_wait,
        )
        for count, name in enumerate(
            ("every second name hangs", "every second name hangs, another upstream"), 1
        )
    ),
    Fault(
        name="answers take 2 s",
        world=one_upstream,
        during=says(replies.delayed(2.0)),
        new=New.DATA,
        new_within=3.5,
    ),
    *(
        Fault(
            name=f"{name}, another upstream",
            world=two_upstreams,
            during=says(SAYS[name][0]),
            new=New.DATA,
            new_within=2.5,
        )
        for name in HELPED
    ),
    *(
        Fault(
            name=name, world=one_upstream, during=says(now_and_then(behaviour)), new=New.DATA, new_within=2.5
        )
        for name, behaviour in PASSES.items()
    ),
)
