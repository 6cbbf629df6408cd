"""Tests of the benchmarks: what they read, compare and draw."""
