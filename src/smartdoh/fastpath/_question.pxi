# A client's question, read in C. What is not plainly sound is left to `judge`, so that there is one specification.
#
# Every index below is checked against `size` before the octet is read; `key` has room for the longest name.

cdef enum:
    HEADER = 12
    MAX_LABEL = 63
    MAX_NAME = 255
    MAX_KEY = 255 + 4 + 3
    MAX_OPTIONS = 32
    MAX_OPTIONS_SIZE = 4096
    OPT_FIXED = 11
    CLIENT_COOKIE = 8
    SHORTEST_COOKIES = 16  # of client and server together
    LONGEST_COOKIES = 40
    MOST_OWN = 4 + 24 + 4 + 2  # octets of a cookie and a keepalive option

cdef struct Question:
    uint64_t hash  # of the key
    uint16_t flags
    uint16_t end  # where the question section ends
    uint16_t payload  # octets the client takes over UDP
    uint16_t key_size
    uint16_t cookie  # where the client's lies in the message, 0: nowhere
    uint8_t cookie_size
    uint8_t own_size
    bint has_opt
    bint do_bit
    bint wants_timeout  # asks for keepalive
    bint proven  # sent a cookie of ours
    uint8_t own[MOST_OWN]  # the options that whatever answers it has
    uint8_t key[MAX_KEY]

cdef enum Reading:
    SOUND
    NOTHING  # no question at all: gets no answer
    ODD  # for `judge`: broken, or sound in a way that hardly any client uses


cdef inline uint16_t u16(const uint8_t* at) noexcept nogil:
    return <uint16_t>(at[0] << 8 | at[1])


cdef inline uint32_t u32(const uint8_t* at) noexcept nogil:
    return <uint32_t>u16(at) << 16 | u16(at + 2)


cdef inline void put_u32(uint8_t* at, uint32_t value) noexcept nogil:
    put_u16(at, value >> 16)
    put_u16(at + 2, value & 0xFFFF)


cdef inline void put_u16(uint8_t* at, unsigned int value) noexcept nogil:
    at[0] = <uint8_t>(value >> 8)
    at[1] = <uint8_t>value


cdef Reading read_question(const uint8_t* wire, size_t size, Question* question) noexcept nogil:
    """Read a message of `size` octets; the key lacks its policy yet (see `set_policy`)."""
    cdef size_t at = HEADER, label, name_size, i
    cdef uint8_t octet
    if size < HEADER or wire[2] & 0x80:
        return NOTHING
    if wire[2] & 0x78 or u16(wire + 4) != 1 or u16(wire + 6) or u16(wire + 8) or u16(wire + 10) > 1:
        return ODD
    while True:
        if at >= size:
            return ODD
        label = wire[at]
        if label == 0:
            break
        if label > MAX_LABEL or at + label >= size or at + label - HEADER + 1 >= MAX_NAME:
            return ODD
        at += label + 1
    name_size = at - HEADER + 1
    at += 5
    if at > size:
        return ODD
    for i in range(name_size):  # length octets are below 64, so only letters fold
        octet = wire[HEADER + i]
        question.key[i] = octet | 0x20 if 0x41 <= octet <= 0x5A else octet
    memcpy(question.key + name_size, wire + HEADER + name_size, 4)
    question.key_size = <uint16_t>(name_size + 7)
    question.flags = u16(wire + 2)
    question.end = <uint16_t>at
    question.has_opt = question.do_bit = False
    question.payload = MIN_UDP
    forget_own(question)
    if u16(wire + 10) == 0:
        return SOUND if at == size else ODD
    return read_opt(wire, size, question)


cdef Reading read_opt(const uint8_t* wire, size_t size, Question* question) noexcept nogil:
    """Read what follows the question if it is one OPT record of version 0 and nothing else (RFC 6891 section 6.1)."""
    cdef size_t at = question.end
    cdef unsigned int options = 0, code, length
    cdef const uint8_t* opt = wire + at
    if at + OPT_FIXED > size or opt[0] or u16(opt + 1) != OPT or opt[6]:
        return ODD
    if at + OPT_FIXED + u16(opt + 9) != size or u16(opt + 9) > MAX_OPTIONS_SIZE:
        return ODD
    question.has_opt = True
    question.do_bit = opt[7] >> 7
    question.payload = max(u16(opt + 3), <uint16_t>MIN_UDP)
    at += OPT_FIXED
    while at < size:
        if at + 4 > size or options == MAX_OPTIONS:
            return ODD
        code, length = u16(wire + at), u16(wire + at + 2)
        at += 4
        if code == OPTION_COOKIE and not question.cookie:  # the first one counts
            if length != CLIENT_COOKIE and not SHORTEST_COOKIES <= length <= LONGEST_COOKIES:
                return ODD
            question.cookie, question.cookie_size = <uint16_t>at, <uint8_t>length
        elif code == OPTION_KEEPALIVE:
            question.wants_timeout = True
        at += length
        options += 1
    return SOUND if at == size else ODD


cdef inline void forget_own(Question* question) noexcept nogil:
    """There is nothing yet that an answer has for the client alone."""
    question.cookie = 0
    question.cookie_size = question.own_size = 0
    question.wants_timeout = question.proven = False


cdef inline void set_policy(Question* question, int view) noexcept nogil:
    """Complete the key by the client's view, DO and CD."""
    cdef uint8_t* at = question.key + question.key_size - 3
    cdef unsigned int policy = view << 2 | question.do_bit << 1 | (1 if question.flags & CD else 0)
    at[0] = <uint8_t>(policy >> 16)
    put_u16(at + 1, policy)
    question.hash = hash_of(question.key, question.key_size)


cdef inline uint64_t hash_of(const uint8_t* key, size_t size) noexcept nogil:
    """Python's own keyed hash of octets (SipHash), so that nobody outside can choose names that collide."""
    return <uint64_t>HASH.hash(key, <Py_ssize_t>size)
