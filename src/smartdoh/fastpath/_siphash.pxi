# SipHash-2-4 (Aumasson and Bernstein 2012) with a key of our own, which RFC 9018 section 4.4 wants: `siphash` in C.
# Python's keyed hash is SipHash-1-3 under a key that nobody can choose.

cdef struct Sip:
    uint64_t v0
    uint64_t v1
    uint64_t v2
    uint64_t v3


cdef inline uint64_t rotated(uint64_t word, int bits) noexcept nogil:
    return word << bits | word >> (64 - bits)


cdef inline void sip_round(Sip* sip) noexcept nogil:
    sip.v0 += sip.v1
    sip.v1 = rotated(sip.v1, 13) ^ sip.v0
    sip.v2 += sip.v3
    sip.v3 = rotated(sip.v3, 16) ^ sip.v2
    sip.v0 = rotated(sip.v0, 32) + sip.v3
    sip.v3 = rotated(sip.v3, 21) ^ sip.v0
    sip.v2 += sip.v1
    sip.v1 = rotated(sip.v1, 17) ^ sip.v2
    sip.v2 = rotated(sip.v2, 32)


cdef inline void sip_word(Sip* sip, uint64_t word) noexcept nogil:
    sip.v3 ^= word
    sip_round(sip)
    sip_round(sip)
    sip.v0 ^= word


cdef inline uint64_t little_u64(const uint8_t* at, size_t size) noexcept nogil:
    """Up to 8 octets as a number, the lowest first, whatever the machine does."""
    cdef uint64_t value = 0
    while size > 0:
        size -= 1
        value = value << 8 | at[size]
    return value


cdef uint64_t siphash24(const uint8_t* key, const uint8_t* message, size_t size) noexcept nogil:
    """The hash of `message` under a key of 16 octets."""
    cdef uint64_t low = little_u64(key, 8), high = little_u64(key + 8, 8)
    cdef size_t at = 0
    cdef Sip sip
    sip.v0 = low ^ <uint64_t>0x736F_6D65_7073_6575
    sip.v1 = high ^ <uint64_t>0x646F_7261_6E64_6F6D
    sip.v2 = low ^ <uint64_t>0x6C79_6765_6E65_7261
    sip.v3 = high ^ <uint64_t>0x7465_6462_7974_6573
    while size - at >= 8:
        sip_word(&sip, little_u64(message + at, 8))
        at += 8
    sip_word(&sip, <uint64_t>size << 56 | little_u64(message + at, size - at))
    sip.v2 ^= 0xFF
    for _ in range(4):
        sip_round(&sip)
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3
