# A failure is kept for a second, then for two, four and five; nobody is asked meanwhile (RFC 9520 section 3.2)
upstream SERVFAIL
ask A = SERVFAIL
ask A = SERVFAIL ede 13
asked 1
pass 1.2s
ask A = SERVFAIL
asked 2
pass 1.2s
ask A = SERVFAIL ede 13
asked 2
pass 1.2s
ask A = SERVFAIL
asked 3
pass 3s
ask A = SERVFAIL ede 13
asked 3
pass 1.2s
ask A = SERVFAIL
asked 4
upstream 60 A 203.0.113.7
pass 5.2s
ask A = NOERROR 203.0.113.7 no ede
