# The least TTL rules its RRset, and the answer (RFC 2181 section 5.2)
upstream 300 A 203.0.113.1 | 60 A 203.0.113.2
ask A = NOERROR 203.0.113.1 203.0.113.2 ttl 60-60
upstream 300 A 203.0.113.3
pass 61s
ask A = NOERROR 203.0.113.1 203.0.113.2 ttl 30-30 ede 3
asked 2
ask A = NOERROR 203.0.113.3 ttl 298-300
