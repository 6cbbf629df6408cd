# With a client response timer a fresh answer that comes in time is given (RFC 8767 section 5)
config cache.stale_after = "1.8s"
upstream 60 A 203.0.113.7
ask A
upstream 60 A 203.0.113.8
pass 61s
ask A = NOERROR 203.0.113.8 ttl 58-60 no ede
asked 2
upstream SERVFAIL
pass 61s
ask A = NOERROR 203.0.113.8 ttl 1-30 ede 3
asked 3
ask A = NOERROR 203.0.113.8 ttl 1-30 ede 3
asked 3
