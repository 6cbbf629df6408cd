# A no without an SOA record is for those who wait for it (RFC 2308 section 5)
upstream NXDOMAIN
ask A = NXDOMAIN
ask A = NXDOMAIN
asked 2
