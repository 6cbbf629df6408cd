# An answer is kept for its TTL, which runs down (RFC 1034 section 3.6)
upstream 300 A 203.0.113.7
ask A = NOERROR 203.0.113.7 ttl 300-300
pass 100s
ask A = NOERROR 203.0.113.7 ttl 195-200 no ede
pass 100s
ask A = NOERROR 203.0.113.7 ttl 95-100 no ede
asked 1
