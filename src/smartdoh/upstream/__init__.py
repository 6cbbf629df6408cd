"""Asking other servers: DoH over libcurl, groups of upstreams, and the bootstrap that finds them."""
