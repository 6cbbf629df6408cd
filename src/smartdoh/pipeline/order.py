"""The order of all stages and shapers, in one place, each position with its reason."""

from __future__ import annotations

from smartdoh.config import Settings
from smartdoh.model import Shaper, Stage
from smartdoh.pipeline.block import blocks
from smartdoh.pipeline.bogus import Bogus
from smartdoh.pipeline.chain import blocks_aliases
from smartdoh.pipeline.given import given_addresses
from smartdoh.pipeline.inband import Look, in_band
from smartdoh.pipeline.ipv6 import Peek, drops_ipv6
from smartdoh.pipeline.local import local_names
from smartdoh.pipeline.protocol import answer_any, chaos, refuse_meta, refuse_transfer
from smartdoh.pipeline.rebinding import refuses_rebinding
from smartdoh.pipeline.selfprobe import SelfProbe
from smartdoh.rules.decide import Decisions
from smartdoh.rules.domains import Domains


def stages(settings: Settings, probe: SelfProbe | None = None, look: Look | None = None) -> tuple[Stage, ...]:
    """The stages that a miss goes through; the first that answers ends it. `look` tells those who ask in band."""
    block = settings.block
    return (
        *([probe.answer] if probe is not None else []),  # ours alone, so nothing else may decide about it
        refuse_transfer,  # whatever the name: a transfer is never served, so nothing may turn it into data
        refuse_meta,  # whatever the name, too
        chaos(hide_version=settings.listen.hide_version),  # another class knows none of the names below
        in_band(look),  # our own zone: no rule of anybody has a say in it
        answer_any,  # before names: a blocked or local name must not make ANY large either
        given_addresses,  # the user's word on this very name
        blocks(block.answer, int(block.ttl)),  # the user's word still, before the RFCs' defaults
        local_names(settings.local.zones_off),  # last: all that is left would leave this host
    )


def shapers(settings: Settings, decisions: Decisions, bogus: Bogus, peek: Peek) -> tuple[Shaper, ...]:
    """What an upstream's answer goes through; each gets what the one before it left. What is switched off is not there.

    Fastest addresses come after them all, for they are chosen among what these let pass.
    """
    groups = settings.groups
    private = frozenset(name for name, group in groups.items() if group.is_private)
    modes = {name: group.ipv6 for name, group in groups.items()}
    return (
        *([bogus] if bogus.is_wanted else []),  # what is no answer at all is nothing for those below to judge
        blocks_aliases(decisions, settings.block),  # the user's wish, told as that and not as an attack
        refuses_rebinding(private, Domains(settings.local.rebind_allow)),
        *([drops_ipv6(modes, peek)] if set(modes.values()) != {"keep"} else []),  # last: it is about taste
    )


def ipv4_first(settings: Settings) -> frozenset[str]:
    """The groups in which AAAA answers depend on what A answers say."""
    return frozenset(name for name, group in settings.groups.items() if group.ipv6 == "drop_if_ipv4")
