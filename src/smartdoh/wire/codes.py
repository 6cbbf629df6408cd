"""The numbers of DNS that smartdoh looks at, by the names of IANA's registries."""

from __future__ import annotations

from typing import Final

HEADER: Final = 12  # octets, RFC 1035 section 4.1.1
MAX_NAME: Final = 255  # octets, RFC 1035 section 2.3.4
MAX_LABEL: Final = 63
POINTER: Final = 0xC0  # in the first octet of a compression pointer, RFC 1035 section 4.1.4
MAX_POINTERS: Final = 127  # in one name: as many as it can have labels
MAX_MESSAGE: Final = 65_535  # octets, the two-byte length of RFC 1035 section 4.2.2
MIN_UDP: Final = 512  # octets, RFC 1035 section 4.2.1
MAX_UDP: Final = 1232  # octets announced and used over UDP: DNS flag day 2020, below the 1400 of RFC 9715

QR: Final = 0x8000
OPCODE: Final = 0x7800
AA: Final = 0x0400
TC: Final = 0x0200
RD: Final = 0x0100
RA: Final = 0x0080
AD: Final = 0x0020
CD: Final = 0x0010
RCODE: Final = 0x000F
DO: Final = 0x8000  # in the TTL field of OPT, lower half

NOERROR: Final = 0
FORMERR: Final = 1
SERVFAIL: Final = 2
NXDOMAIN: Final = 3
NOTIMP: Final = 4
REFUSED: Final = 5
BADVERS: Final = 16
BADCOOKIE: Final = 23  # RFC 7873 section 8

A: Final = 1
NS: Final = 2
CNAME: Final = 5
SOA: Final = 6
PTR: Final = 12
HINFO: Final = 13
MX: Final = 15
TXT: Final = 16
AAAA: Final = 28
SRV: Final = 33
NAPTR: Final = 35
DNAME: Final = 39
OPT: Final = 41
DS: Final = 43
RRSIG: Final = 46
SVCB: Final = 64
HTTPS: Final = 65
IXFR: Final = 251
AXFR: Final = 252
ANY: Final = 255

IN: Final = 1
CH: Final = 3

OPTION_COOKIE: Final = 10  # RFC 7873
OPTION_KEEPALIVE: Final = 11  # RFC 7828
OPTION_PADDING: Final = 12  # RFC 7830
OPTION_EDE: Final = 15  # RFC 8914

EDE_OTHER: Final = 0
EDE_STALE: Final = 3
EDE_CACHED_ERROR: Final = 13
EDE_BLOCKED: Final = 15
EDE_FILTERED: Final = 17
EDE_PROHIBITED: Final = 18
EDE_STALE_NXDOMAIN: Final = 19
EDE_NOT_SUPPORTED: Final = 21
EDE_NO_REACHABLE_AUTHORITY: Final = 22
EDE_NETWORK_ERROR: Final = 23
