"""How a command on a running proxy fails; apart from the client, so that `serve` need not load that."""

from __future__ import annotations

from smartdoh.errors import SmartDohError


class NotRunningError(SmartDohError):
    """No proxy with this config can be reached."""


class RefusedError(SmartDohError):
    """The proxy said no, and why."""
