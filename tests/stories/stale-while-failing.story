# While the upstream fails data stays in place, and is asked for every 30 s (RFC 8767 section 5)
upstream 60 A 203.0.113.7
ask A = NOERROR 203.0.113.7
upstream SERVFAIL
pass 70s
ask A = NOERROR 203.0.113.7 ede 3
asked 2
pass 10s
ask A = NOERROR 203.0.113.7 ede 3
pass 10s
ask A = NOERROR 203.0.113.7 ede 3
asked 2
pass 15s
ask A = NOERROR 203.0.113.7 ede 3
asked 3
upstream 60 A 203.0.113.8
pass 31s
ask A = NOERROR 203.0.113.7 ede 3
asked 4
ask A = NOERROR 203.0.113.8 no ede
