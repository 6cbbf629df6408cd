"""What a person has to do about others on the port, as commands to copy: none of it is ever done by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from smartdoh.config import Endpoint
from smartdoh.config.addresses import DNS_PORT
from smartdoh.control.service.holders import Holder, Process

RESOLVED = "systemd-resolve"  # the kernel keeps 15 octets of a name
RESOLV_CONF = "/etc/resolv.conf"
DROP_IN = "/etc/systemd/resolved.conf.d/smartdoh.conf"
START = "sudo systemctl start smartdoh.socket smartdoh.service"
_BELONGS_TO_MORE = {
    "libvirtd.service",
    "docker.service",
    "containerd.service",
    "lxc-net.service",
    "lxd.service",
}
"""Units whose DNS server is a part of something else."""


def on_holders(wanted: Sequence[Endpoint], found: Iterable[Holder]) -> list[str]:
    """What to do about each who is in the way of `wanted`, and how to start then; nothing where nobody is."""
    lines: list[str] = []
    seen: set[Process | None] = set()
    for holder in found:
        if not any(holder.is_in_the_way_of(endpoint) for endpoint in wanted):
            continue
        lines.append(
            f"{_who(holder.processes)} holds {holder.transport} {Endpoint(holder.host, holder.port)}"
        )
        for process in holder.processes or (None,):
            if process not in seen:
                seen.add(process)
                lines += [f"  {line}" for line in _way_out(process)]
    return [*lines, "then:", f"  {START}"] if lines else []


def _who(processes: Sequence[Process]) -> str:
    if not processes:
        return "a program that only root may see"
    return ", ".join(f"{process.name} (pid {process.pid})" for process in processes)


def _way_out(process: Process | None) -> Iterator[str]:
    """How its place is made free."""
    if process is None:
        yield "sudo ss -lnptu 'sport = :domain'    # says who it is"
    elif process.name == RESOLVED:
        yield from resolved_steps()
    elif process.unit == "NetworkManager.service":
        yield r"printf '[main]\ndns=none\n' | sudo tee /etc/NetworkManager/conf.d/smartdoh.conf"
        yield "sudo systemctl restart NetworkManager"
    elif process.pid == 1:
        yield "systemctl list-sockets    # says for which unit; then sudo systemctl disable --now THAT.socket"
    elif process.unit in _BELONGS_TO_MORE or process.unit.endswith(".scope") or not process.unit:
        of = f"it belongs to {process.unit}: " if process.unit else ""
        yield f"{of}end it, or leave it that address and give smartdoh others (listen.dns)"
    else:
        yield f"sudo systemctl disable --now {process.unit}"
        if process.name == "dnsmasq":
            yield "where its DHCP is needed, rather: port=0 in /etc/dnsmasq.conf, and restart it"


def resolved_steps() -> list[str]:
    """How systemd-resolved stops to listen, and passes on what it is asked by other ways."""
    drop_in = r"[Resolve]\nDNS=127.0.0.1\nDomains=~.\nDNSStubListener=no\n"
    return [
        f"sudo mkdir -p {DROP_IN.rpartition('/')[0]}",
        f"printf '{drop_in}' | sudo tee {DROP_IN}",
        *resolv_conf_steps("127.0.0.1"),
        "sudo systemctl restart systemd-resolved",
    ]


def resolv_conf_steps(host: str) -> list[str]:
    """How the programs of this machine come to ask smartdoh, and no other server beside it."""
    return [f"sudo rm {RESOLV_CONF} && echo 'nameserver {host}' | sudo tee {RESOLV_CONF}"]


def on_use(wanted: Sequence[Endpoint], resolv_conf: str, *, is_resolved_here: bool) -> list[str]:
    """How this machine's own programs come to ask smartdoh; nothing where they do, or it has no address for them.

    `resolv_conf` is what stands in /etc/resolv.conf.
    """
    loopback = [end.host for end in wanted if end.port == DNS_PORT and _reaches_loopback(end.host)]
    if not loopback:
        return []
    host = loopback[0] if ip_address(loopback[0]).is_loopback else "127.0.0.1"
    servers = [words[1] for line in resolv_conf.splitlines() if (words := line.split())[:1] == ["nameserver"]]
    if servers == [host]:
        return []
    steps = resolved_steps() if is_resolved_here else resolv_conf_steps(host)
    return [
        "to have every program on this machine ask it, once it answers:",
        *(f"  {step}" for step in steps),
    ]


def _reaches_loopback(host: str) -> bool:
    address = ip_address(host)
    return address.is_loopback or address.is_unspecified


def on_undoing(is_drop_in_there: bool) -> list[str]:
    """What was done by hand for it, and is to be undone by hand."""
    lines = [f"if {RESOLV_CONF} names it, programs find no server now: put back what was there before"]
    if is_drop_in_there:
        lines += [
            "for systemd-resolved:",
            f"  sudo rm {DROP_IN}",
            f"  sudo ln -sf /run/systemd/resolve/stub-resolv.conf {RESOLV_CONF}",
            "  sudo systemctl restart systemd-resolved",
        ]
    return lines
