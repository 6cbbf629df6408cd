"""The zone that every test server serves, and the answers an authoritative server gives from it."""

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

ORIGIN = "smartdoh.example."
NEGATIVE_TTL = 60  # seconds; the SOA's own TTL is longer, so RFC 2308's minimum decides

LONG_TEXT = " ".join(f'"{letter * 250}"' for letter in "abcdefgh")  # 2,008 bytes of rdata: over 1232

ZONE_TEXT = f"""\
$ORIGIN {ORIGIN}
$TTL 300
@            3600 IN SOA   ns1 hostmaster 2026010101 7200 3600 1209600 {NEGATIVE_TTL}
@            3600 IN NS    ns1
ns1          3600 IN A     203.0.113.53
one           300 IN A     203.0.113.1
several       120 IN A     203.0.113.11
several       120 IN A     203.0.113.12
several       120 IN A     203.0.113.13
six           300 IN AAAA  2001:db8:6::1
six           300 IN AAAA  2001:db8:6::2
both          300 IN A     203.0.113.20
both          300 IN AAAA  2001:db8:6::20
alias          90 IN CNAME middle
middle        200 IN CNAME one
dangling      200 IN CNAME missing
mail          300 IN MX    10 mx1
mail          300 IN MX    20 mx2
mx1           300 IN A     203.0.113.25
mx2           300 IN A     203.0.113.26
text          300 IN TXT   "short text"
long          300 IN TXT   {LONG_TEXT}
service       300 IN HTTPS 1 . alpn=h2,h3 ipv4hint=203.0.113.30 key65400="opaque"
binding       300 IN SVCB  2 service port=853
odd           300 IN TYPE65400 \\# 5 0102030405
Case          300 IN A     203.0.113.40
*.wild        300 IN A     203.0.113.77
"""

KINDS: dict[str, tuple[str, str]] = {
    "one address": ("one", "A"),
    "several addresses": ("several", "A"),
    "IPv6 addresses": ("six", "AAAA"),
    "CNAME chain": ("alias", "A"),
    "CNAME chain to a missing name": ("dangling", "A"),
    "MX": ("mail", "MX"),
    "TXT": ("text", "TXT"),
    "TXT over 1232 bytes": ("long", "TXT"),
    "HTTPS": ("service", "HTTPS"),
    "SVCB": ("binding", "SVCB"),
    "a type nobody knows": ("odd", "TYPE65400"),
    "SOA": ("@", "SOA"),
    "wildcard": ("some-name.wild", "A"),
    "NXDOMAIN": ("missing", "A"),
    "NODATA": ("one", "AAAA"),
}
"""What there is to ask, by a name that says what it shows: owner below the origin, and type."""


def full_name(owner: str) -> str:
    """The absolute name of an owner in the zone; `@` is the zone itself."""
    return ORIGIN if owner == "@" else f"{owner}.{ORIGIN}"


class Answers:
    """What an authoritative server with this zone answers; a pure function of the question."""

    def __init__(self, text: str = ZONE_TEXT, origin: str = ORIGIN) -> None:
        self._origin = dns.name.from_text(origin)
        self._sets: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dns.rrset.RRset] = {}
        self._names: set[dns.name.Name] = {self._origin}
        zone = dns.zone.from_text(text, origin=self._origin, relativize=False, check_origin=False)
        for name, rdataset in zone.iterate_rdatasets():
            self.put(dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset)))

    def put(self, rrset: dns.rrset.RRset) -> None:
        """Adds a set, or replaces the one with its name and type."""
        self._sets[rrset.name, rrset.rdtype] = rrset
        name = rrset.name
        while name.is_subdomain(self._origin) and name != self._origin:
            self._names.add(name)
            name = name.parent()

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """The authoritative answer to a query; REFUSED for names outside the zone."""
        response = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        if question.rdclass != dns.rdataclass.IN or not question.name.is_subdomain(self._origin):
            response.set_rcode(dns.rcode.REFUSED)
            return response
        self._follow(response, question.name, question.rdtype)
        return response

    def _follow(
        self, response: dns.message.Message, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
    ) -> None:
        for _ in range(8):
            found = self._find(name, rdtype)
            if found is not None:
                response.answer.append(found)
                return
            alias = self._find(name, dns.rdatatype.CNAME)
            if alias is None:
                break
            response.answer.append(alias)
            name = alias[0].target
            if not name.is_subdomain(self._origin):
                return
        soa = self._sets[self._origin, dns.rdatatype.SOA]
        lifetime = min(soa.ttl, soa[0].minimum)  # RFC 2308 section 3
        response.authority.append(dns.rrset.from_rdata_list(soa.name, lifetime, list(soa)))
        if name not in self._names and self._pattern(name) not in self._names:
            response.set_rcode(dns.rcode.NXDOMAIN)

    def _find(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
        found = self._sets.get((name, rdtype))
        if found is None and name not in self._names:
            pattern = self._sets.get((self._pattern(name), rdtype))
            if pattern is not None:
                found = dns.rrset.from_rdata_list(name, pattern.ttl, list(pattern))
        return found

    def _pattern(self, name: dns.name.Name) -> dns.name.Name:
        """The wildcard below the closest name that exists (RFC 4592 section 3.3.1)."""
        while name not in self._names:
            name = name.parent()
        return dns.name.from_text("*", origin=name)
