"""Benchmarks of smartdoh beside other DNS servers: `python -m bench --help`."""
