# Asked for in the last tenth of its TTL, an answer is refreshed before it ends
upstream 100 A 203.0.113.7
ask A
pass 80s
ask A = NOERROR 203.0.113.7 ttl 15-20 no ede
asked 1
upstream 100 A 203.0.113.8
pass 12s
ask A = NOERROR 203.0.113.7 ttl 3-8 no ede
asked 2
ask A = NOERROR 203.0.113.8 ttl 98-100 no ede
pass 50s
ask A = NOERROR 203.0.113.8 no ede
asked 2
