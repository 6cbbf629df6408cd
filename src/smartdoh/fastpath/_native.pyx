# cython: language_level=3, embedsignature=True
"""The fast path, compiled: the twin of `_python.py`, which is its specification.

A turn reads up to 64 datagrams with one system call, answers those that can be answered from the table and sends all
answers with another. On that way no Python object is made and no Python code runs, but for the clock, once a turn.
The rest is for the specification's own parts: `judge` for what is not plainly sound, `Entry` for the spine.

Divided by concept: _question.pxi reads, _clients.pxi knows who asks, _limits.pxi how often, _cookies.pxi (by _siphash.pxi)
whether it is who it says, _table.pxi keeps, _answer.pxi writes, _counts.pxi counts, _log.pxi remembers for the log,
_batch.pxi talks to the system, _values.pxi to Python.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

import socket

from smartdoh.fastpath import counts, surface
from smartdoh.fastpath.cookies import address_of as address_of_host
from smartdoh.fastpath.entry import Entry
from smartdoh.fastpath.judge import judge, over_limit, refusal
from smartdoh.fastpath.latency import Waits
from smartdoh.fastpath.limits import bucket_of as bucket_of_host
from smartdoh.fastpath.log import NOTHING_TAKEN, Taken
from smartdoh.fastpath.packed import packed_client
from smartdoh.fastpath.surface import Statistics
from smartdoh.model import Edns, Query
from smartdoh.wire.edit import rrset_runs

cdef extern from *:
    """
    #include <Python.h>
    #if defined(__GNUC__)
    #define prefetch(at) __builtin_prefetch(at)
    #else
    #define prefetch(at) ((void)(at))
    #endif
    """
    void prefetch(const void* at) nogil
    ctypedef struct PyHash_FuncDef:
        Py_ssize_t (*hash)(const void*, Py_ssize_t) nogil
    PyHash_FuncDef* PyHash_GetFuncDef()

cdef PyHash_FuncDef* HASH = PyHash_GetFuncDef()

cdef enum:  # as in smartdoh.wire.codes
    QR = 0x8000
    TC = 0x0200
    RD = 0x0100
    RA = 0x0080
    AD = 0x0020
    CD = 0x0010
    DO = 0x8000
    OPT = 41
    NXDOMAIN = 3
    BADCOOKIE = 23
    ADDITIONAL = 2
    OPTION_COOKIE = 10
    OPTION_KEEPALIVE = 11
    OPTION_EDE = 15
    EDE_STALE = 3
    EDE_STALE_NXDOMAIN = 19
    STALE_ANSWER_TTL = 30
    MIN_UDP = 512
    MAX_UDP = 1232
    MAX_MESSAGE = 65535
    NO_TIMEOUT = -1  # as in smartdoh.fastpath.surface

include "_question.pxi"
include "_table.pxi"
include "_answer.pxi"
include "_counts.pxi"
include "_batch.pxi"
include "_clients.pxi"
include "_limits.pxi"
include "_siphash.pxi"
include "_cookies.pxi"
include "_log.pxi"
include "_values.pxi"

cdef enum:
    CONNECTIONLESS = 1
    STREAM = 0

cdef double RECHECK = surface.RECHECK
cdef double REFUSALS = surface.REFUSALS
cdef size_t STREAM_OUT = surface.STREAM_OUT
cdef Py_ssize_t KNOWN_CLIENTS = surface.KNOWN_CLIENTS


@cython.final
cdef class FastPath:
    """The kept answers, and everything that is answered from them alone. See `_python.FastPath`."""

    cdef Table table
    cdef Batch batch
    cdef object view_of, sets, clock, due, waits
    cdef bint stale_at_once
    cdef bint is_due  # whether the last answer wants a refresh
    cdef dict views
    cdef readonly uint64_t generation  # the number of the policy in force: what was stored under another is a miss
    cdef uint64_t flushed_at, stamps
    cdef double refusals, refusals_at
    cdef uint64_t misses, malformed, refused, limited, ignored, unsent
    cdef Limits limits  # or None
    cdef Jar jar  # or None
    cdef Log records  # or None
    cdef unsigned int kind  # of the last answer
    cdef PyObject* source  # of the last answer, while it is in the table
    cdef Counts counts
    cdef Clients clients
    cdef uint8_t* room  # for one answer over TCP

    def __cinit__(self):
        self.room = <uint8_t*>malloc(MAX_MESSAGE + 1)
        if self.room == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.room)

    def __init__(self, *, entries, view_of, clock, stale_at_once=True, octets=None, sets=None):
        self.table = Table(entries, octets or entries * surface.OCTETS_PER_ENTRY)
        self.batch = Batch()
        self.counts = Counts()
        self.waits = Waits()
        self.view_of = view_of
        self.sets = sets
        self.clients = Clients(sets() if sets is not None else None)
        self.clock = clock
        self.stale_at_once = stale_at_once
        self.due = []
        self.views = {}
        self.refusals = REFUSALS
        self.refusals_at = clock()

    # What the listeners call

    def drain(self, sock):
        """Read up to 64 datagrams, answer what can be answered at once, return the misses with their senders."""
        cdef bint with_control = getattr(sock, "carries_control", False)
        if not with_control and not isinstance(sock, socket.socket):
            return self.drain_by_ones(sock)
        cdef int fd = sock.fileno()
        cdef Batch batch = self.batch
        cdef int received = batch.receive(fd, with_control)
        if received <= 0:  # nothing there, or a report about an earlier answer that nobody took
            return []
        cdef double now = self.clock()
        cdef list misses = []
        cdef int number
        cdef size_t size
        if self.jar is not None:
            self.jar.begin()
        for number in range(received):
            self.read(number)
        self.fetch(received)
        for number in range(received):
            size = 0
            if self.limits is not None and self.is_over(number, now, &size):
                batch.readings[number] = NOTHING
            if batch.readings[number] == SOUND:
                size = self.answer(&batch.questions[number], batch.message(number), now, CONNECTIONLESS, batch.room())
                if size and self.records is not None:
                    self.records.note_datagram(now, self.kind, &batch.questions[number], &batch.senders[number], self.source)
                if self.is_due:
                    self.is_due = False
                    self.due.append(self.query(number))
            if not size and batch.readings[number] != NOTHING:
                size = self.other(number, now, with_control, misses)
            if size:
                batch.answer(number, size)
        self.unsent += batch.send(fd)
        return misses

    def ask(self, bytes wire, str host, int timeout=NO_TIMEOUT):
        """One message that came over a stream: its answer, or the miss it is, or None where it gets nothing.

        `timeout` is what a client that wants to know is told of how long the stream may be idle, in units of 100 ms.
        """
        return self.ask_bytes(wire, host, self.clock(), timeout, STREAM)

    def ask_stream(self, buffer, str host, int timeout=NO_TIMEOUT):
        """Up to 64 messages of a stream, each behind its length (RFC 1035 section 4.2.2); `timeout` as in `ask`.

        Returns the answers in the same form, the misses, and how many octets of `buffer` were read.
        """
        cdef const uint8_t[::1] octets = buffer
        cdef size_t length = len(buffer), at = 0, end, size
        cdef double now = self.clock()
        cdef bytearray out = bytearray()
        cdef list misses = []
        cdef Question question
        cdef int view = self.view_of_host(host)
        for _ in range(TURN):
            if length - at < 2 or <size_t>len(out) >= STREAM_OUT:
                break
            end = at + 2 + u16(&octets[at])
            if end > length:
                break
            size = 0
            if view != MAY_NOT_ASK and read_question(&octets[0] + at + 2, end - at - 2, &question) == SOUND:
                set_policy(&question, view)
                self.set_own(&question, &octets[0] + at + 2, host, timeout)
                size = self.answer(&question, &octets[0] + at + 2, now, STREAM, self.room)
            if size:
                add_framed(out, self.room, size)
                if self.records is not None:
                    self.records.note_host(now, self.kind, &question, host, self.source)
                if self.is_due:
                    self.is_due = False
                    self.due.append(query_of(&question, bytes(octets[at + 2 : end]), host))
            else:
                said = self.ask_bytes(bytes(octets[at + 2 : end]), host, now, timeout, STREAM)
                if isinstance(said, bytes):
                    add_framed(out, octets_of(said), len(said))
                elif said is not None:
                    misses.append(said)
            at = end
        return bytes(out), misses, at

    def take_due(self):
        """The questions whose entries want a refresh now, each once in 30 s."""
        due = self.due
        if due:
            self.due = []
        return due

    def render(self, query, entry, *, bint udp):
        """The whole answer to `query` from `entry`, kept or not."""
        cdef Question question
        cdef bytes wire = query.wire
        cdef Kept* kept = self.find(query.key)
        cdef bint is_kept = kept != NULL and entry.slot > 0 and kept.stamp == <uint64_t>entry.slot
        cdef size_t size
        set_question(&question, query)
        if not is_kept:
            kept = block_of(query.key, entry)
        size = render_kept(kept, &question, octets_of(wire), self.clock(), udp, self.room)
        if not is_kept:
            let_go(kept)
        return PyBytes_FromStringAndSize(<char*>self.room, size)

    # What the settings change

    def limit(self, int rate, int burst):
        """From now on each client may ask `rate` questions a second over UDP, `burst` at once; a rate of 0: any."""
        if not rate:
            self.limits = None
        elif self.limits is None or self.limits.setting != (rate, burst):
            self.limits = Limits(rate, burst)

    def use_cookies(self, cookies):
        """From now on clients that send a cookie get one of these back (RFC 7873); None: as if there were no such."""
        self.jar = None if cookies is None else Jar(cookies)

    def log(self, size_t capacity, size_t every=1):
        """From now on keep records of what the table answers, one of `every`, at most so many until they are taken; 0:
        none."""
        if not capacity:
            self.records = None
            return
        if self.records is None or self.records.capacity != capacity:
            self.records = Log(capacity)
        self.records.every = every

    def take_log(self):
        """The records since the last time."""
        return NOTHING_TAKEN if self.records is None else self.records.take()

    # What the spine calls

    def store(self, bytes key, entry, generation=None):
        """Keep an answer in place of what was there, under the current generation, or under the earlier one given.

        Nobody changes the entry afterwards.
        """
        cdef Kept* kept = block_of(key, entry)
        self.stamps += 1
        kept.stamp = self.stamps
        entry.slot = self.stamps
        kept.generation = entry.generation = self.generation if generation is None else generation
        self.table.put(kept)

    def peek(self, bytes key):
        """What is kept under `key` in this generation, fresh, stale or long over."""
        cdef Kept* kept = self.find(key)
        return None if kept == NULL else entry_of(kept)

    def earlier(self, bytes key):
        """What is kept under `key` from a generation before this one, and not from before the last flush."""
        cdef Kept* kept = self.table.find(octets_of(key), len(key), hash_of(octets_of(key), len(key)))
        if kept == NULL or not self.flushed_at <= kept.generation < self.generation:
            return None
        return entry_of(kept)

    def holds(self, bytes key, entry):
        """Whether `entry`, once stored under `key`, is what is kept there still."""
        cdef Kept* kept = self.find(key)
        return kept != NULL and entry.slot > 0 and kept.stamp == <uint64_t>entry.slot

    def postpone(self, bytes key, double until):
        """Ask for no refresh of what is kept under `key` before `until`."""
        cdef Kept* kept = self.find(key)
        if kept != NULL:
            kept.refresh_at = max(kept.refresh_at, until)

    def flush(self):
        """Forget everything at once, by a new generation; how many went. Names are for `cache.forget`."""
        gone = self.table.used
        self.next_generation()
        self.flushed_at = self.generation
        return gone

    def waited(self, double seconds):
        """Count a client that had to wait so long for its answer."""
        self.waits.add(seconds)

    @property
    def places(self):
        """How many places of the table are taken: a walk goes from there down to 0, so that it misses nothing."""
        return self.table.used

    def keys_at(self, size_t start, size_t end):
        """The keys in these places now. The name is all but a key's last 7 octets."""
        cdef size_t place
        cdef list keys = []
        for place in range(start, min(end, self.table.used)):
            keys.append(key_bytes(self.table.ring[place]))
        return keys

    def remove(self, bytes key):
        """Forget one answer at once; whether it was kept."""
        cdef Kept* kept = self.table.find(octets_of(key), len(key), hash_of(octets_of(key), len(key)))
        if kept == NULL:
            return False
        self.table.remove(kept)
        return True

    def next_generation(self):
        """Make every kept answer a miss: the policy by which they were chosen is no more."""
        self.generation += 1
        self.views.clear()
        self.clients = Clients(self.sets() if self.sets is not None else None)

    def change_policy(self, view_of, *, stale_at_once, sets=None):
        """Go by another policy from now on, which is a new generation. What is kept and counted stays."""
        self.view_of = view_of
        self.sets = sets
        self.stale_at_once = stale_at_once
        self.next_generation()

    def statistics(self):
        """A copy of the counters."""
        answered = counts.answered(self.counts.pairs())
        stale, others = counts.totals(answered)
        return Statistics(
            hits=others,
            stale=stale,
            misses=self.misses,
            malformed=self.malformed,
            refused=self.refused,
            limited=self.limited,
            ignored=self.ignored,
            unsent=self.unsent,
            entries=self.table.used,
            octets=self.table.octets,
            evictions=self.table.evictions,
            answered=answered,
            waits=self.waits.snapshot(),
        )

    # One turn

    cdef void read(self, int number):
        """Read one datagram's question, and whose policy its client has; a client that may not ask makes it odd."""
        cdef Batch batch = self.batch
        cdef Question* question = &batch.questions[number]
        cdef int view
        batch.readings[number] = read_question(batch.message(number), batch.received[number].msg_len, question)
        if batch.readings[number] == NOTHING:
            self.ignored += 1
        elif batch.readings[number] == SOUND:
            view = self.view(&batch.senders[number])
            if view == MAY_NOT_ASK:
                batch.readings[number] = ODD
            else:
                set_policy(question, view)
                self.table.fetch_bucket(question.hash)
                if question.cookie and self.jar is not None:
                    self.jar.answer_datagram(question, batch.message(number), &batch.senders[number])

    cdef void fetch(self, int received) noexcept nogil:
        """Have the memory of what will be looked at brought near while other questions are worked on."""
        cdef int number
        cdef Kept* kept
        for number in range(received):
            if self.batch.readings[number] == SOUND:
                kept = self.table.guess(self.batch.questions[number].hash)
                if kept != NULL:
                    prefetch(kept)
                    prefetch(<uint8_t*>kept + 64)
                    prefetch(<uint8_t*>kept + 128)

    cdef size_t answer(
        self, const Question* question, const uint8_t* wire, double now, bint udp, uint8_t* out
    ) noexcept:
        """Write the answer, if there is one that may be given at `now`; its size or 0. `is_due` says whether it wants
        a refresh."""
        cdef unsigned int outcome
        cdef Kept* kept = self.table.find(question.key, question.key_size, question.hash)
        if kept == NULL or kept.generation != self.generation:
            return 0
        outcome = kept.outcome
        if now >= kept.expires:
            if not self.may_be_stale(kept, question.flags, now):
                return 0
            if outcome == HIT:
                outcome = STALE
        self.kind = kind_of(udp, outcome, question, kept.rcode)
        self.source = kept.source
        self.counts.of[self.kind] += 1
        kept.asked = True
        if now >= kept.refresh_at:
            kept.refresh_at = now + RECHECK
            self.is_due = True
        return render_kept(kept, question, wire, now, udp, out)

    cdef bint may_be_stale(self, Kept* kept, unsigned int flags, double now) noexcept nogil:
        """RD=0 asks for what is known, never for what was (RFC 8767 section 4).

        Where a client otherwise waits for a fresh answer first, it does not within 30 s of a try that failed.
        """
        if now >= kept.expires + kept.stale or not flags & RD:
            return False
        return self.stale_at_once or now < kept.refresh_at

    cdef bint is_over(self, int number, double now, size_t* size) except -1:
        """Whether a datagram is over its client's limit; then `size` octets of an answer are in `room`, or none."""
        cdef Batch batch = self.batch
        cdef Reading reading = batch.readings[number]
        cdef Verdict verdict
        cdef int view
        if reading == NOTHING or (reading == SOUND and batch.questions[number].proven):
            return False
        view = self.view(&batch.senders[number])
        if view == MAY_NOT_ASK:
            return False
        verdict = self.limits.verdict(bucket_of(&batch.senders[number]), now)
        if verdict == PASS:
            return False
        self.limited += 1
        if verdict == SLIP:
            if reading == SOUND:
                size[0] = write_over_limit(&batch.questions[number], batch.message(number), batch.room())
            else:
                said = over_limit(batch.octets(number), view, host_of(&batch.senders[number]), self.cookies())
                if said is not None:
                    size[0] = self.copied(said)
        return True

    cdef size_t copied(self, bytes said) noexcept:
        """An error that was composed in Python, written to `room`; its size."""
        cdef size_t size = min(<size_t>len(said), <size_t>MAX_UDP)
        memcpy(self.batch.room(), octets_of(said), size)
        return size

    cdef size_t other(self, int number, double now, bint with_control, list misses) except? 0:
        """What the table could not answer: to the misses, or an error written to `room`; that one's size."""
        cdef Batch batch = self.batch
        cdef sockaddr_in6* sender = &batch.senders[number]
        cdef int view = self.view(sender)
        if view == MAY_NOT_ASK and not self.may_refuse(now, CONNECTIONLESS):
            return 0
        if batch.readings[number] == SOUND:
            said = self.query(number)
            self.misses += 1
        else:
            said = self.judged(batch.octets(number), host_of(sender), view, now, NO_TIMEOUT, CONNECTIONLESS)
        if isinstance(said, bytes):
            return self.copied(said)
        address = address_of(sender)
        if with_control:
            address = address[0], address, control_of(&batch.received[number].msg_hdr)
        misses.append((said, address))
        return 0

    cdef object query(self, int number):
        """The sound question of one datagram."""
        cdef Batch batch = self.batch
        return query_of(&batch.questions[number], batch.octets(number), host_of(&batch.senders[number]))

    cdef list drain_by_ones(self, sock):
        """As `drain`, for what is no socket of the system's."""
        cdef double now = self.clock()
        cdef list misses = []
        for _ in range(TURN):
            try:
                wire, address = sock.recvfrom(MAX_QUERY)
            except OSError:
                break
            said = self.ask_bytes(wire, address[0], now, NO_TIMEOUT, CONNECTIONLESS)
            if isinstance(said, bytes):
                try:
                    sock.sendto(said, address)
                except OSError:
                    self.unsent += 1
            elif said is not None:
                misses.append((said, address))
        return misses

    # One message

    cdef int set_own(self, Question* question, const uint8_t* wire, str host, int timeout) except -1:
        """Write the options that the answers to a sound question have for its client alone, known by text."""
        if question.cookie and self.jar is not None:
            self.jar.begin()
            self.jar.answer_host(question, wire, host)
        tell_timeout(question, timeout)
        return 0

    cdef object cookies(self):
        """What the specification's reader takes."""
        return None if self.jar is None else self.jar.cookies

    cdef object ask_bytes(self, bytes wire, str host, double now, int timeout, bint udp):
        """The answer to a message, the miss it is, or None where it gets nothing."""
        cdef Question question
        cdef size_t size
        cdef int view
        cdef Verdict verdict
        cdef Reading reading = read_question(octets_of(wire), len(wire), &question)
        if reading == NOTHING:
            self.ignored += 1
            return None
        view = self.view_of_host(host)
        if view == MAY_NOT_ASK and not self.may_refuse(now, udp):
            return None
        if reading == SOUND and view != MAY_NOT_ASK:
            set_policy(&question, view)
            self.set_own(&question, octets_of(wire), host, timeout)
        if udp and self.limits is not None and view != MAY_NOT_ASK and not (reading == SOUND and question.proven):
            verdict = self.limits.verdict(u64(octets_of(bucket_of_host(host))), now)
            if verdict != PASS:
                self.limited += 1
                return over_limit(wire, view, host, self.cookies()) if verdict == SLIP else None
        if reading == ODD or view == MAY_NOT_ASK:
            return self.judged(wire, host, view, now, timeout, udp)
        size = self.answer(&question, octets_of(wire), now, udp, self.room)
        if not size:
            self.misses += 1
            return query_of(&question, wire, host)
        if self.records is not None:
            self.records.note_host(now, self.kind, &question, host, self.source)
        if self.is_due:
            self.is_due = False
            self.due.append(query_of(&question, wire, host))
        return PyBytes_FromStringAndSize(<char*>self.room, size)

    cdef object judged(self, bytes wire, str host, int view, double now, int timeout, bint udp):
        """As `ask_bytes`, for a message that only the specification's own reader can tell about."""
        cdef Question question
        cdef size_t size
        if view == MAY_NOT_ASK:
            return refusal(wire, host, self.cookies(), timeout)
        query = judge(wire, view, host, self.cookies(), timeout)
        if isinstance(query, bytes):
            self.malformed += 1
            return query
        set_question(&question, query)
        size = self.answer(&question, octets_of(wire), now, udp, self.room)
        if not size:
            self.misses += 1
            return query
        if self.records is not None:
            self.records.note_host(now, self.kind, &question, host, self.source)
        if self.is_due:
            self.is_due = False
            self.due.append(query)
        return PyBytes_FromStringAndSize(<char*>self.room, size)

    cdef bint may_refuse(self, double now, bint udp) noexcept:
        """Whether a client that may not ask is told so: over UDP only as often as cannot harm whoever it pretends to be."""
        self.refused += 1
        self.counts.of[(0 if udp else PER_TRANSPORT) + REFUSED * PER_OUTCOME + RCODE_REFUSED] += 1
        if not udp:
            return True
        self.refusals = min(REFUSALS, self.refusals + (now - self.refusals_at) * REFUSALS)
        self.refusals_at = now
        if self.refusals < 1:
            return False
        self.refusals -= 1
        return True

    # Clients and the table

    cdef int view(self, const sockaddr_in6* sender) except? -3:
        """The view of a datagram's sender, or MAY_NOT_ASK."""
        cdef Client* client = self.clients.find(sender)
        if client.view == UNKNOWN:
            self.clients.learn(client, self.view_of_host(host_of(sender)))
        return client.view

    cdef int view_of_host(self, str host) except? -3:
        """The same for an address as text."""
        view = self.views.get(host)
        if view is None:
            view = self.view_of(host)
            if view is None:
                view = MAY_NOT_ASK
            if len(self.views) >= KNOWN_CLIENTS:
                self.views.clear()
            self.views[host] = view
        return view

    cdef Kept* find(self, bytes key) noexcept:
        """What is kept under `key` in this generation."""
        cdef Kept* kept = self.table.find(octets_of(key), len(key), hash_of(octets_of(key), len(key)))
        return kept if kept != NULL and kept.generation == self.generation else NULL


cdef int add_framed(bytearray out, const uint8_t* message, size_t size) except -1:
    """Put a message behind its length at the end of a stream (RFC 1035 section 4.2.2)."""
    cdef Py_ssize_t end = len(out)
    cdef uint8_t* at
    PyByteArray_Resize(out, end + 2 + <Py_ssize_t>size)
    at = <uint8_t*>PyByteArray_AS_STRING(out) + end
    put_u16(at, <unsigned int>size)
    memcpy(at + 2, message, size)
    return 0


cdef inline const uint8_t* octets_of(bytes text) noexcept:
    return <const uint8_t*>PyBytes_AS_STRING(text)


cdef inline bytes key_bytes(Kept* kept):
    return PyBytes_FromStringAndSize(<char*>key_of(kept), kept.key_size)


cdef list control_of(msghdr* message):
    """The first control message of a datagram as `listener.anyaddress` sends it back with the answer."""
    cdef cmsghdr* control = CMSG_FIRSTHDR(message)
    if control == NULL:
        return []
    leave_from_there(message)
    data = PyBytes_FromStringAndSize(<char*>CMSG_DATA(control), control.cmsg_len - CMSG_LEN(0))
    return [(control.cmsg_level, control.cmsg_type, data)]
