"""Whatever is in a config or in the environment: settings, or a ConfigError of whole lines."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smartdoh.config import Settings, parse
from smartdoh.config.loading import build
from smartdoh.config.messages import keys_of
from smartdoh.config.schema import TABLES
from smartdoh.errors import ConfigError

KEYS = sorted({key for table in TABLES.values() for key in keys_of(table)} | {"a", "direct"})
WORDS = [
    "https://1.1.1.1",
    "https://dns.google/q",
    "1.1.1.1:53",
    "[::1]:53",
    "10.0.0.0/8",
    "socks5://a",
    "5s",
    "1d",
]
WORDS += [
    "0s",
    "none",
    "block",
    "direct",
    "a",
    "hedged",
    "only",
    "hosts",
    "A",
    "TYPE65",
    "corp.example",
    "",
    "\0",
]

keys = st.sampled_from(KEYS) | st.text(max_size=6)
leaves = (
    st.sampled_from(WORDS)
    | st.text(max_size=20)
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.datetimes()
    | st.dates()
    | st.times()
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def document() -> st.SearchStrategy[dict[str, Any]]:
    """Documents of arbitrary values, some of which have the right shape."""
    tables = {
        name: st.dictionaries(st.sampled_from(keys_of(table)), values, max_size=4)
        for name, table in TABLES.items()
    }
    group = st.fixed_dictionaries(
        {"upstreams": st.just(["https://1.1.1.1"])}, optional={"via": leaves, "ca_file": leaves}
    )
    shaped = st.fixed_dictionaries(
        {"groups": st.dictionaries(st.sampled_from(["a", "direct"]), group | tables["groups.*"], min_size=1)},
        optional={name: tables[name] for name in ("listen", "bootstrap", "block", "cache", "log", "local")}
        | {"routing": st.fixed_dictionaries({}, optional={"rules": st.lists(tables["routing.rules[]"])})}
        | {"lists": st.dictionaries(keys, tables["lists.*"], max_size=2)},
    )
    return shaped | st.dictionaries(keys, values, max_size=5)


variables = st.dictionaries(
    st.lists(keys, min_size=1, max_size=5).map(lambda names: "SMARTDOH_" + "__".join(names).upper()),
    leaves.map(str) | st.sampled_from(["[]", "{}", "[{}]", "true", "1", "'x'"]),
    max_size=3,
)


def check_outcome(error: ConfigError) -> None:
    lines = str(error).split("\n")
    assert all(": " in line and line.isprintable() for line in lines), lines


@given(document(), variables)
def test_any_document_is_settings_or_a_config_error(
    document: dict[str, Any], environ: dict[str, str]
) -> None:
    try:
        settings = build(document, folder=Path("/nowhere"), environ=environ)
    except ConfigError as error:
        check_outcome(error)
    else:
        assert isinstance(settings, Settings)
        assert settings.routing.default in settings.groups


@given(st.text(alphabet="[]{}=\"'.,#\n\t abgrous1\\u0") | st.text())
def test_any_text_is_settings_or_a_config_error(text: str) -> None:
    try:
        parse(text)
    except ConfigError as error:
        check_outcome(error)
