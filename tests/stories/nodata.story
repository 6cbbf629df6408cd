# NODATA is of its type (RFC 2308 section 5)
upstream NOERROR soa 60 3000
ask AAAA = NOERROR ttl 60-60
upstream 60 A 203.0.113.7
ask A = NOERROR 203.0.113.7
asked 2
ask AAAA = NOERROR
asked 2
