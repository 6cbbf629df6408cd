"""The rdata of SVCB and HTTPS records (RFC 9460): strict reading, and where the address hints in it lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from smartdoh.errors import WireError
from smartdoh.wire.codes import FORMERR, MAX_LABEL, MAX_NAME

MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT = range(7)
"""SvcParamKeys, RFC 9460 section 14.3.2."""

HINT_SIZES = {IPV4HINT: 4, IPV6HINT: 16}  # octets of one address

_WORD = struct.Struct("!H")
_PARAM = struct.Struct("!HH")  # key, length
_PORT_SIZE = 2


class Param(NamedTuple):
    """One SvcParam: its key, and where its value lies. Keys that nobody knows are kept like any other."""

    key: int
    start: int
    end: int


class Svcb(NamedTuple):
    """What one record says. Offsets count from the start of the octets that were read."""

    priority: int  # 0 is AliasMode
    target: bytes  # the TargetName, uncompressed, as it was spelled
    params: tuple[Param, ...]  # in the order of their keys

    def param(self, key: int) -> Param | None:
        """The parameter with this key."""
        return next((param for param in self.params if param.key == key), None)


def parse_svcb(wire: bytes, start: int, end: int) -> Svcb:
    """Read the rdata from `start` to `end`, which lie in `wire`.

    Raises WireError for all that RFC 9460 section 2.2 calls malformed: a record cut short, a compressed name, keys
    out of order or twice, and values of the known keys that cannot be; `mandatory` as in its section 8.
    """
    try:
        priority = _WORD.unpack_from(wire, start)[0]
        target_end = _skip_target(wire, start + _WORD.size, end)
        params = _params(wire, target_end, end)
    except (IndexError, struct.error) as error:
        raise WireError(FORMERR, "an SVCB record is cut short") from error
    if priority:
        _check(wire, params)
    return Svcb(priority, wire[start + _WORD.size : target_end], params)


def _skip_target(wire: bytes, at: int, end: int) -> int:
    begin = at
    while size := wire[at]:
        if size > MAX_LABEL:
            raise WireError(FORMERR, "the TargetName is compressed or has a label of an unknown kind")
        at += 1 + size
        if at >= end:
            raise WireError(FORMERR, "the TargetName runs over the end")
    if at >= end or at + 1 - begin > MAX_NAME:
        raise WireError(FORMERR, "the TargetName runs over the end, or over 255 octets")
    return at + 1


def _params(wire: bytes, at: int, end: int) -> tuple[Param, ...]:
    params: list[Param] = []
    previous = -1
    while at < end:
        key, length = _PARAM.unpack_from(wire, at)
        at += _PARAM.size
        if key <= previous or at + length > end:
            raise WireError(FORMERR, "SvcParams out of order, or one that runs over the end")
        params.append(Param(key, at, at + length))
        previous = key
        at += length
    return tuple(params)


def _check(wire: bytes, params: tuple[Param, ...]) -> None:
    """The values of the keys that RFC 9460 defines, where it says that a wrong one makes the record malformed."""
    for param in params:
        length = param.end - param.start
        size = HINT_SIZES.get(param.key)
        if size is not None and (length == 0 or length % size):
            raise WireError(FORMERR, "an address hint that is no list of addresses")
        if param.key == PORT and length != _PORT_SIZE:
            raise WireError(FORMERR, "a port that is none")
        if param.key == NO_DEFAULT_ALPN and length:
            raise WireError(FORMERR, "no-default-alpn with a value")
        if param.key == ALPN:
            _check_alpn(wire, param)
        if param.key == MANDATORY:
            _check_mandatory(wire, param, {other.key for other in params})


def _check_alpn(wire: bytes, param: Param) -> None:
    at = param.start
    while at < param.end and wire[at]:
        at += 1 + wire[at]
    if at != param.end or at == param.start:
        raise WireError(FORMERR, "an alpn that is no list of protocols")


def _check_mandatory(wire: bytes, param: Param, keys: set[int]) -> None:
    length = param.end - param.start
    if length == 0 or length % _WORD.size:
        raise WireError(FORMERR, "a mandatory that is no list of keys")
    named = mandatory_keys(wire, param)
    if named != sorted(set(named)) or MANDATORY in named or not keys.issuperset(named):
        raise WireError(FORMERR, "a mandatory that is out of order, names itself or a key that is not there")


def mandatory_keys(wire: bytes, param: Param) -> list[int]:
    """The keys that MANDATORY names, in its order."""
    return [_WORD.unpack_from(wire, at)[0] for at in range(param.start, param.end, _WORD.size)]


def hints(wire: bytes, svcb: Svcb, key: int) -> tuple[bytes, ...]:
    """The addresses of `key`, IPV4HINT or IPV6HINT, in their order; none of a record in AliasMode."""
    param = svcb.param(key) if svcb.priority else None
    if param is None:
        return ()
    size = HINT_SIZES[key]
    return tuple(wire[at : at + size] for at in range(param.start, param.end, size))


def hints_at(wire: bytes, at: int, end: int) -> Iterator[bytes]:
    """The addresses in all hints of the rdata from `at` to `end`, as far as it can be read, however malformed.

    For those who look for what a careless reader would find in it.
    """
    at += _WORD.size
    while at < end and (size := wire[at]):
        at += 1 + size
    at += 1
    while at + _PARAM.size <= end:
        key, length = _PARAM.unpack_from(wire, at)
        at += _PARAM.size
        size = HINT_SIZES.get(key, 0)
        if size:
            for start in range(at, min(at + length, end) - size + 1, size):
                yield wire[start : start + size]
        at += length


def port(wire: bytes, svcb: Svcb) -> int | None:
    """The port that the record names, if it names one."""
    param = svcb.param(PORT) if svcb.priority else None
    return None if param is None else int(_WORD.unpack_from(wire, param.start)[0])
