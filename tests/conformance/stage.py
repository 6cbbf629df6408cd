"""Everything that a run needs, started when it is first reached for and ended with the run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.cache import ENTRIES
from tests.conformance.clock import JumpingClock, library
from tests.conformance.peers import PEERS, Peer, Place
from tests.conformance.script import DohFace, PlainFace, Script
from tests.conformance.world import NotApplicable, World
from tests.e2e.commands import run
from tests.servers.certificates import Authority
from tests.servers.loop_thread import LoopThread
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess
from tests.servers.required import find_program
from tests.servers.smartdoh import environment, run_to_end, start_proxy

OURS = "smartdoh"
GROUP = "main"
LOOPBACK, WILDCARD = "127.0.0.1", "0.0.0.0"

SECTIONS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "own clock": {},
    "wildcard": {},
    "patient": {"cache": {"dir": "none", "stale_after": "1.8s"}},
    "small": {"cache": {"dir": "none", "memory_entries": ENTRIES}},
    "private": {"listen": {"allow": ["127.0.0.1/32"]}},
    "blocking": {
        "routing": {"default": GROUP, "rules": [{"domains": ["blocked.example"], "action": "block"}]}
    },
    "open zone": {"local": {"zones_off": ["10.in-addr.arpa"]}},
    "untrusted": {},
    "expired": {},
    "wrong name": {},
    "unknown authority": {},
}
"""What each variant of smartdoh has in its config beside the group of one upstream."""

GROUP_KEYS: Mapping[str, Mapping[str, Any]] = {"untrusted": {"trust_ad": False}}


@dataclass
class Stage:
    """The upstream with its two faces, and the servers before it."""

    stack: ExitStack
    folder: Path
    doh_port: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    """For smartdoh's process alone, as SMARTDOH_PURE_PYTHON."""

    def __post_init__(self) -> None:
        preload = library()
        if preload is None:
            raise LookupError("libfaketime is not installed; Debian's package is faketime")
        self._preload = preload
        self.script = Script()
        self.authority = Authority(self.folder / "authority")
        self.doh = self.stack.enter_context(DohFace(self.script, self.authority.good, self.doh_port))
        thread = LoopThread("plain face")
        self.stack.callback(thread.close)
        self.plain = PlainFace(self.script)
        thread.run(self.plain.listen())
        self.stack.callback(lambda: thread.run(self.plain.shut()))
        self._worlds: dict[tuple[str, str], World] = {}
        self._faces: dict[str, DohFace] = {"": self.doh}

    def world(self, kind: str, variant: str = "default") -> World:
        """A running server; the same one for the same words."""
        if (kind, variant) not in self._worlds:
            clock = JumpingClock(self._folder(f"clock-{kind}-{variant}"), self._preload)
            start = self._start_ours if kind == OURS else self._start_peer
            self._worlds[kind, variant] = start(kind, variant, clock)
        return self._worlds[kind, variant]

    def configured(self, sections: Mapping[str, Mapping[str, Any]]) -> World:
        """smartdoh with these keys beside the default ones; the same one for the same keys."""
        name = repr(sections)
        if (OURS, name) not in self._worlds:
            clock = JumpingClock(self._folder("clock"), self._preload)
            settings = self._settings(self.doh.url, "default")
            for section, keys in sections.items():
                settings[section] = {**settings.get(section, {}), **keys}
            self._worlds[OURS, name] = self._run_ours(settings, self.doh, clock)
        return self._worlds[OURS, name]

    def remote(self, host: str, port: int, known_name: str, *, forwards_here: bool) -> World:
        """A server that somebody else has started, and whether it asks the scripted upstream."""
        script = self.script if forwards_here else None
        return World("remote", host, port, known_name, script, self.doh if forwards_here else None)

    def _folder(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=name.replace(" ", "-") + "-", dir=self.folder))

    def _face(self, variant: str) -> DohFace:
        """The upstream that a variant asks: most the same one, some one with a bad certificate."""
        make: dict[str, Callable[[], Any]] = {
            "expired": lambda: self.authority.issue("expired", LOOPBACK, expired=True),
            "wrong name": lambda: self.authority.issue("wrong", "other.example"),
            "unknown authority": lambda: Authority(self.folder / "stranger").good,
        }
        name = variant if variant in make else ""
        if name not in self._faces:
            self._faces[name] = self.stack.enter_context(DohFace(self.script, make[name]()))
        return self._faces[name]

    def _start_ours(self, kind: str, variant: str, clock: JumpingClock) -> World:
        face = self._face(variant)
        host = WILDCARD if variant == "wildcard" else LOOPBACK
        return self._run_ours(self._settings(face.url, variant), face, clock, host)

    def _run_ours(
        self, settings: Mapping[str, Any], face: DohFace, clock: JumpingClock, host: str = LOOPBACK
    ) -> World:
        env = {**clock.environment, **self.env}
        proxy = start_proxy(settings, self._folder(OURS), env=env, hosts=(host,))
        self.stack.callback(proxy.stop)

        def command(*words: str) -> str:
            return run(proxy, *words).stdout

        def refuses(url: str) -> bool:
            return run_to_end(["check"], self._folder("check"), self._settings(url, "default")).status == 2

        return World(
            OURS,
            LOOPBACK,
            proxy.port,
            _script=self.script,
            _doh=face,
            _clock=clock,
            _variants=lambda other: self.world(OURS, other),
            _command=command,
            _refuses=refuses,
            notices_jumps=True,
        )

    def _settings(self, url: str, variant: str) -> dict[str, Any]:
        main = {"upstreams": [url], "ca_file": self.authority.ca_file, "fastest_ip": "off"}
        return {
            f"groups.{GROUP}": main | dict(GROUP_KEYS.get(variant, {})),
            "routing": {"default": GROUP},
            "cache": {"dir": "none"},
        } | dict(SECTIONS[variant])

    def _start_peer(self, kind: str, variant: str, clock: JumpingClock) -> World:
        peer: Peer = PEERS[kind]
        program = find_program(peer.program)
        if program is None:
            raise NotApplicable(f"{peer.program} is not installed")
        folder, port, face = self._folder(kind), free_port(), self._face(variant)
        listen = WILDCARD if variant == "wildcard" else LOOPBACK
        place = Place(program, folder, listen, port, face.port, self.plain.port, self.authority.ca_file)
        command = peer.configure(place, variant)
        if command is None:
            raise NotApplicable(f"has no such settings ({variant})")
        process = ServerProcess(kind, command, folder, environment(folder, clock.environment))
        self.stack.callback(process.stop)
        world = World(
            kind,
            LOOPBACK,
            port,
            _script=self.script,
            _doh=face if peer.asks_doh else None,
            _clock=None if peer.has_own_clock else clock,
            _variants=lambda other: self.world(kind, other),
            has_own_timers=peer.has_own_timers,
        )
        process.wait_until(lambda: _is_bound(port))
        return world


def _is_bound(port: int) -> bool:
    """Whether somebody has this port, over UDP and TCP: what is sent there then waits for it."""
    wanted = f":{port:04X} "
    tables = {kind: (Path("/proc/net", kind), Path("/proc/net", f"{kind}6")) for kind in ("udp", "tcp")}
    return all(any(wanted in path.read_text() for path in both) for both in tables.values())


@contextmanager
def stage(folder: Path, doh_port: int = 0, env: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """A stage for the block. Raises LookupError where libfaketime is missing."""
    with ExitStack() as stack:
        yield Stage(stack, folder, doh_port, env or {})
