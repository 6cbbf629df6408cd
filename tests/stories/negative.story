# A no lives for min(SOA TTL, MINIMUM), and for all types (RFC 2308 section 5)
upstream NXDOMAIN soa 3000 60
ask A = NXDOMAIN ttl 60-60
pass 30s
ask A = NXDOMAIN ttl 25-30 no ede
ask MX = NXDOMAIN ttl 25-30 no ede
asked 1
