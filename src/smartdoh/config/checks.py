"""The checks that look at more than one key, or at files; and what is allowed but not wise."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from smartdoh.config.addresses import Endpoint, is_loopback, is_own
from smartdoh.config.durations import format_duration
from smartdoh.config.places import PASSWORD_FILE
from smartdoh.config.problems import Problem, Steps, dotted, refusal
from smartdoh.config.settings import GroupSettings, Rule, Settings
from smartdoh.config.urls import ProxyUrl, UpstreamUrl

RESERVED_GROUPS = ("block", "allow")  # overrides.json gives these words a meaning of their own

ADDRESSES = "addresses"  # the format of lists that are no lists of names

_BOOTSTRAP = '[bootstrap] servers = ["1.1.1.1"], or an address in place of the name'


def check(settings: Settings) -> Iterator[Problem]:
    """Everything that is wrong with settings whose keys are right one by one."""
    yield from _check_twice(("listen", "dns"), settings.listen.dns)
    yield from _check_bootstrap(settings)
    for group in settings.groups.values():
        yield from _check_group(group, settings)
    yield from _check_routing(settings)
    yield from _check_dnstap(settings)
    yield from _check_dashboard(settings)
    yield from _check_metrics(settings)
    cache = settings.cache
    if cache.min_ttl > cache.max_ttl:
        longest = format_duration(cache.max_ttl)
        shown = format_duration(cache.min_ttl)
        yield Problem(
            ("cache", "min_ttl"), refusal(shown, "is longer than cache.max_ttl", f'at most "{longest}"')
        )


def warn(settings: Settings) -> Iterator[str]:
    """One line for each thing that is allowed, but that people should know about."""
    for network in settings.listen.allow:
        if network.prefixlen == 0:
            yield (
                f"listen.allow: '{network}' lets everyone ask who can reach this machine; "
                "open resolvers are used to attack others (RFC 5358)"
            )
    if settings.listen.burst and not settings.listen.rate:
        yield "listen.burst: means nothing without listen.rate"
    if settings.dashboard.listen is not None and find_spec("nicegui") is None:
        yield "dashboard.listen: the dashboard is not installed; pip install 'smartdoh[dashboard]' mends it"
    used = {rule.list for rule in settings.routing.rules}
    used |= {group.bogus_nxdomain for group in settings.groups.values()}
    for name, wanted in settings.lists.items():
        if name not in used:
            user = "group" if wanted.format == ADDRESSES else "rule"
            yield f"{dotted(('lists', name))}: no {user} uses this list"


def _check_metrics(settings: Settings) -> Iterator[Problem]:
    """Questions come by TCP too, so its address is that of no other."""
    listen = settings.metrics.listen
    if listen is None:
        return
    if is_own(listen.host, listen.port, settings.listen.dns):
        said = "is an address that questions are taken on"
        yield Problem(("metrics", "listen"), refusal(str(listen), said, "another port"))
    elif listen == settings.dashboard.listen:
        said = "is where the dashboard is, too"
        yield Problem(("metrics", "listen"), refusal(str(listen), said, "another port"))


def _check_dnstap(settings: Settings) -> Iterator[Problem]:
    if settings.dnstap.socket is not None and not _is_installed("google", "google.protobuf"):
        yield Problem(
            ("dnstap", "socket"),
            refusal(
                str(settings.dnstap.socket),
                "needs protobuf, which is not installed",
                "after pip install smartdoh[dnstap]",
            ),
        )


def _is_installed(*modules: str) -> bool:
    """Whether these could be imported, which is not done; a package comes before what is in it."""
    return all(find_spec(module) is not None for module in modules)


def _check_twice(steps: Steps, values: tuple[Endpoint | UpstreamUrl, ...]) -> Iterator[Problem]:
    for place, value in enumerate(values):
        if value in values[:place]:
            yield Problem((*steps, place), refusal(str(value), "is there twice", "each one once"))


def _check_bootstrap(settings: Settings) -> Iterator[Problem]:
    for place, server in enumerate(settings.bootstrap.servers):
        yield from _check_own(("bootstrap", "servers", place), server, settings)


def _check_group(group: GroupSettings, settings: Settings) -> Iterator[Problem]:
    steps: Steps = ("groups", group.name)
    if group.name in RESERVED_GROUPS:
        yield Problem(steps, refusal(group.name, "has another meaning in overrides.json", "any other name"))
    yield from _check_twice((*steps, "upstreams"), group.upstreams)
    proxy_resolves = group.via is not None and group.via.resolves_names
    for place, upstream in enumerate(group.upstreams):
        at = (*steps, "upstreams", place)
        if group.via is None:
            yield from _check_own(at, upstream, settings)
        if not proxy_resolves:
            yield from _check_resolvable(at, upstream, settings)
    if group.via is not None:
        yield from _check_resolvable((*steps, "via"), group.via, settings)
        has_names = any(not upstream.is_address for upstream in group.upstreams)
        if has_names and not group.via.is_address and not proxy_resolves:
            said = "is a name, and so are upstreams that this kind of proxy does not resolve"
            yield Problem(
                (*steps, "via"), refusal(str(group.via), said, "socks5h://, or the proxy by its address")
            )
    if group.ca_file is not None:
        yield from _check_ca_file((*steps, "ca_file"), group.ca_file)
    if group.bogus_nxdomain:
        yield from _check_list((*steps, "bogus_nxdomain"), group.bogus_nxdomain, settings, of_names=False)


def _check_list(steps: Steps, name: str, settings: Settings, *, of_names: bool) -> Iterator[Problem]:
    """A list is there, and is one of names or of addresses as it is wanted."""
    fitting = [each.name for each in settings.lists.values() if (each.format != ADDRESSES) == of_names]
    if name in fitting:
        return
    kind = "names" if of_names else f'addresses (format = "{ADDRESSES}")'
    said = f"is not a list of {kind}" if name in settings.lists else "is not a list"
    allowed = ", ".join(fitting) or "none, there is no [lists.NAME]" + ("" if of_names else f" of {kind}")
    yield Problem(steps, refusal(name, said, allowed))


def _check_own(steps: Steps, server: Endpoint | UpstreamUrl, settings: Settings) -> Iterator[Problem]:
    if is_own(server.host, server.port, settings.listen.dns):
        yield Problem(steps, refusal(str(server), "is an address we listen on ourselves", "another server"))


def _check_resolvable(steps: Steps, server: UpstreamUrl | ProxyUrl, settings: Settings) -> Iterator[Problem]:
    if not server.is_address and not settings.bootstrap.servers:
        yield Problem(steps, refusal(str(server), "has a host name and nothing resolves it", _BOOTSTRAP))


def _check_ca_file(steps: Steps, path: Path) -> Iterator[Problem]:
    reason = ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with path.open("rb"):
            context.load_verify_locations(path)
    except ssl.SSLError:
        reason = "holds no certificate"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    if not reason and not context.cert_store_stats()["x509"]:
        reason = "holds no certificate"
    if reason:
        yield Problem(steps, refusal(str(path), reason, "a readable file with at least one PEM certificate"))


def _check_dashboard(settings: Settings) -> Iterator[Problem]:
    dashboard = settings.dashboard
    if dashboard.listen is None:
        return
    if dashboard.listen in settings.listen.dns:
        said = "is an address that questions are taken on"
        yield Problem(("dashboard", "listen"), refusal(str(dashboard.listen), said, "another port"))
    has_password = dashboard.password_hash or os.path.exists(settings.state_dir / PASSWORD_FILE)
    if not is_loopback(dashboard.listen.host) and not has_password:
        said = "is not loopback, and there is no password"
        allowed = "a loopback address, or a password first: smartdoh dashboard password"
        yield Problem(("dashboard", "listen"), refusal(str(dashboard.listen), said, allowed))


def _check_routing(settings: Settings) -> Iterator[Problem]:
    routing, groups = settings.routing, ", ".join(settings.groups)
    if routing.default not in settings.groups:
        yield Problem(("routing", "default"), refusal(routing.default, "is not a group", groups))
    for name, wanted in settings.lists.items():
        if wanted.group and wanted.group not in settings.groups:
            yield Problem(("lists", name, "group"), refusal(wanted.group, "is not a group", groups))
        if wanted.format == ADDRESSES and wanted.on_missing == "closed":
            said = "is for lists of names: no question is looked up in this one"
            yield Problem(("lists", name, "on_missing"), refusal(wanted.on_missing, said, "open"))
    for place, rule in enumerate(routing.rules):
        yield from _check_rule(("routing", "rules", place), rule, settings)


def _check_rule(steps: Steps, rule: Rule, settings: Settings) -> Iterator[Problem]:
    if rule.group is not None and rule.group not in settings.groups:
        yield Problem((*steps, "group"), refusal(rule.group, "is not a group", ", ".join(settings.groups)))
    if rule.list is not None:
        yield from _check_list((*steps, "list"), rule.list, settings, of_names=True)
    if (rule.group is None) == (rule.action is None):
        said = "neither group nor action" if rule.group is None else "both group and action"
        yield Problem(steps, f"the rule has {said}; allowed: exactly one of them")
    if not (rule.names or rule.list or rule.types or rule.clients):
        allowed = "domains, list, types or clients; for everything else there is routing.default"
        yield Problem(steps, f"the rule says nothing about when it applies; allowed: {allowed}")
