# DNS cookies: `cookies` in C, and the other option that is a client's own, keepalive. Both are written into the
# question, from where whatever answers it takes them.

cdef enum:
    SERVER_COOKIE = 16
    COOKIE_HEAD = 8  # octets of it that its hash is about: version, reserved, time
    COOKIE_VERSION = 1
    GOOD = 3600
    FRESH = 1800
    AHEAD = 300
    PERIOD = 86_400
    SECRET = 16
    MOST_ADDRESS = 16

cdef struct Secret:
    uint64_t period
    bint is_known
    uint8_t octets[SECRET]


@cython.final
cdef class Jar:
    """What makes cookies, and tells those that it made."""

    cdef readonly object cookies  # the specification's, for what it reads itself
    cdef object secrets, wall
    cdef uint64_t offset
    cdef Secret known[2]  # of today, and of what is next to it: cookies are good for less than a day
    cdef uint32_t now
    cdef bint has_now

    def __cinit__(self, cookies):
        self.cookies = cookies
        self.secrets, self.wall = cookies.secrets, cookies.wall
        self.offset = self.secrets.offset

    cdef inline void begin(self) noexcept:
        """A turn begins: the time is asked for again where it is needed."""
        self.has_now = False

    cdef int answer(self, Question* question, const uint8_t* wire, const uint8_t* address, size_t size) except -1:
        """Write the cookie that a question's sender gets into the question, and whether it sent one of ours."""
        cdef const uint8_t* sent = wire + question.cookie
        cdef uint8_t* out = own_option(question, OPTION_COOKIE, CLIENT_COOKIE + SERVER_COOKIE)
        cdef int32_t age
        if not self.has_now:
            self.now = <uint32_t>(int(self.wall()) & 0xFFFF_FFFF)
            self.has_now = True
        memcpy(out, sent, CLIENT_COOKIE)
        if question.cookie_size == CLIENT_COOKIE + SERVER_COOKIE and sent[CLIENT_COOKIE] == COOKIE_VERSION:
            age = <int32_t>(self.now - u32(sent + CLIENT_COOKIE + 4))
            if -AHEAD <= age <= GOOD:
                memcpy(out + CLIENT_COOKIE, sent + CLIENT_COOKIE, COOKIE_HEAD)
                self.sign(out, address, size)
                question.proven = is_same(out + 16, sent + 16)
                if question.proven and age < FRESH:
                    return 0
        out[CLIENT_COOKIE] = COOKIE_VERSION
        memset(out + CLIENT_COOKIE + 1, 0, 3)
        put_u32(out + CLIENT_COOKIE + 4, self.now)
        self.sign(out, address, size)
        return 0

    cdef int sign(self, uint8_t* cookie, const uint8_t* address, size_t size) except -1:
        """Put the hash of the client's cookie, what follows it and its address behind them (RFC 9018 section 4.4)."""
        cdef uint8_t message[CLIENT_COOKIE + COOKIE_HEAD + MOST_ADDRESS]
        cdef Secret* secret = &self.known[0]
        cdef uint64_t period = (u32(cookie + CLIENT_COOKIE + 4) + self.offset) // PERIOD
        cdef uint64_t hash_
        cdef int number
        secret = &self.known[period & 1]
        if not secret.is_known or secret.period != period:
            memcpy(secret.octets, octets_of(self.derived(period)), SECRET)
            secret.period, secret.is_known = period, True
        memcpy(message, cookie, CLIENT_COOKIE + COOKIE_HEAD)
        memcpy(message + CLIENT_COOKIE + COOKIE_HEAD, address, size)
        hash_ = siphash24(secret.octets, message, CLIENT_COOKIE + COOKIE_HEAD + size)
        for number in range(8):
            cookie[CLIENT_COOKIE + COOKIE_HEAD + number] = <uint8_t>(hash_ >> 8 * number)
        return 0

    cdef bytes derived(self, uint64_t period):
        secret = self.secrets.secret(period)
        if len(secret) != SECRET:
            raise ValueError("a secret has 16 octets")
        return secret

    cdef int answer_datagram(self, Question* question, const uint8_t* wire, const sockaddr_in6* sender) except -1:
        """The same for who is known by the address of a datagram: 4 octets of it or 16."""
        cdef const uint8_t* octets = &sender.sin6_addr.s6_addr[0]
        if sender.sin6_family == AF_INET:
            octets = <const uint8_t*>&(<const sockaddr_in*>sender).sin_addr
            return self.answer(question, wire, octets, 4)
        if is_mapped(octets):
            return self.answer(question, wire, octets + 12, 4)
        return self.answer(question, wire, octets, 16)

    cdef int answer_host(self, Question* question, const uint8_t* wire, str host) except -1:
        """The same for who is known by text."""
        cdef bytes address = address_of_host(host)
        return self.answer(question, wire, octets_of(address), len(address))


cdef inline bint is_mapped(const uint8_t* octets) noexcept nogil:
    """Whether an address of IPv6 stands for one of IPv4 (RFC 4291 section 2.5.5.2)."""
    return u64(octets) == 0 and u64(octets + 8) >> 32 == 0xFFFF


cdef inline bint is_same(const uint8_t* one, const uint8_t* other) noexcept nogil:
    """Whether two hashes are the same, in the same time wherever they differ."""
    return (u64(one) ^ u64(other)) == 0


cdef inline uint8_t* own_option(Question* question, unsigned int code, unsigned int size) noexcept nogil:
    """Begin another option of the question's own; where its data goes. There is room for one of each kind."""
    cdef uint8_t* at = question.own + question.own_size
    put_u16(at, code)
    put_u16(at + 2, size)
    question.own_size += <uint8_t>(4 + size)
    return at + 4


cdef inline void tell_timeout(Question* question, int timeout) noexcept nogil:
    """Say how long the stream may be idle, to a client that asked (RFC 7828 section 3.3.2)."""
    if question.wants_timeout and timeout != NO_TIMEOUT:
        put_u16(own_option(question, OPTION_KEEPALIVE, 2), <unsigned int>timeout)
