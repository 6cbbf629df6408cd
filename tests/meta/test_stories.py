"""The language of stories: what is written wrongly is refused, and an answer that is not as told is noticed."""

import dns.edns
import dns.message
import dns.rrset
import pytest

from tests.stories.language import Ask, Expected, Story, read, stories
from tests.stories.telling import assert_as_told

WRONG = [
    "ask",
    "ask A = FINE",
    "ask A = NOERROR ttl 5",
    "ask A +RD",
    "asked often",
    "pass 5",
    "pass 5w",
    "upstream",
    "upstream NXDOMAIN soa 5",
    "upstream 60 A",
    "wait 5s",
]


def told(line: str) -> Story:
    return read("told", f"# a title\n{line}\n")


@pytest.mark.parametrize("line", WRONG)
def test_a_line_that_means_nothing_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="told line 2"):
        told(line)


def test_a_story_has_a_title_and_steps() -> None:
    for text in ("", "ask A", "# a title"):
        with pytest.raises(ValueError, match="title and steps"):
            read("told", text)


def test_every_story_looks_at_what_comes_back() -> None:
    for story in stories():
        asks = [step for _, step in story.steps if isinstance(step, Ask)]
        assert any(step.expected is not None for step in asks), story.name


def expected(text: str) -> Expected:
    [(_, step)] = told(f"ask A = {text}").steps
    assert isinstance(step, Ask)
    assert step.expected is not None
    return step.expected


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("NOERROR 203.0.113.7", True),
        ("NOERROR 203.0.113.7 ttl 1-30 ede 3", True),
        ("NXDOMAIN 203.0.113.7", False),
        ("NOERROR", False),
        ("NOERROR 203.0.113.8", False),
        ("NOERROR 203.0.113.7 ttl 31-60", False),
        ("NOERROR 203.0.113.7 ede 19", False),
        ("NOERROR 203.0.113.7 no ede", False),
    ],
)
def test_an_answer_that_is_otherwise_is_noticed(text: str, is_so: bool) -> None:
    answer = dns.message.make_response(dns.message.make_query("www.example.", "A", use_edns=0))
    answer.answer = [dns.rrset.from_text("www.example.", 30, "IN", "A", "203.0.113.7")]
    answer.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode(3))])
    wanted = expected(text)
    if is_so:
        assert_as_told("here", answer, wanted)
    else:
        with pytest.raises(AssertionError, match="here"):
            assert_as_told("here", answer, wanted)
