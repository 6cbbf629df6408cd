"""libcurl in the event loop: who hears of the end of a transfer, when, and what is left after it."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pycurl

from smartdoh.upstream.transfers import Ended, Transfers
from tests.servers.certificates import Authority
from tests.servers.ports import black_hole, refusing_port
from tests.servers.scripted import ScriptedServer
from tests.unit.upstream.conftest import Run

LONG = 15.0  # seconds; more than any transfer here takes


@contextmanager
def handle(url: str, authority: Authority | None = None) -> Iterator[pycurl.Curl]:
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.NOPROXY, "*")
    curl.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    if authority is not None:
        curl.setopt(pycurl.CAINFO, str(authority.ca_file))
    try:
        yield curl
    finally:
        curl.close()


def plain_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


def test_it_tells_of_the_end_and_calls_between(
    run: Run, upstream: ScriptedServer, authority: Authority
) -> None:
    happened: list[object] = []

    async def tell() -> None:
        over = asyncio.Event()

        def between() -> None:
            happened.append("between")
            over.set()

        transfers = Transfers(between)
        with handle(upstream.url, authority) as curl:
            transfers.add(curl, happened.append)
            assert happened == []
            await asyncio.wait_for(over.wait(), LONG)
            assert curl.getinfo(pycurl.RESPONSE_CODE) == 400  # nothing was asked
            transfers.close()

    run(tell())
    assert happened == [None, "between"]


def test_it_tells_what_went_wrong(run: Run) -> None:
    async def tell() -> tuple[int, str]:
        ended: asyncio.Future[tuple[int, str] | None] = asyncio.get_running_loop().create_future()
        transfers = Transfers()
        with refusing_port() as port, handle(plain_url(port)) as curl:
            transfers.add(curl, ended.set_result)
            error = await asyncio.wait_for(ended, LONG)
            transfers.close()
        assert error is not None
        return error

    code, said = run(tell())
    assert code == pycurl.E_COULDNT_CONNECT
    assert "connect" in said


def test_the_end_of_one_may_remove_another(run: Run) -> None:
    """Both end in the same call of libcurl, so the second was to be told of."""
    ended: list[str] = []

    async def tell() -> None:
        over = asyncio.Event()
        transfers = Transfers(over.set)

        def ending(name: str, other: pycurl.Curl) -> Ended:
            def end(_: object) -> None:
                ended.append(name)
                transfers.remove(other)

            return end

        with refusing_port() as port, handle(plain_url(port)) as one, handle(plain_url(port)) as two:
            transfers.add(one, ending("one", two))
            transfers.add(two, ending("two", one))
            await asyncio.wait_for(over.wait(), LONG)
            await asyncio.sleep(0)
            transfers.close()

    run(tell())
    assert len(ended) == 1


def test_closing_ends_what_is_under_way_without_a_word(run: Run) -> None:
    ended: list[object] = []

    async def tell() -> None:
        transfers = Transfers()
        before = len(os.listdir("/proc/self/fd"))
        with black_hole() as port, handle(plain_url(port)) as curl:
            transfers.add(curl, ended.append)
            for _ in range(5):
                await asyncio.sleep(0)
            transfers.close()
            transfers.close()
        await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) <= before

    run(tell())
    assert ended == []
