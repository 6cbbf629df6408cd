# What was answered from the table, for whoever wants to know what is asked: `log.Log` in C. A record is written in the
# form of `packed`, and no Python object is made.

cdef extern from *:
    """
    static const char *utf8_of(PyObject *text, Py_ssize_t *size) {
        const char *octets = PyUnicode_AsUTF8AndSize(text, size);
        if (octets == NULL) { PyErr_Clear(); *size = 0; }
        return octets;
    }
    """
    const char* utf8_of(PyObject* text, Py_ssize_t* size)

cdef enum:
    RECORD_HEADER = 26
    OCTETS_PER_RECORD = 96
    MOST_CLIENT = 127
    MOST_TEXT = 1024
    LONGEST_RECORD = RECORD_HEADER + MOST_CLIENT + MAX_NAME + MOST_TEXT


@cython.final
cdef class Log:
    """At most `capacity` records; those beyond are counted and lost, and so are all but one of each `every`."""

    cdef uint8_t* octets
    cdef readonly size_t capacity
    cdef public size_t every
    cdef size_t size, used, count, lost, skip

    def __cinit__(self, size_t capacity):
        self.size = capacity * OCTETS_PER_RECORD + LONGEST_RECORD
        self.octets = <uint8_t*>malloc(self.size)
        if self.octets == NULL:
            raise MemoryError
        self.capacity = capacity
        self.every = 1

    def __dealloc__(self):
        free(self.octets)

    cdef inline bint is_kept(self) noexcept nogil:
        """Whether the next record is kept, for which there is room then; else it is counted."""
        if self.skip > 1:
            self.skip -= 1
        elif self.count < self.capacity and self.size - self.used >= LONGEST_RECORD:
            self.skip = self.every
            return True
        self.lost += 1
        return False

    cdef void note(
        self,
        double at,
        unsigned int kind,
        const Question* question,
        unsigned int client_size,
        const uint8_t* client,
        PyObject* source,
    ) noexcept:
        """Write a record of a question that got an answer of this kind, if it is blocked then by the rule `source`."""
        cdef uint8_t* out = self.octets + self.used
        cdef size_t name_size = question.key_size - 7, client_octets = client_size & MOST_CLIENT
        cdef const uint8_t* rest = question.key + name_size
        cdef unsigned int outcome = kind // PER_OUTCOME & (OUTCOMES - 1)
        cdef Py_ssize_t text_size = 0
        cdef const char* text = utf8_of(source, &text_size) if outcome == BLOCKED else NULL
        cdef float seconds = -1
        text_size = min(text_size, MOST_TEXT)
        cdef size_t size = RECORD_HEADER + client_octets + name_size + text_size
        write_u16(out, size)
        out[2], out[3] = <uint8_t>client_size, <uint8_t>name_size
        write_u16(out + 4, text_size)
        memcpy(out + 6, &at, 8)
        memcpy(out + 14, &seconds, 4)
        out[18], out[19] = <uint8_t>(kind // PER_TRANSPORT), <uint8_t>outcome
        write_u16(out + 20, u16(rest))
        write_u16(out + 22, u16(rest + 2))
        write_u16(out + 24, kind & (RCODES - 1))
        out += RECORD_HEADER
        memcpy(out, client, client_octets)
        memcpy(out + client_octets, question.key, name_size)
        if text_size:
            memcpy(out + client_octets + name_size, text, text_size)
        self.used += size
        self.count += 1

    cdef inline void note_datagram(
        self, double at, unsigned int kind, const Question* question, const sockaddr_in6* sender, PyObject* source
    ) noexcept:
        """The same for who is known by the address of a datagram."""
        cdef const uint8_t* address
        if not self.is_kept():
            return
        if sender.sin6_family == AF_INET:
            self.note(at, kind, question, 4, <const uint8_t*>&(<const sockaddr_in*>sender).sin_addr, source)
            return
        address = &sender.sin6_addr.s6_addr[0]
        if is_mapped(address):
            self.note(at, kind, question, 4, address + 12, source)
        else:
            self.note(at, kind, question, 16, address, source)

    cdef int note_host(
        self, double at, unsigned int kind, const Question* question, str host, PyObject* source
    ) except -1:
        """The same for who is known by text."""
        if self.is_kept():
            size, client = packed_client(host)
            self.note(at, kind, question, size, octets_of(client), source)
        return 0

    def take(self):
        """What is kept, and how many were lost since the last time."""
        found = Taken(PyBytes_FromStringAndSize(<char*>self.octets, self.used), self.count, self.lost)
        self.used = self.count = self.lost = 0
        return found


cdef inline void write_u16(uint8_t* out, size_t value) noexcept nogil:
    """In the machine's own order, unlike what is sent."""
    cdef uint16_t written = <uint16_t>value
    memcpy(out, &written, 2)
