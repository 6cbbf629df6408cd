"""How the addresses of a group's names are reached: straight or through its proxy, and whom that trusts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def _no_addresses() -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Way:
    """Groups with equal ways share what is measured on them."""

    via: str = field(default="", repr=False)  # the proxy's URL, perhaps with a password; empty for straight
    ca_file: str = ""  # the trusted certificates, as libcurl wants them
    shown: str = field(default="direct", compare=False)  # how explain names it
    proxy: tuple[str, int] | None = (
        None  # host and port of a proxy given by name, which libcurl must not look up
    )
    proxy_addresses: Callable[[], tuple[str, ...]] = field(
        default=_no_addresses, compare=False, repr=False
    )  # what that name means now
