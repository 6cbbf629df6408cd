"""What the RFCs ask of a caching forwarder, a row each, asked of a running server from outside.

How it works. `rows.toml` is the list of rows, with RFC and section. The modules named after concepts have the checks:
small functions that get a `World` - the server under test, the scripted upstream behind it, its clock - and raise
AssertionError where the server does otherwise than the row says. What a world cannot offer (a server that is asked
from afar has no scripted upstream) it says by raising NotApplicable where it is reached for, so no check declares
what it needs. `python -m tests.conformance --help` runs them against any server; `make conformance` against smartdoh.
"""
