# Stale data is given for a day past its TTL, and then no more (RFC 8767 section 5)
upstream 60 A 203.0.113.7
ask A
upstream SERVFAIL
pass 23h
ask A = NOERROR 203.0.113.7 ttl 1-30 ede 3
pass 2h
ask A = SERVFAIL
