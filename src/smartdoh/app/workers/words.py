"""What a worker says to its supervisor, one octet each; it is told one thing, before it starts."""

READY = b"R"  # questions are answered
RELOADING = b"L"  # the config is read again; READY follows
STOPPING = b"S"
ALIVE = b"A"  # the loop turns

COOKIE_KEY = 16  # octets that all workers make DNS cookies from
