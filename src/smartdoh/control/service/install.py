"""Putting the service in place and taking it away: what is to be done is worked out first, then shown or done."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from smartdoh.config import Settings
from smartdoh.config.addresses import DNS_PORT
from smartdoh.control.service import advice, sight, unitfile
from smartdoh.control.service.holders import Holder, holders
from smartdoh.control.service.machine import RUNS, UNITS, Machine
from smartdoh.durable import write
from smartdoh.errors import SmartDohError

UNIT_MODE = 0o644
NAMES = (unitfile.SOCKET, unitfile.SERVICE)
LEFT = ("/var/lib/smartdoh (answers, lists, crash reports)", "/var/cache/smartdoh")


class ServiceError(SmartDohError):
    """The service cannot be put in place, or not taken away."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in this order: notes told, files removed, files written, commands run, advice given."""

    write: dict[Path, str] = field(default_factory=dict)
    before: tuple[tuple[str, ...], ...] = ()
    remove: tuple[Path, ...] = ()
    after: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


def installation(machine: Machine, settings: Settings, config: Path) -> Plan:
    """The units for this program with this config, enabled, and started unless somebody is in their way.

    Raises ServiceError where that cannot be written.
    """
    command = sight.command(config)
    try:
        texts = {
            unitfile.SERVICE: unitfile.service(command),
            unitfile.SOCKET: unitfile.socket(settings.listen.dns),
        }
    except ValueError as error:
        raise ServiceError(str(error)) from error
    units = {machine.at(f"{UNITS}/{name}"): text for name, text in texts.items()}
    is_installed = any(path.exists() for path in units)
    others, use = _others(machine, settings, is_installed=is_installed)
    in_the_way = advice.on_holders(settings.listen.dns, others)
    return Plan(
        write=units,
        after=_starting(machine, was_there=is_installed and machine.is_running, may_start=not in_the_way),
        notes=tuple(_notes(settings, command, config)),
        advice=(*in_the_way, *use),
    )


def removal(machine: Machine) -> Plan:
    """The units stopped, disabled and gone; what they left is told, not touched."""
    units = [machine.at(f"{UNITS}/{name}") for name in NAMES]
    there = tuple(path for path in units if path.exists())
    if not there:
        return Plan(notes=(f"there is no service: neither {' nor '.join(map(str, units))}",))
    names = [path.name for path in there]
    now = ["--now"] if machine.is_running else []
    drop_ins = [
        str(path.with_name(f"{path.name}.d")) for path in there if path.with_name(f"{path.name}.d").is_dir()
    ]
    left = [_config_in(units[1]), *LEFT, *drop_ins]
    drop_in = machine.at(advice.DROP_IN.removeprefix("/")).exists()
    return Plan(
        before=(machine.systemctl("disable", *now, *names),),
        remove=there,
        after=(machine.systemctl("daemon-reload"),) if machine.is_running else (),
        advice=(f"left as they are: {', '.join(left)}", *advice.on_undoing(drop_in)),
    )


def carry_out(plan: Plan) -> None:
    """Do it. Raises ServiceError, saying how far it got."""
    try:
        for command in plan.before:
            _run(command)
        for path in plan.remove:
            path.unlink(missing_ok=True)
        for path, text in plan.write.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, path.with_name(f".{path.name}.new"), text.encode())
            path.chmod(UNIT_MODE)
    except OSError as error:
        raise ServiceError(f"{error.filename}: {error.strerror}") from error
    for command in plan.after:
        _run(command)


def refusal(machine: Machine, config: Path | None = None) -> str:
    """Why this cannot be done here and now; empty where it can. Without a config it is about taking it away."""
    if machine.is_image:
        return ""
    if os.geteuid() != 0:
        return "needs root: run it with sudo, or look at --dry-run"
    if not machine.is_running:
        return f"systemd does not run here (there is no /{RUNS}); --dry-run shows what would be done"
    hidden = sight.out_of_sight(sight.command(config), config) if config is not None else []
    if hidden:
        where = "/opt/smartdoh/bin/smartdoh and /etc/smartdoh are places that it sees"
        return "\n".join([*hidden, where])
    return ""


def _config_in(unit: Path) -> str:
    """The config that a unit names, as it is written there."""
    text = unit.read_text("utf-8", "replace") if unit.exists() else ""
    found = re.search(r"^ExecStart=.* --config (.+)$", text, re.MULTILINE)
    return found[1] if found else "the config"


def _starting(machine: Machine, *, was_there: bool, may_start: bool) -> tuple[tuple[str, ...], ...]:
    """The commands that enable and start; one that ran is stopped first, or its socket unit could not be started."""
    enable = machine.systemctl("enable", *NAMES)
    if machine.is_image:
        return (enable,)
    stop = (machine.systemctl("stop", *reversed(NAMES)),) if was_there else ()
    start = (machine.systemctl("start", *NAMES),) if may_start else ()
    return (machine.systemctl("daemon-reload"), enable, *stop, *start)


def not_ours(found: Sequence[Holder], *, is_installed: bool) -> list[Holder]:
    """Those that are not the service itself, which has them from systemd, nor systemd's for it while it rests."""

    def is_ours(holder: Holder) -> bool:
        processes = holder.processes
        if any(process.unit == unitfile.SERVICE for process in processes):
            return True
        return is_installed and bool(processes) and all(process.pid == 1 for process in processes)

    return [holder for holder in found if not is_ours(holder)]


def _others(machine: Machine, settings: Settings, *, is_installed: bool) -> tuple[list[Holder], list[str]]:
    """Who else holds the ports, and how the machine's programs come to ask; an image has neither."""
    if machine.is_image:
        return [], []
    wanted = settings.listen.dns
    others = not_ours(holders({end.port for end in wanted}, machine.proc), is_installed=is_installed)
    try:
        text = machine.at("etc/resolv.conf").read_text("utf-8", "replace")
    except OSError:
        text = ""
    names = {process.name for holder in others for process in holder.processes}
    is_resolved_here = advice.RESOLVED in names or machine.at("run/systemd/resolve").is_dir()
    return others, advice.on_use(wanted, text, is_resolved_here=is_resolved_here)


def _notes(settings: Settings, command: Sequence[str], config: Path) -> list[str]:
    notes = [*settings.warnings, *sight.out_of_sight(command, config)]
    if not sight.is_for_all(config):
        notes.append(f"{config} is not for all to read; the service has a user of its own, and could not")
    if all(end.port != DNS_PORT for end in settings.listen.dns):
        notes.append(f"no address of listen.dns has port {DNS_PORT}, which is the one that programs ask")
    return notes


def _run(command: Sequence[str]) -> None:
    found = shutil.which(command[0])
    if found is None:
        raise ServiceError(f"{command[0]} is not installed")
    done = subprocess.run([found, *command[1:]], capture_output=True, text=True, check=False)  # noqa: S603 - ours alone
    if done.returncode:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        raise ServiceError(f"{' '.join(command)}: {said}")
