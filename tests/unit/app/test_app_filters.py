"""What filters answers hears of changes: of overrides that are edited, and of lists of addresses."""

from __future__ import annotations

import json
from pathlib import Path

import dns.message
import dns.rcode

from smartdoh import config
from smartdoh.app.build import build
from smartdoh.app.runtime import Runtime
from smartdoh.model import Query
from smartdoh.tasks import Tasks
from tests.in_loop import in_loop
from tests.scenario.messages import CLIENT, addresses, answer_to, query, question

LIST = Path(__file__).parents[2] / "data/lists/bogus-nxdomain.conf"
WWW = "www.example.com."
ALIAS = (f"{WWW} 300 CNAME tracker.example.", "tracker.example. 300 A 203.0.113.1")
GROUP = '[groups.main]\nupstreams = ["https://192.0.2.1/dns-query"]\n[cache]\ndir = "none"\n'


async def started(text: str, folder: Path, bugs: list[BaseException]) -> Runtime:
    """A runtime that is in force."""
    runtime = build(config.parse(text, folder=folder), Tasks(lambda name, error: bugs.append(error)))
    await runtime.prepare()
    runtime.start()
    return runtime


def keep(runtime: Runtime, *records: str) -> None:
    """Have the group say this to the question for www."""
    asked = query()
    runtime.resolver.keep(asked, runtime.decisions.route(asked), answer_to(asked, *records))


def said(runtime: Runtime) -> dns.message.Message:
    """What a client gets, from the table or from what is known."""
    got = runtime.fast.ask(question(), CLIENT)
    sent: list[bytes] = []
    if isinstance(got, Query):
        runtime.resolver.submit(got, sent.append, udp=False)
        (got,) = sent
    assert got is not None
    return dns.message.from_wire(got)


@in_loop
async def test_aliases_of_a_name_that_an_override_blocks(tmp_path: Path) -> None:
    """The names that lead to it are nowhere in the file."""
    file, bugs = tmp_path / "overrides.json", list[BaseException]()
    file.write_text("{}")
    runtime = await started(f'{GROUP}[routing]\noverrides = "{file.name}"\n', tmp_path, bugs)
    assert runtime.overrides is not None
    keep(runtime, *ALIAS)
    assert addresses(said(runtime)) == ["203.0.113.1"]
    file.write_text(json.dumps({"tracker.example": "block"}))
    await runtime.overrides.load()
    assert addresses(said(runtime)) == ["0.0.0.0"]
    await runtime.aclose()
    assert not bugs


@in_loop
async def test_a_list_of_addresses_that_comes_later(tmp_path: Path) -> None:
    bugs = list[BaseException]()
    group = GROUP.replace("[cache]", 'bogus_nxdomain = "fake"\n[cache]')
    text = group + '[lists.fake]\nfile = "fake.conf"\nformat = "addresses"\n'
    runtime = await started(text, tmp_path, bugs)
    keep(runtime, f"{WWW} 300 A 198.51.100.7")
    assert addresses(said(runtime)) == ["198.51.100.7"]
    (tmp_path / "fake.conf").write_bytes(LIST.read_bytes())
    assert (await runtime.lists.update("fake")).is_good
    assert said(runtime).rcode() == dns.rcode.NXDOMAIN
    await runtime.aclose()
    assert not bugs
