# TTL 0 is for this answer only, and what was kept before does not come back (RFC 1035 section 3.2.1)
upstream 60 A 203.0.113.7
ask A
upstream 0 A 203.0.113.8
pass 61s
ask A = NOERROR 203.0.113.7 ede 3
asked 2
ask A = NOERROR 203.0.113.8 ttl 0-0
ask A = NOERROR 203.0.113.8 ttl 0-0
asked 4
