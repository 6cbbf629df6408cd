# REFUSED says nothing about a name, so data stays (RFC 8767 section 4)
upstream 60 A 203.0.113.7
ask A
upstream REFUSED
pass 61s
ask A = NOERROR 203.0.113.7 ede 3
asked 2
ask A = NOERROR 203.0.113.7 ede 3
asked 2
