"""Addresses and networks, one a line, by themselves or as dnsmasq's setting bogus-nxdomain= (dnsmasq(8)).

They take the same compiled form as names. A network's key is its bits from the front, so that it is the beginning of
the key of each address in it, as a name's key is of the keys of all names below it.
"""

from __future__ import annotations

import ipaddress
import re

from smartdoh.rules.lists.dialects.dialect import Dialect
from smartdoh.rules.lists.rule import Parsed, Reason, Rule

_NEVER = re.compile(rb"(?!)()")  # no shortcut: such lists are short
_COMMENT = re.compile(r"(?:^|\s)#.*")
_SETTING = re.compile(r"([a-z][a-z0-9-]*)(?:\s*=\s*(.*))?")
_FAMILY_4, _FAMILY_6 = b"4", b"6"
_FOUR = 4  # octets of an IPv4 address


def address_key(address: bytes) -> bytes:
    """The key of a packed address; no name has it."""
    if len(address) == _FOUR:
        return _FAMILY_4 + format(int.from_bytes(address), "032b").encode()
    return _FAMILY_6 + format(int.from_bytes(address), "0128b").encode()


def parse(line: str) -> Parsed:
    """A line of the file."""
    text = _COMMENT.sub("", line).strip()
    if not text:
        return None
    setting = _SETTING.fullmatch(text)
    if setting is not None and setting[2] is not None:
        if setting[1] != "bogus-nxdomain":
            return Reason.DIRECTIVE
        text = setting[2]
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return Reason.SYNTAX
    if not network.prefixlen:
        return Reason.SYNTAX  # every address there is: a slip, not a wish
    return [Rule(address_key(network.network_address.packed)[: 1 + network.prefixlen])]


DIALECT = Dialect(parse, _NEVER)
