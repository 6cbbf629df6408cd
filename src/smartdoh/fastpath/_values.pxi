# Questions and answers as Python has them, to and from what the other files work on.

cdef object query_of(const Question* question, bytes wire, str host):
    """The question as the spine takes it: what `parse_query` gives."""
    cdef size_t name_size = question.key_size - 7
    cdef const uint8_t* key = &question.key[0]
    cdef unsigned int view = (key[name_size + 4] << 16 | u16(key + name_size + 5)) >> 2
    edns = None
    if question.has_opt:
        edns = Edns(question.payload, 0, bool(question.do_bit), wire[question.end + OPT_FIXED :])
    return Query(
        wire,
        question.flags,
        PyBytes_FromStringAndSize(<char*>key, name_size),
        u16(key + name_size),
        u16(key + name_size + 2),
        question.end,
        edns,
        view,
        host,
        PyBytes_FromStringAndSize(<char*>key, question.key_size),
        PyBytes_FromStringAndSize(<char*>&question.own[0], question.own_size),
        bool(question.proven),
    )


cdef int set_question(Question* question, query) except -1:
    """What `render_kept` and `find` need of a question that was read in Python."""
    cdef bytes key = query.key, own = query.own
    question.flags = query.flags
    question.end = query.end
    question.key_size = <uint16_t>len(key)
    if question.key_size > MAX_KEY:
        raise ValueError("a key longer than any name")
    memcpy(question.key, octets_of(key), question.key_size)
    question.hash = hash_of(question.key, question.key_size)
    edns = query.edns
    question.has_opt = edns is not None
    question.do_bit = edns is not None and edns.do
    question.payload = MIN_UDP if edns is None else edns.payload
    forget_own(question)
    question.own_size, question.proven = <uint8_t>len(own), query.proven
    if len(own) > MOST_OWN:
        raise ValueError("more options than there are")
    memcpy(question.own, octets_of(own), len(own))
    return 0


cdef Kept* block_of(bytes key, entry) except NULL:
    """A block with all that an entry says. Raises ValueError where it holds what no scanned answer can."""
    cdef bytes wire = entry.wire, ede = entry.ede, origin = entry.origin
    cdef tuple offsets = entry.ttl_offsets
    cdef str source = entry.source
    cdef list cuts = []
    cdef Kept* kept
    cdef size_t question_end = HEADER + len(key) - 3
    cdef size_t number, size = len(wire)
    if size < question_end or size > MAX_MESSAGE or len(key) > MAX_KEY or len(ede) > MAX_MESSAGE:
        raise ValueError("not an answer to this question")
    if size > MIN_UDP - OPT_FIXED:
        cuts = rrset_runs(wire, question_end)
    kept = <Kept*>malloc(
        sizeof(Kept) + len(offsets) * sizeof(uint16_t) + len(cuts) * sizeof(Cut) + len(key) + size + len(ede)
    )
    if kept == NULL:
        raise MemoryError
    kept.offsets, kept.cuts = <uint16_t>len(offsets), <uint16_t>len(cuts)
    kept.key_size, kept.wire_size, kept.ede_size = <uint16_t>len(key), <uint16_t>size, <uint16_t>len(ede)
    kept.stored, kept.expires, kept.stale, kept.refresh_at = entry.stored, entry.expires, entry.stale, entry.refresh_at
    kept.rcode, kept.ad, kept.outcome = entry.rcode, entry.ad, entry.outcome
    kept.asked = False
    kept.stamp = kept.generation = 0
    for number in range(kept.offsets):
        offsets_of(kept)[number] = min(<size_t>offsets[number], size - 4)
    for number in range(kept.cuts):
        set_cut(&cuts_of(kept)[number], cuts[number])
    memcpy(key_of(kept), octets_of(key), len(key))
    memcpy(wire_of(kept), octets_of(wire), size)
    memcpy(ede_of(kept), octets_of(ede), len(ede))
    kept.hash = hash_of(key_of(kept), kept.key_size)
    kept.source, kept.origin = <PyObject*>source, <PyObject*>origin
    Py_INCREF(source)
    Py_INCREF(origin)
    return kept


cdef int set_cut(Cut* cut, run) except -1:
    cut.start, cut.end, cut.section = run.start, run.end, run.section
    cut.before[0], cut.before[1], cut.before[2] = run.before
    return 0


cdef object entry_of(Kept* kept):
    """A block as the spine knows it."""
    cdef size_t number
    entry = Entry.__new__(Entry)
    entry.wire = PyBytes_FromStringAndSize(<char*>wire_of(kept), kept.wire_size)
    entry.ttl_offsets = tuple([offsets_of(kept)[number] for number in range(kept.offsets)])
    entry.ede = PyBytes_FromStringAndSize(<char*>ede_of(kept), kept.ede_size)
    entry.rcode, entry.ad, entry.outcome = kept.rcode, kept.ad, kept.outcome
    entry.source, entry.origin = <object>kept.source, <object>kept.origin
    entry.stored, entry.expires, entry.stale, entry.refresh_at = kept.stored, kept.expires, kept.stale, kept.refresh_at
    entry.generation, entry.slot = kept.generation, kept.stamp
    entry.asked, entry.rendered = bool(kept.asked), None
    return entry
