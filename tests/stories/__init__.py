"""Stories of the cache: what the upstream says, what is asked, how much time passes, what comes back.

A story is a text, in `*.story`, a step a line; `language` reads it. It is told twice: to the pipeline with a clock in
the test's hand (tests/scenario/test_stories.py), and to a running server with a scripted upstream behind it and its
clock under libfaketime (tests/conformance/test_stories.py). What holds for the one has to hold for the other.

    # a remark; the first one is the title
    config cache.stale_after = "1.8s"
    upstream 60 A 203.0.113.7               what the upstream says from now on: records of the name that is asked,
    upstream SERVFAIL                       or an rcode,
    upstream NXDOMAIN soa 300 60            with the TTL and the MINIMUM of an SOA record,
    upstream silent                         or nothing
    ask A                                   a question with EDNS; with `-RD`, without recursion desired
    ask A = NOERROR 203.0.113.7             the rcode and the data that come back, in any order
    ask A = NOERROR 203.0.113.7 ttl 1-30    TTLs between these
    ask A = NXDOMAIN ede 19                 an Extended DNS Error; `no ede`: none
    asked 2                                 how often the upstream was asked, in all
    pass 65s                                time, in s, m, h or d
"""
