"""The proxy from inside: HTTP with JSON over a Unix socket that only its owner can reach."""
