"""The running config as it is shown: every table, plain values, no password."""

from __future__ import annotations

import dataclasses
import json

import pytest

from smartdoh.config import Settings, parse
from smartdoh.control.api.settings import BESIDES, shown

CONFIG = """
[listen]
dns = ["[::1]:5353"]
[bootstrap]
servers = ["192.0.2.53"]
[groups.main]
upstreams = ["https://192.0.2.1"]
via = "{via}"
[lists.ads]
url = "https://lists.example/ads.txt"
[routing]
rules = [{{ list = "ads", action = "block", clients = ["10.0.0.0/8"] }}]
"""


def test_every_table_is_there_as_plain_values() -> None:
    found = shown(parse(CONFIG.format(via="socks5h://192.0.2.9")))
    settings = json.loads(json.dumps(found))["settings"]
    assert set(settings) == {field.name for field in dataclasses.fields(Settings)} - set(BESIDES)
    main = settings["groups"]["main"]
    assert (main["upstreams"], main["timeout"]) == (["https://192.0.2.1/dns-query"], 5.0)
    assert settings["lists"]["ads"]["file"].endswith("/ads.txt")
    assert settings["listen"]["dns"] == ["[::1]:5353"]
    assert settings["routing"]["rules"][0]["clients"] == ["10.0.0.0/8"]
    assert main["via"] == "socks5h://192.0.2.9:1080"


@pytest.mark.parametrize(
    ("via", "as_shown"),
    [
        ("http://me:top%40secret@192.0.2.9:8080", "http://me:***@192.0.2.9:8080"),
        ("http://me:topsecret:more@[2001:db8::1]", "http://me:***@[2001:db8::1]:80"),
        ("https://me@proxy.example", "https://me@proxy.example:443"),
    ],
)
def test_a_password_is_not(via: str, as_shown: str) -> None:
    found = shown(parse(CONFIG.format(via=via)))
    assert found["settings"]["groups"]["main"]["via"] == as_shown
    assert "secret" not in json.dumps(found)
