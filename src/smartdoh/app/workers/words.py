"""What a worker says to its supervisor: one octet each."""

READY = b"R"  # questions are answered
RELOADING = b"L"  # the config is read again; READY follows
STOPPING = b"S"
ALIVE = b"A"  # the loop turns
