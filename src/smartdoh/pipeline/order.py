"""The order of all stages, in one place, each position with its reason."""

from __future__ import annotations

from smartdoh.config import Settings
from smartdoh.model import Stage
from smartdoh.pipeline.block import blocks
from smartdoh.pipeline.given import given_addresses
from smartdoh.pipeline.local import local_names
from smartdoh.pipeline.protocol import answer_any, chaos, refuse_transfer
from smartdoh.pipeline.selfprobe import SelfProbe


def stages(settings: Settings, probe: SelfProbe | None = None) -> tuple[Stage, ...]:
    """The stages that a miss goes through; the first that answers ends it."""
    block = settings.block
    return (
        *([probe.answer] if probe is not None else []),  # ours alone, so nothing else may decide about it
        refuse_transfer,  # whatever the name: a transfer is never served, so nothing may turn it into data
        chaos(hide_version=settings.listen.hide_version),  # another class knows none of the names below
        answer_any,  # before names: a blocked or local name must not make ANY large either
        given_addresses,  # the user's word on this very name
        blocks(block.answer, int(block.ttl)),  # the user's word still, before the RFCs' defaults
        local_names(settings.local.zones_off),  # last: all that is left would leave this host
    )
