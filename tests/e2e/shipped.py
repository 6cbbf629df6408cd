"""examples/split-routing.toml as it is shipped, running in the world that it is written for."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.message
import dns.query

from smartdoh.rules.lists.source import lines_of
from tests.e2e.commands import explained
from tests.e2e.messages import addresses, question
from tests.lists import DATA as OUR_DATA
from tests.meta.tree import ROOT
from tests.servers.both_sides import BothSides, LaunchProxy, Records, both_sides
from tests.servers.certificates import Authority
from tests.servers.internet import require_internet
from tests.servers.process import ServerProcess
from tests.servers.required import require_server
from tests.servers.smartdoh import READY, STRICT_COMMAND, RunningProxy, environment

EXAMPLE = ROOT / "examples" / "split-routing.toml"
PORT = 5553  # as the example has it
VIA = "192.168.5.8:7899"
GFWLIST = "/gfwlist/gfwlist/master/gfwlist.txt"
ADS = "/StevenBlack/hosts/master/hosts"
EVENTUALLY = 15.0  # seconds for what has no promise, on a busy machine


def as_shipped(scheme: str, on_missing: str, ca_file: Path) -> str:
    """The example with three differences: what is trusted, the proxy's kind, what holds while there is no list."""
    text = EXAMPLE.read_text("utf-8")
    text = re.sub(r"^\[groups\.\w+\]$", rf'\g<0>\nca_file = "{ca_file}"', text, flags=re.MULTILINE)
    assert text.count("\nca_file = ") == 2
    assert f'"http://{VIA}"' in text
    text = text.replace(f'"http://{VIA}"', f'"{scheme}://{VIA}"')
    if on_missing == "closed":
        assert '# on_missing = "closed"' in text
        text = text.replace('# on_missing = "closed"', 'on_missing = "closed"')
    return text


def gfwlist(*more: str) -> list[str]:
    """The lines of a list in AutoProxy's form: the real one where SMARTDOH_DATA names its folder; at its end ours."""
    real = os.environ.get("SMARTDOH_DATA")
    file = Path(real, "gfwlist.txt") if real else OUR_DATA / "autoproxy.txt"
    return [*(line.decode() for line in lines_of(file.read_bytes(), "autoproxy")), *more]


def ads(*more: str) -> list[str]:
    """The lines of a hosts file, likewise."""
    real = os.environ.get("SMARTDOH_DATA")
    file = Path(real, "adservers.hosts") if real else OUR_DATA / "hosts"
    return [*file.read_text("utf-8").splitlines(), *more]


def soon(ask: Callable[[], object], wanted: object, seconds: float = EVENTUALLY) -> None:
    """Asks until the answer is as wanted, at most so long."""
    end = time.monotonic() + seconds
    while (got := ask()) != wanted:
        assert time.monotonic() < end, f"still {got}, not {wanted}"
        time.sleep(0.02)


@dataclass(slots=True)
class Shipped:
    """smartdoh with the example, at home in its world."""

    sides: BothSides
    directory: Path
    on_missing: str
    proxies: list[RunningProxy] = field(default_factory=list)

    @property
    def proxy(self) -> RunningProxy:
        return self.proxies[-1]

    @property
    def overrides(self) -> Path:
        return self.directory / "overrides.json"

    def kept(self, name: str) -> Path:
        """The file of a list, in the state directory."""
        return self.directory / "state" / "lists" / f"{name}.txt"

    def start(self) -> None:
        """`smartdoh serve` at home, until it is ready."""
        config = self.directory / "smartdoh.toml"
        argv = [*STRICT_COMMAND, "serve", "--config", str(config)]
        name = f"smartdoh-{len(self.proxies)}"
        process = self.sides.home.run(
            lambda: ServerProcess(name, argv, self.directory, environment(self.directory))
        )
        self.proxies.append(RunningProxy(process, PORT))
        process.wait_until(lambda: READY.search(process.log) is not None)

    def ask(self, name: str, rdtype: str = "A", source: str | None = None) -> dns.message.Message:
        """What a client at home is told, at another of its addresses where `source` says so."""
        asked = question(f"{name}.", rdtype)
        return self.sides.home.run(
            lambda: dns.query.udp(asked, "127.0.0.1", port=PORT, timeout=10, source=source)
        )

    def told(self, name: str, rdtype: str = "A", source: str | None = None) -> list[str]:
        return addresses(self.ask(name, rdtype, source))

    def dig(self, *words: str) -> str:
        """What dig prints."""
        argv = [require_server("dig"), "@127.0.0.1", "-p", str(PORT), *words]
        return self.sides.home.run(
            lambda: subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        )

    def explain(self, *words: str) -> Any:
        return explained(self.proxy, *words)

    def serve_lists(self, listed: Sequence[str], blocked: Sequence[str]) -> None:
        """What the host of the lists has, on either side: the first in base64, as GFWList is."""
        self.sides.far_lists.files[GFWLIST] = base64.encodebytes("\n".join(listed).encode())
        self.sides.near_lists.files[ADS] = "\n".join(blocked).encode()

    def save(self, overrides: object) -> None:
        """As an editor does: a new file in place of the old."""
        new = self.overrides.with_name(".overrides.json.new")
        new.write_text(json.dumps(overrides))
        new.replace(self.overrides)


@contextmanager
def shipped(
    launch: LaunchProxy,
    authority: Authority,
    directory: Path,
    near: Records,
    far: Records,
    *,
    scheme: str = "http",
    on_missing: str = "open",
) -> Iterator[Shipped]:
    """The example in its world, not started yet; with another kind of proxy, with lists that fail closed."""
    require_internet()
    world, config = directory / "world", directory / "config"
    for folder in (world, config):
        folder.mkdir()
    (config / "smartdoh.toml").write_text(as_shipped(scheme, on_missing, authority.ca_file))
    (config / "overrides.json").write_bytes((EXAMPLE.parent / "overrides.json").read_bytes())
    with both_sides(world, authority, launch, near, far) as sides:
        assert sides.proxy.url_as(scheme) == f"{scheme}://{VIA}"
        made = Shipped(sides, config, on_missing)
        try:
            yield made
        finally:
            for proxy in made.proxies:
                proxy.stop()
