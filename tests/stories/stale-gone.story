# NXDOMAIN takes the place of stale data (RFC 8767 section 4)
upstream 60 A 203.0.113.7
ask A
upstream NXDOMAIN soa 300 60
pass 61s
ask A = NOERROR 203.0.113.7 ede 3
asked 2
ask A = NXDOMAIN ttl 55-60 no ede
pass 30s
ask A = NXDOMAIN ttl 25-30 no ede
asked 2
