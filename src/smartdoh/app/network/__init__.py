"""Noticing that the network, the clock or the machine's sleep have changed what was true, and what is done then."""
