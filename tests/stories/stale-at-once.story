# Past its TTL an answer is given at once with a TTL of 30 s, and asked for behind it (RFC 8767 section 5)
upstream 60 A 203.0.113.7
ask A = NOERROR 203.0.113.7
pass 61s
upstream 60 A 203.0.113.8
ask A = NOERROR 203.0.113.7 ttl 30-30 ede 3
asked 2
ask A = NOERROR 203.0.113.8 ttl 58-60 no ede
asked 2
