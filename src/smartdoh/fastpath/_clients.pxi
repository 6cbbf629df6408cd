# Which policy the sender of a datagram has, without asking Python for more than one client of each kind.
#
# A client is known by its address. One that is not is held against the sets of networks that `view_of` goes by; two
# clients in the same sets have the same view, so Python is asked once for each combination of sets that turns up.

cdef enum:
    CLIENTS = 4096  # senders whose view is remembered, a power of two
    MAY_NOT_ASK = -1
    UNKNOWN = -2
    MOST_SETS = 64  # bits of a combination
    MOST_COMBINATIONS = 64

cdef uint64_t SPREAD = 0x9E37_79B9_7F4A_7C15  # 2**64 over the golden ratio: any bit moves the upper ones

cdef struct Client:
    uint64_t address[2]
    int32_t view
    uint32_t version  # of its address: 4, 6, or 0 where there is none yet

cdef struct Subnet:
    uint64_t address[2]
    uint64_t mask[2]
    uint64_t bit  # of the set that it belongs to
    uint32_t version


@cython.final
cdef class Clients:
    """Addresses to views, for as long as one policy holds."""

    cdef Client known[CLIENTS]
    cdef Subnet* subnets
    cdef size_t count
    cdef uint64_t combinations[MOST_COMBINATIONS]
    cdef int32_t views[MOST_COMBINATIONS]
    cdef unsigned int seen
    cdef bint has_sets

    def __cinit__(self, sets):
        """`sets` are sequences of networks; with none, or too many, only addresses are remembered."""
        memset(self.known, 0, sizeof(self.known))
        networks = [(number, network) for number, group in enumerate(sets or ()) for network in group]
        self.has_sets = sets is not None and len(sets) <= MOST_SETS
        self.subnets = <Subnet*>malloc(max(1, len(networks)) * sizeof(Subnet))
        if self.subnets == NULL:
            raise MemoryError
        for number, network in networks if self.has_sets else ():
            read_subnet(&self.subnets[self.count], network)
            self.subnets[self.count].bit = <uint64_t>1 << <int>number
            self.count += 1

    def __dealloc__(self):
        free(self.subnets)

    cdef Client* find(self, const sockaddr_in6* sender) noexcept nogil:
        """The place of a sender's address, with its view or UNKNOWN."""
        cdef Client wanted
        cdef Client* client
        read_address(sender, &wanted)
        client = &self.known[<uint64_t>((wanted.address[0] ^ wanted.address[1]) * SPREAD) >> 52]
        if (
            client.address[0] != wanted.address[0]
            or client.address[1] != wanted.address[1]
            or client.version != wanted.version
        ):
            client[0] = wanted
            client.view = self.by_sets(client)
        return client

    cdef int32_t by_sets(self, const Client* client) noexcept nogil:
        cdef uint64_t combination = self.combination_of(client)
        cdef unsigned int number
        if self.has_sets:
            for number in range(self.seen):
                if self.combinations[number] == combination:
                    return self.views[number]
        return UNKNOWN

    cdef uint64_t combination_of(self, const Client* client) noexcept nogil:
        """In which of the sets a client is, a bit for each."""
        cdef uint64_t found = 0
        cdef Subnet* subnet
        cdef size_t number
        for number in range(self.count):
            subnet = &self.subnets[number]
            if (
                client.version == subnet.version
                and (client.address[0] & subnet.mask[0]) == subnet.address[0]
                and (client.address[1] & subnet.mask[1]) == subnet.address[1]
            ):
                found |= subnet.bit
        return found

    cdef void learn(self, Client* client, int32_t view) noexcept:
        """What Python said of a client holds for all in the same sets."""
        client.view = view
        if self.has_sets and self.seen < MOST_COMBINATIONS:
            self.combinations[self.seen] = self.combination_of(client)
            self.views[self.seen] = view
            self.seen += 1


cdef inline uint64_t u64(const uint8_t* at) noexcept nogil:
    cdef uint64_t value = 0
    cdef int number
    for number in range(8):
        value = value << 8 | at[number]
    return value


cdef inline void read_address(const sockaddr_in6* sender, Client* client) noexcept nogil:
    """An address as two numbers; one of IPv4, also where it is mapped into IPv6, as one."""
    cdef const uint8_t* octets = &sender.sin6_addr.s6_addr[0]
    client.version = 6
    if sender.sin6_family == AF_INET:
        client.address[0] = ntohl((<const sockaddr_in*>sender).sin_addr.s_addr)
        client.address[1] = 0
        client.version = 4
        return
    client.address[0] = u64(octets)
    client.address[1] = u64(octets + 8)
    if client.address[0] == 0 and client.address[1] >> 32 == 0xFFFF:
        client.address[0] = <uint32_t>client.address[1]
        client.address[1] = 0
        client.version = 4


cdef int read_subnet(Subnet* subnet, network) except -1:
    address, mask = int(network.network_address), int(network.netmask)
    subnet.version = network.version
    if subnet.version == 4:
        subnet.address[0], subnet.address[1] = address, 0
        subnet.mask[0], subnet.mask[1] = mask, 0
    else:
        subnet.address[0], subnet.address[1] = address >> 64, address & 0xFFFF_FFFF_FFFF_FFFF
        subnet.mask[0], subnet.mask[1] = mask >> 64, mask & 0xFFFF_FFFF_FFFF_FFFF
    return 0
