# Answers counted by their kind: `counts` in C. The numbers of the kinds are the same; a test holds them to it.

cdef enum:
    HIT = 0  # as in smartdoh.outcome
    STALE = 1
    BLOCKED = 2
    REFUSED = 5
    OUTCOMES = 8  # at most
    TYPES = 256
    RCODES = 16
    PER_OUTCOME = TYPES * RCODES
    PER_TRANSPORT = OUTCOMES * PER_OUTCOME
    KINDS = 2 * PER_TRANSPORT  # 65,536
    RCODE_REFUSED = 5


@cython.final
cdef class Counts:
    """A counter for each kind of answer."""

    cdef uint64_t* of  # half a megabyte, of which the pages are there that were counted in

    def __cinit__(self):
        self.of = <uint64_t*>calloc(KINDS, sizeof(uint64_t))
        if self.of == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.of)

    cdef list pairs(self):
        """Kinds and counts, where there are any."""
        cdef int kind
        return [(kind, self.of[kind]) for kind in range(KINDS) if self.of[kind]]


cdef inline unsigned int kind_of(bint udp, unsigned int outcome, const Question* question, uint8_t rcode) noexcept nogil:
    """The number of a kind of answer, below KINDS: every part is masked or checked to stay within its bits."""
    cdef unsigned int qtype = u16(question.key + question.key_size - 7)
    if qtype >= TYPES:
        qtype = 0
    return (0 if udp else PER_TRANSPORT) + (outcome & (OUTCOMES - 1)) * PER_OUTCOME + qtype * RCODES + (rcode & (RCODES - 1))
