# Without RD nothing stale is given (RFC 8767 section 4)
upstream 60 A 203.0.113.7
ask A
upstream SERVFAIL
pass 61s
ask A -RD = SERVFAIL
ask A = NOERROR 203.0.113.7 ede 3
