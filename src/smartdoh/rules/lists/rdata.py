"""Record data from text to wire format, for the types that a list may write answers of."""

from __future__ import annotations

import base64
import ipaddress
import re
import struct
from collections.abc import Callable

from smartdoh.wire.codes import AAAA, HTTPS, MX, PTR, SRV, SVCB, TXT, A
from smartdoh.wire.names import from_text

_LONGEST_STRING = 255  # octets, RFC 1035 section 3.3
_U16 = struct.Struct("!H")
_SVC_KEYS = {  # RFC 9460 section 14.3.2, RFC 9461 section 5
    "mandatory": 0,
    "alpn": 1,
    "no-default-alpn": 2,
    "port": 3,
    "ipv4hint": 4,
    "ech": 5,
    "ipv6hint": 6,
    "dohpath": 7,
}


def rdata_of(rtype: str, text: str) -> tuple[int, bytes]:
    """Type and data of a record as a zone file writes it. Raises ValueError."""
    if rtype not in _WRITERS:
        raise ValueError(f"no records of type {rtype!r} can be written")
    number, write = _WRITERS[rtype]
    try:
        return number, write(text.strip())
    except (struct.error, IndexError) as error:
        raise ValueError(str(error)) from error


def _ipv4(text: str) -> bytes:
    return ipaddress.IPv4Address(text).packed


def _ipv6(text: str) -> bytes:
    return ipaddress.IPv6Address(text).packed


def _mx(text: str) -> bytes:
    preference, exchange = text.split()
    return _U16.pack(int(preference)) + from_text(exchange)


def _srv(text: str) -> bytes:
    *numbers, target = text.split()
    return struct.pack("!HHH", *map(int, numbers)) + from_text(target)


def _txt(text: str) -> bytes:
    data = (text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text).encode()
    parts = [data[at : at + _LONGEST_STRING] for at in range(0, len(data), _LONGEST_STRING)] or [b""]
    return b"".join(bytes([len(part)]) + part for part in parts)


def _svcb(text: str) -> bytes:
    """RFC 9460 section 2.1: priority, target, and parameters in the order of their keys, each at most once."""
    priority, target, *parameters = text.split()
    fields: dict[int, bytes] = {}
    for parameter in parameters:
        key, value = _svc_parameter(parameter)
        if key in fields:
            raise ValueError(f"{parameter!r}: twice")
        fields[key] = value
    packed = (_U16.pack(key) + _U16.pack(len(value)) + value for key, value in sorted(fields.items()))
    return _U16.pack(int(priority)) + from_text(target) + b"".join(packed)


def _svc_parameter(text: str) -> tuple[int, bytes]:
    name, _, quoted = text.partition("=")
    value = quoted.strip('"')
    return _svc_key(name), _SVC_WRITERS.get(name, str.encode)(value)


def _svc_key(name: str) -> int:
    generic = re.fullmatch(r"key([0-9]{1,5})", name)
    if generic is None and name not in _SVC_KEYS:
        raise ValueError(f"{name!r} is no parameter")
    return int(generic[1]) if generic else _SVC_KEYS[name]


def _alpn(value: str) -> bytes:
    protocols = [protocol.encode() for protocol in value.split(",")]
    if not all(0 < len(protocol) <= _LONGEST_STRING for protocol in protocols):
        raise ValueError("an empty or too long protocol")
    return b"".join(bytes([len(protocol)]) + protocol for protocol in protocols)


def _nothing(value: str) -> bytes:
    if value:
        raise ValueError("takes no value")
    return b""


_SVC_WRITERS: dict[str, Callable[[str], bytes]] = {
    "mandatory": lambda value: b"".join(_U16.pack(key) for key in sorted(map(_svc_key, value.split(",")))),
    "alpn": _alpn,
    "no-default-alpn": _nothing,
    "port": lambda value: _U16.pack(int(value)),
    "ipv4hint": lambda value: b"".join(map(_ipv4, value.split(","))),
    "ech": lambda value: base64.b64decode(value, validate=True),
    "ipv6hint": lambda value: b"".join(map(_ipv6, value.split(","))),
}
_WRITERS: dict[str, tuple[int, Callable[[str], bytes]]] = {
    "A": (A, _ipv4),
    "AAAA": (AAAA, _ipv6),
    "PTR": (PTR, from_text),
    "MX": (MX, _mx),
    "TXT": (TXT, _txt),
    "SRV": (SRV, _srv),
    "SVCB": (SVCB, _svcb),
    "HTTPS": (HTTPS, _svcb),
}
