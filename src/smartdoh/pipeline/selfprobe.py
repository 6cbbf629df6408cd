"""Names that only this proxy asks for: when one comes back as a question, whoever it was sent to asks us.

How it works. A probe's name is 128 random bits and, beside them, their hash with a secret of this instance, below a
name that nobody will ever have (RFC 9476). The listener knows by the hash that the question is its own, and answers
with another hash; only where that comes back as the upstream's answer is there a loop. So nobody can pretend one who
does not know the secret, and the processes of one instance need no word with each other. Of names that other
instances made nothing is known: they are names like any other, and go upstream.
"""

from __future__ import annotations

import hashlib
import secrets

from smartdoh.model import Answer, Query, Route
from smartdoh.wire import compose
from smartdoh.wire.codes import IN, RD, TXT
from smartdoh.wire.compose import Rr
from smartdoh.wire.names import from_text
from smartdoh.wire.question import parse_query

ZONE = from_text("smartdoh-loop.alt.")
_RANDOM = 16  # octets
_HASH = 16


class SelfProbe:
    """Makes probes, and knows them and their answers again."""

    def __init__(self, secret: bytes = b"") -> None:
        """`secret` is shared by all processes that answer together; one that is alone needs none given."""
        self._secret = hashlib.blake2b(secret or secrets.token_bytes(32), person=b"loop probe").digest()

    def query(self) -> Query:
        """A question that was never asked before."""
        random = secrets.token_hex(_RANDOM)
        name = from_text(f"{random}.{self._hash('probe', random)}.")[:-1] + ZONE
        head = bytes(2) + RD.to_bytes(2) + b"\0\1" + bytes(6)
        return parse_query(head + name + TXT.to_bytes(2) + IN.to_bytes(2))

    def answer(self, query: Query, route: Route) -> Answer | None:
        """The stage: a question that we have asked ourselves gets what only we can say."""
        if not query.name.endswith(ZONE):
            return None
        proof = self._proof(query.name)
        if not proof:
            return None
        text = bytes([len(proof)]) + proof
        return compose.answer(query, 0, [Rr(query.name, TXT, 0, text)], source="loop probe")

    def has_returned(self, query: Query, answer: Answer) -> bool:
        """Whether the answer to a probe is our own."""
        return self._proof(query.name) in answer.wire[query.end :]

    def _proof(self, name: bytes) -> bytes:
        """What the answer to a probe's name holds; empty where it is none of ours."""
        labels = name.removesuffix(ZONE)
        if len(labels) != 2 + 4 * _RANDOM or labels[0] != 2 * _RANDOM:
            return b""
        random, mark = labels[1 : 1 + 2 * _RANDOM], labels[2 + 2 * _RANDOM :]
        if not secrets.compare_digest(mark, self._hash("probe", random.decode("latin-1")).encode()):
            return b""
        return self._hash("proof", random.decode("latin-1")).encode()

    def _hash(self, what: str, random: str) -> str:
        told = what.encode() + random.encode("latin-1", "replace")
        return hashlib.blake2b(told, key=self._secret, digest_size=_HASH).hexdigest()
