"""The picture of `smartdoh top` in docs: the program itself, before a proxy that always says the same.

`TZ=UTC python -m tests.e2e.picture_top` draws docs/img/top.svg anew.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from smartdoh.control.client import Proxy
from smartdoh.control.top.app import Top
from tests.meta.tree import ROOT

PICTURE = ROOT / "docs" / "img" / "top.svg"
FONTS = re.compile(r"    @font-face \{.*?\}\n", re.DOTALL)  # from elsewhere; whoever looks has one
SIZE = 120, 38
RATES = {
    "hit": 212.0,
    "stale": 3.0,
    "miss": 17.0,
    "blocked": 41.0,
    "local": 2.0,
    "refused": 0.0,
    "failed": 0.0,
}
STATUS = {"version": "0.1.0", "listening": ["192.168.1.2 port 53"], "uptime_s": 270_000.0}
NAMES = [
    ("www.example.org.", 9120),
    ("push.phone.example.", 7731),
    ("tracker.example.", 6014),
    ("cdn.video.example.", 5120),
    ("mail.example.net.", 2212),
    ("telemetry.tv.example.", 1904),
    ("git.example.com.", 611),
    ("time.example.", 302),
    ("updates.example.com.", 88),
]
CLIENTS = [("192.168.1.31", 41_233), ("192.168.1.20", 20_117), ("2001:db8::20", 9_038), ("192.168.1.7", 402)]
BLOCKED = [
    ("tracker.example.", 6014, "ads"),
    ("telemetry.tv.example.", 1904, "ads"),
    ("pixel.shop.example.", 977, "ads"),
    ("forbidden.example.", 12, ""),
]
UPSTREAMS = [
    ("direct", "dns.near.example", 11.8, 24.0, 4012, {}),
    ("direct", "doh.other.example", 19.3, 41.0, 801, {"timeout": 3}),
    ("proxy", "dns.far.example", 164.2, 310.0, 566, {"timeout": 12, "status": 2}),
]
LAST = [
    ("192.168.1.31", "www.example.org.", "AAAA", "hit", "", "", None),
    ("192.168.1.20", "tracker.example.", "A", "blocked", "", "ads", None),
    ("192.168.1.31", "cdn.video.example.", "A", "miss", "dns.near.example", "", 12.4),
    ("2001:db8::20", "git.example.com.", "A", "hit", "", "", None),
    ("192.168.1.7", "nas.home.arpa.", "A", "local", "overrides", "", 0.1),
    ("192.168.1.20", "listed.example.", "HTTPS", "miss", "dns.far.example", "", 171.0),
    ("192.168.1.31", "mail.example.net.", "MX", "stale", "", "", None),
    ("192.168.1.31", "push.phone.example.", "A", "hit", "", "", None),
    ("192.168.1.20", "telemetry.tv.example.", "A", "blocked", "", "ads", None),
    ("192.168.1.31", "www.example.org.", "A", "hit", "", "", None),
]


class Canned:
    """Says what a proxy says, once, and then nothing more until the end."""

    def __init__(self) -> None:
        self.end = threading.Event()

    def get(self, _target: str) -> Any:
        """The status."""
        return STATUS

    def lines(self, _target: str) -> Iterator[bytes]:
        """One look."""
        yield f"data: {json.dumps(look())}\n".encode()
        self.end.wait()


def look() -> dict[str, Any]:
    """What is asked."""
    counts = {outcome: int(rate * 250) for outcome, rate in RATES.items()}
    return {
        "seconds": 300.0,
        "rate": RATES,
        "questions": sum(RATES.values()),
        "counts": counts,
        "hit_ratio": 0.9267,
        "latency_ms": {"p50": 12.9, "p95": 58.0, "p99": 190.2},
        "names": [{"name": name, "count": count} for name, count in NAMES],
        "clients": [{"client": client, "count": count} for client, count in CLIENTS],
        "blocked": [{"name": name, "count": count, "list": where} for name, count, where in BLOCKED],
        "last": [_question(number, *one) for number, one in enumerate(LAST)],
        "groups": [_group(name) for name in ("direct", "proxy")],
        "under_way": 2,
        "memory": {"entries": 48_211, "octets": 14_300_000},
        "history": [{"rate": _past(second)} for second in range(300)],
        "sampled": False,
    }


def _past(second: int) -> dict[str, float]:
    return {
        outcome: rate * (1 + 0.5 * math.sin(second / (3 + 2 * place)))
        for place, (outcome, rate) in enumerate(RATES.items())
    }


def _question(number: int, *one: Any) -> dict[str, Any]:
    keys = ("client", "name", "type", "outcome", "upstream", "list", "ms")
    at = f"2026-11-23T19:30:{59 - number // 3}.000Z"
    return {"at": at, "rcode": "NOERROR", "rule": "", **dict(zip(keys, one, strict=True))}


def _group(name: str) -> dict[str, Any]:
    upstreams = [
        {
            "name": upstream,
            "latency_ms": latency,
            "p95_ms": high,
            "health": "well",
            "rests_s": 0.0,
            "failures": 0,
            "requests": requests,
            "in_flight": 1,
            "errors": errors,
        }
        for group, upstream, latency, high, requests, errors in UPSTREAMS
        if group == name
    ]
    return {"name": name, "upstreams": upstreams}


async def draw(seconds: float = 3.0, is_it: Callable[[str], bool] = lambda _: False) -> str:
    """The picture when it has settled: after so long, or as soon as `is_it`."""
    canned = Canned()
    app = Top(lambda: cast("Proxy", canned))
    end = time.monotonic() + seconds
    async with app.run_test(size=SIZE) as pilot:
        try:
            while not is_it(found := _picture(app)) and time.monotonic() < end:
                await pilot.pause(0.05)
        finally:
            canned.end.set()
    return found


def _picture(app: Top) -> str:
    return FONTS.sub("", app.export_screenshot(title="smartdoh top", simplify=True))


def main(path: Path = PICTURE) -> None:
    """Draw it, and keep it."""
    path.write_text(asyncio.run(draw()), "utf-8")


if __name__ == "__main__":
    main()
