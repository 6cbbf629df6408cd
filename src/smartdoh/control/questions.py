"""Questions as a person writes them: a name and a type, to the form that the rest of the program reads."""

from __future__ import annotations

import dns.exception
import dns.message
import dns.name
import dns.rdatatype

from smartdoh.errors import ConfigError
from smartdoh.model import Query
from smartdoh.wire.question import parse_query


def parse_question(name: str, qtype: str, view: int = 0, host: str = "") -> Query:
    """What the command line asks, as a client's question. Raises ConfigError where it is no name or no type."""
    message = dns.message.make_query(parse_name(name), parse_type(qtype))
    return parse_query(message.to_wire(), view, host)


def parse_type(qtype: str) -> dns.rdatatype.RdataType:
    """A record type, as AAAA or TYPE65. Raises ConfigError."""
    try:
        return dns.rdatatype.from_text(qtype)
    except dns.exception.DNSException as error:
        raise ConfigError("TYPE", f"{qtype!r} is no record type: {error}") from error


def parse_name(name: str) -> dns.name.Name:
    """A name, with letters outside ASCII by IDNA. Raises ConfigError."""
    try:
        return dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ConfigError("NAME", f"{name!r} is no domain name: {error}") from error


def folded(name: str) -> bytes:
    """A name as keys of the cache have it. Raises ConfigError."""
    return parse_name(name).canonicalize().to_wire() or b"\0"
