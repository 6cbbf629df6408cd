"""An answer taken apart into what can differ, and the explanations of what does."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype

from tests.differential.exchange import Answers
from tests.differential.questions import BITS, Asked
from tests.e2e.messages import sections

EXPLAINED = Path(__file__).with_name("explained.toml")
HEADER, QUESTION_AT = 12, 12
LATE = 2  # seconds, of a TTL, that a fetch may take and a count may be rounded by

Parts = Mapping[str, object]


def parts(asked: Asked, wire: bytes | None) -> Parts:
    """What an answer says, by the name of the part; all that silence says is that it is."""
    if wire is None:
        return {"answered": "no"}
    flags = int.from_bytes(wire[2:4])
    found: Parts = {
        "answered": "yes",
        "opcode": flags >> 11 & 15,
        **{bit: "set" if flags & mask else "clear" for bit, mask in BITS.items()},
        "question": "echoed"
        if wire[QUESTION_AT:].startswith(asked.question) and wire[4:6] == asked.wire[4:6]
        else "not",
    }
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True, one_rr_per_rrset=False)
    except dns.exception.DNSException as error:
        return {
            **found,
            "message": f"no DNS: {type(error).__name__}",
            "rcode": dns.rcode.to_text(dns.rcode.Rcode(flags & 15)),
        }
    return {**found, **_said(message)}


def _said(message: dns.message.Message) -> Parts:
    answer, authority, additional = sections(message)
    return {
        "rcode": dns.rcode.to_text(message.rcode()),
        "answer": answer,
        "authority": authority,
        "additional": additional,
        "EDNS": f"version {message.edns}" if message.edns >= 0 else "none",
        "payload": message.payload if message.edns >= 0 else 0,
        "EDNS flags": message.ednsflags & 0xFFFF if message.edns >= 0 else 0,
        "options": sorted({option.otype.name for option in message.options}),
    }


def lowest_ttl(wire: bytes | None) -> int | None:
    """The lowest TTL of the records of an answer; None where it has none."""
    try:
        message = dns.message.from_wire(wire or b"", ignore_trailing=True)
    except dns.exception.DNSException:
        return None
    return min((rrset.ttl for rrset in (*message.answer, *message.authority)), default=None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of the answers to one question that is not the same."""

    asked: Asked
    part: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.part}: {self.ours} here, {self.theirs} there, for {self.asked}"


def differences(asked: Asked, answers: Answers) -> list[Difference]:
    """All that differs; where one is silent or says something else altogether, that alone."""
    ours, theirs = answers.ours[asked.wire], answers.theirs[asked.wire]
    here, there = parts(asked, ours), parts(asked, theirs)
    for decisive in ("answered", "rcode"):
        if here.get(decisive) != there.get(decisive):
            return [_difference(asked, decisive, here, there)]
    found = [
        _difference(asked, part, here, there)
        for part in dict.fromkeys((*here, *there))
        if here.get(part) != there.get(part)
    ]
    one, other = lowest_ttl(ours), lowest_ttl(theirs)
    if one is not None and other is not None and abs(one - other) > answers.seconds + LATE:
        found.append(Difference(asked, "TTL", str(one), str(other)))
    return found


def _difference(asked: Asked, part: str, here: Parts, there: Parts) -> Difference:
    return Difference(asked, part, _shown(here.get(part)), _shown(there.get(part)))


def _shown(value: object) -> str:
    if isinstance(value, set):
        kinds = sorted(dns.rdatatype.to_text(rdtype) for _, rdtype, _, _ in value)
        return " ".join(kinds) or "nothing"
    if isinstance(value, list):
        return " ".join(value) or "none"
    return str(value)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the servers differ in some part, for such questions."""

    part: re.Pattern[str]
    ours: re.Pattern[str]
    theirs: re.Pattern[str]
    when: Mapping[str, re.Pattern[str]]
    why: str

    def explains(self, difference: Difference) -> bool:
        """Whether it is about this difference."""
        return (
            bool(self.part.fullmatch(difference.part))
            and bool(self.ours.fullmatch(difference.ours))
            and bool(self.theirs.fullmatch(difference.theirs))
            and all(wanted.fullmatch(difference.asked.said(key)) for key, wanted in self.when.items())
        )


def explanations(text: str) -> list[Explanation]:
    """Those of `explained.toml`, whose `part`, `ours`, `theirs` and keys of `when` are regular expressions."""
    return [
        Explanation(
            re.compile(entry["part"]),
            re.compile(entry["ours"]),
            re.compile(entry["theirs"]),
            {key: re.compile(value) for key, value in entry.get("when", {}).items()},
            entry["why"],
        )
        for entry in tomllib.loads(text)["difference"]
    ]


def divided(
    asked: Iterable[Asked], answers: Answers, known: Sequence[Explanation]
) -> tuple[list[Explanation], list[Difference]]:
    """The explanation of each difference that has one, and the differences that have none."""
    told, strange = [], []
    for each in asked:
        for difference in differences(each, answers):
            found = next((one for one in known if one.explains(difference)), None)
            if found is not None:
                told.append(found)
            else:
                strange.append(difference)
    return told, strange
