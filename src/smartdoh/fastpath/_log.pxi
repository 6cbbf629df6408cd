# What was answered from the table, for the query log: `log.Log` in C. A record is written without a Python object; they
# are made by whoever takes the records.

cdef struct Record:
    double at
    PyObject* host  # of a stream's client, NULL where `sender` has it
    sockaddr_in6 sender
    uint16_t kind
    uint16_t key_size
    uint8_t key[MAX_KEY]


@cython.final
cdef class Log:
    """At most `capacity` records; those beyond are counted and lost."""

    cdef Record* records
    cdef readonly size_t capacity
    cdef size_t used, lost

    def __cinit__(self, size_t capacity):
        self.records = <Record*>calloc(capacity, sizeof(Record))
        if self.records == NULL:
            raise MemoryError
        self.capacity = capacity

    def __dealloc__(self):
        if self.records != NULL:
            self.clear()
        free(self.records)

    cdef Record* note(self, double at, unsigned int kind, const Question* question) noexcept nogil:
        """Keep that a question got an answer of this kind; the record, to say who asked, or NULL."""
        cdef Record* record
        if self.used == self.capacity:
            self.lost += 1
            return NULL
        record = &self.records[self.used]
        self.used += 1
        record.at, record.kind, record.host = at, <uint16_t>kind, NULL
        record.key_size = question.key_size  # read_question and set_question keep it to MAX_KEY
        memcpy(record.key, question.key, question.key_size)
        return record

    cdef void note_datagram(self, double at, unsigned int kind, Question* question, sockaddr_in6* sender) noexcept nogil:
        """The same for who is known by the address of a datagram."""
        cdef Record* record = self.note(at, kind, question)
        if record != NULL:
            record.sender = sender[0]

    cdef void note_host(self, double at, unsigned int kind, const Question* question, str host) noexcept:
        """The same for who is known by text."""
        cdef Record* record = self.note(at, kind, question)
        if record != NULL:
            record.host = <PyObject*>host
            Py_INCREF(host)

    def take(self):
        """What is kept, the oldest first, and how many were lost since the last time."""
        cdef size_t number
        found = [logged_of(&self.records[number]) for number in range(self.used)], self.lost
        self.clear()
        return found

    cdef void clear(self) noexcept:
        cdef size_t number
        for number in range(self.used):
            if self.records[number].host != NULL:
                Py_DECREF(<object>self.records[number].host)
        self.used = self.lost = 0


cdef object logged_of(Record* record):
    cdef size_t name_size = record.key_size - 7
    cdef const uint8_t* rest = record.key + name_size
    return logged(
        record.at,
        record.kind,
        host_of(&record.sender) if record.host == NULL else <object>record.host,
        PyBytes_FromStringAndSize(<char*>record.key, name_size),
        u16(rest),
        u16(rest + 2),
        (rest[4] << 16 | u16(rest + 5)) >> 2,
    )
