"""Domain names and record types as the config writes them."""

from __future__ import annotations

import re

LONGEST_NAME = 253  # characters, RFC 1035 section 3.1: 255 octets on the wire
LAST_TYPE = 0xFFFF

_LABEL = re.compile(r"[a-z0-9_-]{1,63}")  # RFC 1035 section 2.3.4
_TYPE = re.compile(r"TYPE([0-9]{1,5})")  # RFC 3597 section 5
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")

QTYPES = {  # IANA, "Resource Record (RR) TYPEs"
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "HINFO": 13,
    "MX": 15,
    "TXT": 16,
    "RP": 17,
    "AFSDB": 18,
    "KEY": 25,
    "AAAA": 28,
    "LOC": 29,
    "SRV": 33,
    "NAPTR": 35,
    "CERT": 37,
    "DNAME": 39,
    "APL": 42,
    "DS": 43,
    "SSHFP": 44,
    "IPSECKEY": 45,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "DHCID": 49,
    "NSEC3": 50,
    "NSEC3PARAM": 51,
    "TLSA": 52,
    "SMIMEA": 53,
    "CDS": 59,
    "CDNSKEY": 60,
    "OPENPGPKEY": 61,
    "CSYNC": 62,
    "ZONEMD": 63,
    "SVCB": 64,
    "HTTPS": 65,
    "SPF": 99,
    "URI": 256,
    "CAA": 257,
}
_TYPE_NAMES = {number: name for name, number in QTYPES.items()}


def parse_domain(text: str) -> str:
    """The name in lower case without a dot at its end. Raises ValueError for what cannot be a name."""
    if not text.isascii():
        raise ValueError("has letters outside ASCII")
    name = text.lower().removesuffix(".")
    if len(name) > LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError("is not a domain name")
    return name


def parse_host(text: str) -> str:
    """A domain name that no resolver takes for an IPv4 address: its last label is not a number."""
    name = parse_domain(text)
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]):
        raise ValueError("has a host that is neither a name nor an address")
    return name


def parse_qtype(text: str) -> str:
    """The record type in capitals: a name of `QTYPES`, or `TYPE65` (RFC 3597). Raises ValueError."""
    name = text.upper()
    if name in QTYPES:
        return name
    match = _TYPE.fullmatch(name)
    if match is None or int(match[1]) > LAST_TYPE:
        raise ValueError("is not a record type")
    return name


def qtype_number(name: str) -> int:
    """The number of a type that `parse_qtype` returned."""
    return QTYPES[name] if name in QTYPES else int(name.removeprefix("TYPE"))


def qtype_text(number: int) -> str:
    """The type as `parse_qtype` reads it: by its name, or as `TYPE65` where it has none here."""
    return _TYPE_NAMES.get(number) or f"TYPE{number}"


def parse_word(text: str) -> str:
    """The name of a group or list: letters, digits, `_` and `-`. Raises ValueError."""
    if not _WORD.fullmatch(text):
        raise ValueError("is not a name")
    return text
