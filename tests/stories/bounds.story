# min_ttl and max_ttl bound what is kept and what is told
config cache.min_ttl = "100s"
config cache.max_ttl = "200s"
upstream 5 A 203.0.113.7
ask A = NOERROR 203.0.113.7 ttl 100-100
pass 80s
ask A = NOERROR 203.0.113.7 ttl 15-20 no ede
asked 1
upstream 5000 A 203.0.113.8
pass 30s
ask A = NOERROR 203.0.113.7 ede 3
asked 2
ask A = NOERROR 203.0.113.8 ttl 198-200 no ede
