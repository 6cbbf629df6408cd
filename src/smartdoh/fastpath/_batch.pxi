# Datagrams by the batch: recvmmsg and sendmmsg on Linux and FreeBSD, one at a time elsewhere.

cdef extern from *:
    """
    #include <errno.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/uio.h>
    #include <netinet/in.h>
    #include <arpa/inet.h>

    #if (defined(__linux__) || defined(__FreeBSD__)) && !defined(SMARTDOH_ONE_AT_A_TIME)
    #define receive_many(fd, all, most, flags) recvmmsg(fd, all, most, flags, NULL)
    #define send_many(fd, all, count, flags) sendmmsg(fd, all, count, flags)
    #else
    #if !defined(__linux__) && !defined(__FreeBSD__)
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    #endif

    static int receive_many(int fd, struct mmsghdr *all, unsigned int most, int flags) {
        unsigned int done = 0;
        for (; done < most; done++) {
            ssize_t size = recvmsg(fd, &all[done].msg_hdr, flags);
            if (size < 0) break;
            all[done].msg_len = (unsigned int)size;
        }
        return done ? (int)done : -1;
    }

    static int send_many(int fd, struct mmsghdr *all, unsigned int count, int flags) {
        unsigned int done = 0;
        for (; done < count; done++)
            if (sendmsg(fd, &all[done].msg_hdr, flags) < 0) break;
        return done ? (int)done : -1;
    }
    #endif
    """
    ctypedef unsigned short sa_family_t
    ctypedef unsigned int socklen_t
    cdef struct iovec:
        void* iov_base
        size_t iov_len
    cdef struct msghdr:
        void* msg_name
        socklen_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags
    cdef struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    cdef struct in_addr:
        uint32_t s_addr
    cdef struct sockaddr_in:
        uint16_t sin_port
        in_addr sin_addr
    cdef struct in6_addr:
        uint8_t s6_addr[16]
    cdef struct sockaddr_in6:
        sa_family_t sin6_family
        uint16_t sin6_port
        uint32_t sin6_flowinfo
        in6_addr sin6_addr
        uint32_t sin6_scope_id
    cdef struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    cmsghdr* CMSG_FIRSTHDR(msghdr* message) nogil
    uint8_t* CMSG_DATA(cmsghdr* control) nogil
    size_t CMSG_LEN(size_t size) nogil
    int receive_many(int fd, mmsghdr* all, unsigned int most, int flags) nogil
    int send_many(int fd, mmsghdr* all, unsigned int count, int flags) nogil
    const char* inet_ntop(int family, const void* address, char* text, socklen_t size) nogil
    uint16_t ntohs(uint16_t value) nogil
    uint32_t ntohl(uint32_t value) nogil
    const int AF_INET, AF_INET6, MSG_DONTWAIT, MSG_TRUNC, IPPROTO_IP

cdef enum:
    TURN = 64
    MAX_QUERY = 4096
    IN_STRIDE = 4096 + 64  # not a power of two, or all questions would share a few lines of the cache
    OUT_STRIDE = 1280 + 64
    CONTROL = 64  # octets of ancillary data, more than one in(6)_pktinfo takes


@cython.final
cdef class Batch:
    """The memory of one turn: what came, from where, and what goes back."""

    cdef mmsghdr received[TURN]
    cdef mmsghdr sent[TURN]
    cdef iovec vectors_in[TURN]
    cdef iovec vectors_out[TURN]
    cdef sockaddr_in6 senders[TURN]
    cdef uint8_t control[TURN][CONTROL]
    cdef Question questions[TURN]
    cdef Reading readings[TURN]
    cdef uint8_t* octets_in
    cdef uint8_t* octets_out
    cdef unsigned int answers

    def __cinit__(self):
        self.octets_in = <uint8_t*>malloc(TURN * IN_STRIDE)
        self.octets_out = <uint8_t*>malloc(TURN * OUT_STRIDE)
        if self.octets_in == NULL or self.octets_out == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.octets_in)
        free(self.octets_out)

    cdef inline uint8_t* message(self, unsigned int number) noexcept nogil:
        return self.octets_in + number * IN_STRIDE

    cdef inline bytes octets(self, unsigned int number):
        """One datagram."""
        return PyBytes_FromStringAndSize(<char*>self.message(number), self.received[number].msg_len)

    cdef inline uint8_t* room(self) noexcept nogil:
        """Where the next answer goes: MAX_UDP octets."""
        return self.octets_out + self.answers * OUT_STRIDE

    cdef int receive(self, int fd, bint with_control) noexcept nogil:
        """Read what there is, at most a turn's worth; how many datagrams, 0 or less for none."""
        cdef int number
        cdef msghdr* header
        for number in range(TURN):
            self.vectors_in[number].iov_base = self.message(number)
            self.vectors_in[number].iov_len = MAX_QUERY
            header = &self.received[number].msg_hdr
            header.msg_name = &self.senders[number]
            header.msg_namelen = sizeof(sockaddr_in6)
            header.msg_iov = &self.vectors_in[number]
            header.msg_iovlen = 1
            header.msg_control = self.control[number] if with_control else NULL
            header.msg_controllen = CONTROL if with_control else 0
            header.msg_flags = 0
        self.answers = 0
        return receive_many(fd, self.received, TURN, MSG_DONTWAIT)

    cdef inline void answer(self, unsigned int number, size_t size) noexcept nogil:
        """Send the `size` octets that were written to `room` back to the sender of a datagram, with the others."""
        cdef msghdr* question = &self.received[number].msg_hdr
        cdef msghdr* header = &self.sent[self.answers].msg_hdr
        self.vectors_out[self.answers].iov_base = self.room()
        self.vectors_out[self.answers].iov_len = size
        header.msg_name = question.msg_name
        header.msg_namelen = question.msg_namelen
        header.msg_iov = &self.vectors_out[self.answers]
        header.msg_iovlen = 1
        header.msg_control = question.msg_control
        header.msg_controllen = question.msg_controllen
        header.msg_flags = 0
        if header.msg_controllen:
            leave_from_there(header)
        self.answers += 1

    cdef unsigned int send(self, int fd) noexcept nogil:
        """Send all answers; how many could not be sent."""
        cdef unsigned int done = 0, lost = 0
        cdef int count
        while done < self.answers:
            count = send_many(fd, self.sent + done, self.answers - done, MSG_DONTWAIT)
            if count <= 0:  # it is the first of these that could not go
                count = 1
                lost += 1
            done += <unsigned int>count
        self.answers = 0
        return lost


cdef void leave_from_there(msghdr* header) noexcept nogil:
    """Make the address that was asked the one that answers: see listener.anyaddress.

    in_pktinfo is {interface, source to send from, address it came to}; in6_pktinfo means the same both ways.
    """
    cdef cmsghdr* control = CMSG_FIRSTHDR(header)
    cdef uint8_t* info
    if control != NULL and control.cmsg_level == IPPROTO_IP and control.cmsg_len == CMSG_LEN(12):
        info = CMSG_DATA(control)
        memset(info, 0, 4)
        memcpy(info + 4, info + 8, 4)
        memset(info + 8, 0, 4)


cdef str host_of(const sockaddr_in6* sender):
    """The address as Python's sockets name it: without a zone, which is a number of its own in what they give."""
    cdef char text[64]
    if sender.sin6_family == AF_INET:
        inet_ntop(AF_INET, &(<const sockaddr_in*>sender).sin_addr, text, sizeof(text))
        return text.decode("ascii")
    inet_ntop(AF_INET6, &sender.sin6_addr, text, sizeof(text))
    return text.decode("ascii")


cdef tuple address_of(const sockaddr_in6* sender):
    """The sender as `socket.recvfrom` gives it."""
    if sender.sin6_family == AF_INET:
        return host_of(sender), ntohs((<const sockaddr_in*>sender).sin_port)
    return host_of(sender), ntohs(sender.sin6_port), ntohl(sender.sin6_flowinfo), sender.sin6_scope_id
