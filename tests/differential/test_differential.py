"""Ten thousand questions: nothing differs from unbound but what is explained, and each explanation is of use."""

from pathlib import Path

from tests.differential.compare import EXPLAINED, divided, explanations
from tests.differential.exchange import ask_both
from tests.differential.questions import questions
from tests.differential.servers import both
from tests.servers.certificates import Authority

COUNT = 10_000


def test_all_that_differs_is_explained(tmp_path: Path, authority: Authority) -> None:
    asked = list(questions(COUNT))
    with both(tmp_path, authority) as ports:
        answers = ask_both(*ports, asked)
    known = explanations(EXPLAINED.read_text("utf-8"))
    told, strange = divided(asked, answers, known)
    assert not strange, "\n".join(map(str, strange[:20]))
    idle = [one.why for one in known if one not in told]
    assert not idle, f"this explains nothing: {idle}"


def test_the_questions_are_what_they_say() -> None:
    """Always the same, and all of the header, the types and the forms of EDNS are among them."""
    asked = list(questions(COUNT))
    assert asked == list(questions(COUNT))
    assert len({each.wire[:2] for each in asked}) == COUNT
    assert {each.opcode for each in asked} == set(range(16))
    assert set().union(*(each.bits for each in asked)) == {"QR", "AA", "TC", "RD", "RA", "Z", "AD", "CD"}
    plain = [
        each for each in asked if each.edns == "none" and each.counts == "one question" and not each.opcode
    ]
    assert len(plain) > COUNT / 4
