# How often one client may ask over UDP: `limits` in C. A table of sets with eight places each; the hash is keyed, so
# that nobody outside can choose addresses that push another's bucket out.

cdef enum:
    WAYS = 8
    SETS = 2048  # a power of two; a test holds their product to limits.BUCKETS
    NEVER = 0  # the bucket of clients that are not limited

cdef enum Verdict:
    PASS
    SLIP
    DROP

cdef struct TokenBucket:  # of tokens, known by when it is full again
    uint64_t client
    double full_at
    bint slipped


@cython.final
cdef class Limits:
    """One bucket for each client; where a set is full, the bucket that was full first begins anew."""

    cdef TokenBucket* buckets
    cdef double step, room
    cdef readonly tuple setting

    def __cinit__(self, int rate, int burst):
        self.buckets = <TokenBucket*>calloc(SETS * WAYS, sizeof(TokenBucket))
        if self.buckets == NULL:
            raise MemoryError
        self.step = 1.0 / rate
        self.room = (burst - 0.5) / rate
        self.setting = rate, burst

    def __dealloc__(self):
        free(self.buckets)

    cdef Verdict verdict(self, uint64_t client, double now) noexcept nogil:
        """Take a token from the bucket of a client, if there is one."""
        cdef TokenBucket* bucket
        cdef double full_at
        if client == NEVER:
            return PASS
        bucket = self.find(client, now)
        full_at = max(bucket.full_at, now)
        if full_at - now <= self.room:
            bucket.full_at = full_at + self.step
            return PASS
        bucket.slipped = not bucket.slipped
        return SLIP if bucket.slipped else DROP

    cdef TokenBucket* find(self, uint64_t client, double now) noexcept nogil:
        cdef TokenBucket* bucket = self.buckets + (hash_of(<uint8_t*>&client, sizeof(client)) & (SETS - 1)) * WAYS
        cdef TokenBucket* oldest = bucket
        cdef TokenBucket* end = bucket + WAYS
        while bucket < end:
            if bucket.client == client:
                return bucket
            if bucket.full_at < oldest.full_at:
                oldest = bucket
            bucket += 1
        oldest.client, oldest.full_at, oldest.slipped = client, now, False
        return oldest


cdef uint64_t bucket_of(const sockaddr_in6* sender) noexcept nogil:
    """The bucket of a datagram's sender: see limits.bucket_of."""
    cdef Client client
    read_address(sender, &client)
    if client.version == 4:
        return NEVER if client.address[0] >> 24 == 127 else <uint64_t>4 << 56 | client.address[0]
    if client.address[0] == 0 and client.address[1] == 1:
        return NEVER
    if client.address[0] >> 54 == 0xFE80 >> 6:  # link-local
        return <uint64_t>7 << 56 | client.address[1] << 8 >> 8
    return <uint64_t>6 << 56 | client.address[0] >> 8


cdef size_t write_over_limit(const Question* question, const uint8_t* wire, uint8_t* out) noexcept nogil:
    """judge.over_limit in C, for a sound question: at most MAX_KEY octets, the two fixed parts and MOST_OWN."""
    cdef bint is_cookie_due = question.own_size and not question.proven
    cdef size_t opt = OPT_FIXED + question.own_size
    memcpy(out, wire, 2)
    put_u16(out + 2, QR | RA | (BADCOOKIE & 15 if is_cookie_due else TC) | (question.flags & (RD | CD)))
    put_u16(out + 4, 1)
    put_u16(out + 6, 0)
    put_u16(out + 8, 0)
    put_u16(out + 10, 1 if question.has_opt else 0)
    memcpy(out + HEADER, wire + HEADER, question.end - HEADER)
    if not question.has_opt:
        return question.end
    write_opt(NULL, question, out + question.end, opt, False)  # nothing of a kept answer in it
    if is_cookie_due:
        out[question.end + 5] = BADCOOKIE >> 4
    return question.end + opt
