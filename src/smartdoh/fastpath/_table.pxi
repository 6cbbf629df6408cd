# The table of kept answers: blocks of memory of our own, an index of them, CLOCK eviction; nothing in it takes long.
#
# `ring` has the blocks in the order of their places, without holes. `index` is a hash table with linear probing that
# holds places; it is made at its full size at once (the system gives pages when they are touched), so it never grows
# and no put ever waits for a rehash.

cdef enum:
    SWEEP = 64  # blocks looked at for one eviction, so that the longest pause is some microseconds
    EMPTY = 0  # no place: they are counted from 1 in the index

cdef struct Cut:  # where a long answer may be cut off, and what is before that: see wire.edit.Run
    uint16_t start
    uint16_t end
    uint16_t section
    uint16_t before[3]

cdef struct Kept:  # one answer; behind it lie its TTLs' offsets, its cuts, its key, its message and its EDE options
    uint64_t hash
    uint64_t generation
    uint64_t stamp
    double stored
    double expires
    double stale  # how long after that
    double refresh_at
    PyObject* source
    PyObject* origin
    uint32_t place
    uint16_t offsets
    uint16_t cuts
    uint16_t key_size
    uint16_t wire_size
    uint16_t ede_size
    uint16_t ad
    uint8_t rcode
    uint8_t outcome  # see smartdoh.outcome; HIT also of what has expired
    bint asked

cdef struct Bucket:
    uint32_t tag  # the hash's upper half
    uint32_t place  # plus 1


cdef inline uint16_t* offsets_of(Kept* kept) noexcept nogil:
    return <uint16_t*>(kept + 1)


cdef inline Cut* cuts_of(Kept* kept) noexcept nogil:
    return <Cut*>(offsets_of(kept) + kept.offsets)


cdef inline uint8_t* key_of(Kept* kept) noexcept nogil:
    return <uint8_t*>(cuts_of(kept) + kept.cuts)


cdef inline uint8_t* wire_of(Kept* kept) noexcept nogil:
    return key_of(kept) + kept.key_size


cdef inline uint8_t* ede_of(Kept* kept) noexcept nogil:
    return wire_of(kept) + kept.wire_size


cdef inline size_t size_of(Kept* kept) noexcept nogil:
    return <size_t>(ede_of(kept) + kept.ede_size - <uint8_t*>kept)


@cython.final
cdef class Table:
    """Keys to blocks, bounded by entries and by octets."""

    cdef Bucket* index
    cdef Kept** ring
    cdef size_t mask, capacity, max_octets, used, hand
    cdef readonly size_t octets, evictions

    def __cinit__(self, size_t capacity, size_t max_octets):
        cdef size_t buckets = 16
        if not 0 < capacity < 0x4000_0000:
            raise ValueError("a table has between 1 and 2**30 entries")
        while buckets < capacity * 2:
            buckets *= 2
        self.mask = buckets - 1
        self.capacity = capacity
        self.max_octets = max_octets
        self.index = <Bucket*>calloc(buckets, sizeof(Bucket))
        self.ring = <Kept**>malloc(capacity * sizeof(Kept*))
        if self.index == NULL or self.ring == NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef size_t place
        if self.ring != NULL:
            for place in range(self.used):
                let_go(self.ring[place])
        free(self.ring)
        free(self.index)

    cdef inline Kept* find(self, const uint8_t* key, size_t size, uint64_t hash_) noexcept nogil:
        """What lies under a key, of whatever generation; NULL if nothing does."""
        cdef size_t at = hash_ & self.mask
        cdef uint32_t tag = hash_ >> 32
        cdef Kept* kept
        while self.index[at].place != EMPTY:
            if self.index[at].tag == tag:
                kept = self.ring[self.index[at].place - 1]
                if kept.key_size == size and memcmp(key_of(kept), key, size) == 0:
                    return kept
            at = (at + 1) & self.mask
        return NULL

    cdef inline void fetch_bucket(self, uint64_t hash_) noexcept nogil:
        """Have the processor bring what `find` will look at first."""
        prefetch(&self.index[hash_ & self.mask])

    cdef inline Kept* guess(self, uint64_t hash_) noexcept nogil:
        """What `find` will most likely look at, without touching it; NULL for nothing near."""
        cdef Bucket* bucket = &self.index[hash_ & self.mask]
        return NULL if bucket.place == EMPTY else self.ring[bucket.place - 1]

    cdef void put(self, Kept* kept) noexcept:
        """Keep a block in place of what was under its key."""
        cdef Kept* old = self.find(key_of(kept), kept.key_size, kept.hash)
        if old != NULL:
            kept.place = old.place
            kept.asked = old.asked
            self.octets -= size_of(old)
            let_go(old)
        else:
            if self.used == self.capacity:
                self.evict(NULL)
            kept.place = <uint32_t>self.used
            self.used += 1
            self.note(kept.hash, kept.place)
        self.ring[kept.place] = kept
        self.octets += size_of(kept)
        while self.octets > self.max_octets and self.used > 1:
            self.evict(kept)

    cdef void remove(self, Kept* kept) noexcept:
        """Forget a block; the last one gets its place, so that the hand never walks over holes."""
        cdef size_t place = kept.place
        cdef Kept* last
        self.strike_out(kept)
        self.octets -= size_of(kept)
        let_go(kept)
        self.used -= 1
        if place < self.used:
            last = self.ring[self.used]
            self.index[self.bucket_of(last)].place = <uint32_t>place + 1
            last.place = <uint32_t>place
            self.ring[place] = last

    cdef void evict(self, Kept* spare) noexcept:
        """Make room: what was asked since the hand last came by is spared once more, the first other one goes."""
        cdef unsigned int looked = 0
        cdef Kept* kept
        while True:
            if self.hand >= self.used:
                self.hand = 0
            kept = self.ring[self.hand]
            if kept != spare:
                looked += 1
                if not kept.asked or looked >= SWEEP:
                    break
                kept.asked = False
            self.hand += 1
        self.remove(kept)
        self.evictions += 1

    cdef void note(self, uint64_t hash_, uint32_t place) noexcept nogil:
        cdef size_t at = hash_ & self.mask
        while self.index[at].place != EMPTY:  # at most half of it is ever taken
            at = (at + 1) & self.mask
        self.index[at].tag = hash_ >> 32
        self.index[at].place = place + 1

    cdef size_t bucket_of(self, Kept* kept) noexcept nogil:
        cdef size_t at = kept.hash & self.mask
        while self.index[at].place != kept.place + 1:
            at = (at + 1) & self.mask
        return at

    cdef void strike_out(self, Kept* kept) noexcept nogil:
        """Take a block out of the index, moving up those that were displaced by it."""
        cdef size_t hole = self.bucket_of(kept), at = hole, home
        while True:
            at = (at + 1) & self.mask
            if self.index[at].place == EMPTY:
                break
            home = self.ring[self.index[at].place - 1].hash & self.mask
            if ((at - home) & self.mask) >= ((at - hole) & self.mask):
                self.index[hole] = self.index[at]
                hole = at
        self.index[hole].place = EMPTY


cdef void let_go(Kept* kept) noexcept:
    Py_DECREF(<object>kept.source)
    Py_DECREF(<object>kept.origin)
    free(kept)
