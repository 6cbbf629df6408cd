# A refresh that fails leaves fresh data alone, and then stale data
upstream 100 A 203.0.113.7
ask A
upstream SERVFAIL
pass 92s
ask A = NOERROR 203.0.113.7 ttl 3-8 no ede
asked 2
ask A = NOERROR 203.0.113.7 ttl 3-8
pass 20s
ask A = NOERROR 203.0.113.7 ttl 1-30 ede 3
asked 2
