"""SipHash-2-4 (Aumasson and Bernstein 2012), which RFC 9018 section 4.4 wants; Python's own keyed hash is 1-3."""

from __future__ import annotations

_ALL = 0xFFFF_FFFF_FFFF_FFFF
_START = (0x736F_6D65_7073_6575, 0x646F_7261_6E64_6F6D, 0x6C79_6765_6E65_7261, 0x7465_6462_7974_6573)
_FINAL = 0xFF
_State = tuple[int, int, int, int]


def siphash24(key: bytes, message: bytes) -> bytes:
    """The hash of `message` under a key of 16 octets: 8 octets, the lowest first as its authors write it."""
    low, high = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    v0, v1, v2, v3 = low ^ _START[0], high ^ _START[1], low ^ _START[2], high ^ _START[3]
    padded = message + bytes(-(len(message) + 1) % 8) + bytes((len(message) & 0xFF,))
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v0, v1, v2, v3 = _round(*_round(v0, v1, v2, v3 ^ word))
        v0 ^= word
    state = (v0, v1, v2 ^ _FINAL, v3)
    for _ in range(4):
        state = _round(*state)
    v0, v1, v2, v3 = state
    return (v0 ^ v1 ^ v2 ^ v3).to_bytes(8, "little")


def _round(v0: int, v1: int, v2: int, v3: int) -> _State:
    """One SipRound; what is rotated has its bits above the 64th taken off, what is added as well."""
    v0 = (v0 + v1) & _ALL
    v1 = (v1 << 13 | v1 >> 51) & _ALL ^ v0
    v2 = (v2 + v3) & _ALL
    v3 = (v3 << 16 | v3 >> 48) & _ALL ^ v2
    v0 = ((v0 << 32 | v0 >> 32) + v3) & _ALL
    v3 = (v3 << 21 | v3 >> 43) & _ALL ^ v0
    v2 = (v2 + v1) & _ALL
    v1 = (v1 << 17 | v1 >> 47) & _ALL ^ v2
    return v0, v1, (v2 << 32 | v2 >> 32) & _ALL, v3
