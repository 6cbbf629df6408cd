"""The fault harness: what goes wrong on networks, upstreams, disks and clocks, made for real and measured."""
