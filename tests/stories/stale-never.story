# With stale = "0s" there is none
config cache.stale = "0s"
upstream 60 A 203.0.113.7
ask A
upstream SERVFAIL
pass 61s
ask A = SERVFAIL
