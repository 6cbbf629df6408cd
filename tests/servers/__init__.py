"""Servers that tests and benchmarks start on loopback: real ones from Debian, and scripted ones."""
