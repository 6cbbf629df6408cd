"""A DoH server that does what it is told: the faults that real servers will not show on request."""

from tests.servers.scripted.server import Handshake, ScriptedServer

__all__ = ["Handshake", "ScriptedServer"]
