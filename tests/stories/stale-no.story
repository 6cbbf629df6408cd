# A no goes stale under a code of its own, and gives way to data (RFC 8914 section 4.20)
upstream NXDOMAIN soa 60 60
ask A = NXDOMAIN no ede
upstream 60 A 203.0.113.7
pass 61s
ask A = NXDOMAIN ttl 30-30 ede 19
asked 2
ask A = NOERROR 203.0.113.7 no ede
