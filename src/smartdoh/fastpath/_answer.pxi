# From a kept answer to the octets that its client gets: `entry.render` in C.

cdef enum:
    EDE_SIZE = 6  # octets of an Extended DNS Error option without text

cdef size_t render_kept(
    Kept* kept, const Question* question, const uint8_t* wire, double now, bint udp, uint8_t* out
) noexcept nogil:
    """Write the answer to `question`, whose message is `wire`, to `out`; how many octets.

    They are at most what the client takes: 512 to 1232 over UDP, 65,535 over TCP. `out` has room for that.
    """
    cdef size_t limit = MAX_MESSAGE
    cdef bint stale = now >= kept.expires
    cdef size_t size = kept.wire_size, opt = 0
    cdef const uint8_t* counts = wire_of(kept) + 6
    cdef Cut* cut = NULL
    cdef unsigned int flags = QR | RA | kept.rcode | (question.flags & (RD | CD))
    if udp:
        limit = min(question.payload, <uint16_t>MAX_UDP) if question.has_opt else MIN_UDP
    if kept.ad and (question.do_bit or question.flags & AD):
        flags |= AD
    if question.has_opt:
        opt = OPT_FIXED + question.own_size + kept.ede_size + (EDE_SIZE if stale else 0)
    if size + opt > limit:  # Extended DNS Errors go first (RFC 8914 section 3)
        opt = OPT_FIXED + question.own_size if question.has_opt else 0
        if size + opt > limit:
            cut = first_beyond(kept, limit - opt)
            size = cut.start
            if cut.section != ADDITIONAL:
                flags |= TC
    memcpy(out, wire, 2)
    put_u16(out + 2, flags)
    memcpy(out + 4, wire_of(kept) + 4, 8)
    if cut != NULL:
        put_u16(out + 6, cut.before[0])
        put_u16(out + 8, cut.before[1])
        put_u16(out + 10, cut.before[2])
    if opt:
        put_u16(out + 10, u16(out + 10) + 1)
    memcpy(out + HEADER, wire + HEADER, question.end - HEADER)
    memcpy(out + question.end, wire_of(kept) + question.end, size - question.end)
    set_ttls(kept, out, size, now, stale)
    if opt:
        write_opt(kept, question, out + size, opt, stale)
    return size + opt


cdef Cut* first_beyond(Kept* kept, size_t limit) noexcept nogil:
    """The first RRset that ends beyond `limit`; a message that is too long has one."""
    cdef Cut* cut = cuts_of(kept)
    while cut.end <= limit:
        cut += 1
    return cut


cdef inline void set_ttls(Kept* kept, uint8_t* out, size_t size, double now, bint stale) noexcept nogil:
    """Age the TTLs, or set them all to what stale answers have (RFC 8767 section 4)."""
    cdef uint16_t* offset = offsets_of(kept)
    cdef uint16_t* end = offset + kept.offsets
    cdef uint32_t passed = 0, ttl
    cdef uint8_t* at
    if now > kept.stored:
        passed = <uint32_t>min(now - kept.stored, 4294967295.0)
    if not stale and passed == 0:
        return
    while offset < end and offset[0] < size:
        at = out + offset[0]
        ttl = u32(at)
        if stale:
            ttl = STALE_ANSWER_TTL
        else:
            ttl = ttl - passed if ttl > passed else 0
        put_u32(at, ttl)
        offset += 1


cdef inline void write_opt(Kept* kept, const Question* question, uint8_t* at, size_t size, bint stale) noexcept nogil:
    """The OPT record of our answers (RFC 6891 section 6.1), `size` octets long: the question's own, and the errors there is room for."""
    at[0] = 0
    put_u16(at + 1, OPT)
    put_u16(at + 3, MAX_UDP)
    at[5] = at[6] = 0
    put_u16(at + 7, DO if question.do_bit else 0)
    put_u16(at + 9, <unsigned int>(size - OPT_FIXED))
    if size == OPT_FIXED:
        return
    memcpy(at + OPT_FIXED, question.own, question.own_size)
    if size == <size_t>OPT_FIXED + question.own_size:
        return
    memcpy(at + OPT_FIXED + question.own_size, ede_of(kept), kept.ede_size)
    if stale:
        at += size - EDE_SIZE
        put_u16(at, OPTION_EDE)
        put_u16(at + 2, 2)
        put_u16(at + 4, EDE_STALE_NXDOMAIN if kept.rcode == NXDOMAIN else EDE_STALE)
