"""Tests of the ranking, the probes, the proofs and what is remembered of them."""
