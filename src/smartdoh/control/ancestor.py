"""What each key of a SmartDoHProxy's config.toml meant, in keys of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartdoh.config.loading import build
from smartdoh.config.problems import show
from smartdoh.errors import ConfigError

LIST = "gfwlist"
DIRECT, PROXY = "direct", "proxy"
MOST_ENTRIES = 1_000_000_000
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 53  # where the ancestor listened if it was not told
SHIPPED_BOOTSTRAP = "223.5.5.5"  # in the config.toml that it came with
LEVELS = {"DEBUG": "debug", "INFO": "info", "WARN": "warning", "WARNING": "warning", "ERROR": "error"}
LEVELS |= {"CRITICAL": "error", "FATAL": "error"}
SOUND_GROUP = {"upstreams": ["https://192.0.2.1/dns-query"]}

Table = dict[str, Any]


class NoServerError(ConfigError):
    """The old config names no server that can be asked."""


@dataclass(slots=True)
class Converted:
    """The new config's sections, in order, and a note for each thing that is not as it was."""

    document: dict[str, Table] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, section: str, key: str, value: object, came_from: str) -> bool:
        """Set a key if our config allows the value; else say why not."""
        document: dict[str, Any] = {
            "groups": {"any": dict(SOUND_GROUP)},
            "bootstrap": {"servers": [SHIPPED_BOOTSTRAP]},
        }
        *above, last = section.split(".")
        at = document
        for step in above:
            at = at.setdefault(step, {})
        at[last] = {**(SOUND_GROUP if above == ["groups"] else {}), key: value}
        try:
            build(document, folder=Path("/"), environ={})
        except ConfigError as error:
            self.notes.append(f"{came_from}: left out: {error.message}")
            return False
        self.document.setdefault(section, {})[key] = value
        return True


class Old:
    """The old config. Keys are taken out of it, so that what is left at the end was not understood."""

    def __init__(self, content: dict[str, object], notes: list[str]) -> None:
        self._content = {
            name: dict(value) if isinstance(value, dict) else value for name, value in content.items()
        }
        self._notes = notes

    def pop(self, section: str, key: str, kind: type, default: Any = None) -> Any:
        """The value of a key if it is there and of its kind."""
        table = self._content.get(section)
        if not isinstance(table, dict) or key not in table:
            return default
        value = table.pop(key)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        self._notes.append(f"{section}.{key}: left out: {show(value)} is of the wrong kind")
        return default

    def rest(self) -> list[str]:
        """The keys that nobody took."""
        found: list[str] = []
        for section, value in self._content.items():
            found += [f"{section}.{key}" for key in value] if isinstance(value, dict) else [section]
        return found


def converted(content: dict[str, object]) -> Converted:
    """Our config of the ancestor's. Raises NoServerError."""
    result = Converted()
    old = Old(content, result.notes)
    _listen(old, result)
    _servers(old, result)
    _proxy(old, result)
    _cache(old, result)
    _logging(old, result)
    result.notes += [f"{key}: left out: it is not known" for key in old.rest()]
    return result


def _listen(old: Old, result: Converted) -> None:
    host = old.pop("dns", "host", str, DEFAULT_HOST)
    port = old.pop("dns", "port", int, DEFAULT_PORT)
    if not result.take("listen", "dns", [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"], "dns"):
        return
    if host in ("0.0.0.0", "::"):  # noqa: S104 - it is compared, not listened on
        result.notes.append(
            "dns.host: SmartDoHProxy answered everybody; set listen.allow for others than private networks"
        )


def _servers(old: Old, result: Converted) -> None:
    bootstrap: list[object] = []
    # Its config.toml had the one, its code read the other.
    for key in ("bootstrap_server", "bootstrap_servers"):
        found = old.pop("doh_servers", key, object)
        bootstrap += found if isinstance(found, list) else [found] if found else []
    sound = _sound(result, "bootstrap", "servers", bootstrap, "doh_servers.bootstrap_server")
    if not sound:
        sound = [SHIPPED_BOOTSTRAP]
        result.notes.append(f"doh_servers.bootstrap_server: is missing: {SHIPPED_BOOTSTRAP} is asked")
    result.document["bootstrap"] = {"servers": sound}
    for group in (DIRECT, PROXY):
        _group(group, old.pop("doh_servers", f"{group}_servers", list, []), result)
    if f"groups.{DIRECT}" not in result.document:
        why = "; ".join(result.notes) or "names none"
        raise NoServerError("doh_servers.direct_servers", f"there is no server that can be asked: {why}")
    # It asked all servers of a group at once and kept the address that connected fastest.
    result.document[f"groups.{DIRECT}"] |= {"strategy": "parallel", "fastest_ip": "only"}


def _group(name: str, urls: list[object], result: Converted) -> None:
    section = f"groups.{name}"
    sound = _sound(result, section, "upstreams", urls, f"doh_servers.{name}_servers")
    if sound:
        result.document[section] = {"upstreams": sound, "strategy": "parallel"}


def _sound(result: Converted, section: str, key: str, items: list[object], came_from: str) -> list[object]:
    """Those of the items that our config allows beside each other; for each other one there is a note."""
    found: list[object] = []
    for item in items:
        trial = Converted(notes=result.notes)
        if trial.take(section, key, [*found, item], came_from):
            found.append(item)
    return found


def _proxy(old: Old, result: Converted) -> None:
    enabled = old.pop("proxy", "enable_proxy", bool, False)
    http, https = (old.pop("proxy", key, str, "") for key in ("http", "https"))
    file, url = old.pop("proxy", "rule_file", str, ""), old.pop("proxy", "rule_file_url", str, "")
    result.document["routing"] = {"default": DIRECT}
    group = f"groups.{PROXY}"
    if group not in result.document:
        if enabled:
            result.notes.append("proxy.enable_proxy: left out: doh_servers.proxy_servers names no server")
        return
    if https or http:
        result.take(group, "via", https or http, "proxy.https")
    if http and https and http != https:
        result.notes.append("proxy.http: left out: DNS over HTTPS used proxy.https alone")
    if not (file or url):
        result.notes.append("proxy.rule_file: is missing: no name goes to the group proxy")
        return
    _list(file, url, result)
    if not enabled:
        result.notes.append(
            "proxy.enable_proxy was false: no name goes to the group proxy until routing has "
            f'rules = [{{ list = "{LIST}", group = "{PROXY}" }}]'
        )
    elif f"lists.{LIST}" in result.document:
        result.document["routing"]["rules"] = [{"list": LIST, "group": PROXY}]


def _list(file: str, url: str, result: Converted) -> None:
    keys: Table = {"file": file or f"{LIST}.txt", "format": "autoproxy"}
    if url:
        keys["url"] = url
    document = {"groups": {"any": dict(SOUND_GROUP)}, "lists": {LIST: dict(keys)}}
    try:
        build(document, folder=Path("/"), environ={})
    except ConfigError as error:
        result.notes.append(f"proxy.rule_file: left out: {error}")
        return
    result.document[f"lists.{LIST}"] = keys


def _cache(old: Old, result: Converted) -> None:
    size = old.pop("cache", "max_size", int)
    if size is not None:
        result.take("cache", "entries", size, "cache.max_size")
    if old.pop("cache", "path", str):
        result.notes.append(
            "cache.path: left out: the old JSON file is not read; the cache fills itself again"
        )
    if old.pop("cache", "save_interval", object) is not None:
        result.notes.append("cache.save_interval: left out: answers are written as they come")


def _logging(old: Old, result: Converted) -> None:
    level = old.pop("logging", "default_log_level", str)
    if level is not None:
        if level.upper() in LEVELS:
            result.take("log", "level", LEVELS[level.upper()], "logging.default_log_level")
        else:
            result.notes.append(f"logging.default_log_level: left out: {show(level)} is no level")
    queries = old.pop("logging", "query_log_level", str)
    if queries is not None:
        result.take(
            "log", "queries", LEVELS.get(queries.upper()) in ("debug", "info"), "logging.query_log_level"
        )
    if level is not None or queries is not None:
        result.notes.append("logging: main.log and query.log are no more: everything goes to stderr")
