"""How a command on a running proxy fails; apart from the client, so that `serve` need not load that."""

from __future__ import annotations

from smartdoh.errors import SmartDohError


class NotRunningError(SmartDohError):
    """No proxy with this config can be reached."""


class NotOursError(NotRunningError):
    """A proxy with this config runs, and is another user's."""


class RefusedError(SmartDohError):
    """The proxy said no, and why."""
