"""Counters for Prometheus: gathered of every worker, told by HTTP, never in the way of an answer."""
