"""`smartdoh check --json`: what a config means, or what is wrong with it, for programs."""

from __future__ import annotations

import json
from collections.abc import Callable

from smartdoh.app.overrides_reading import read
from smartdoh.config import BadConfigError, Rule, Settings
from smartdoh.control.lists.local import opened
from smartdoh.errors import ConfigError
from smartdoh.fastpath import BUILD


def report(load: Callable[[], Settings]) -> None:
    """Print an object with `sound`. Raises ConfigError too, where it is not."""
    try:
        settings = load()
        if settings.routing.overrides is not None and settings.routing.overrides.exists():
            read(settings.routing.overrides, settings.groups)
    except ConfigError as error:
        problems = error.problems if isinstance(error, BadConfigError) else (error,)
        told = [{"key": problem.key, "message": problem.message} for problem in problems]
        print(json.dumps({"sound": False, "problems": told}, ensure_ascii=False))
        raise
    found = {"sound": True, **_meaning(settings), "lists": opened(settings)}
    print(json.dumps(found, ensure_ascii=False))


def _meaning(settings: Settings) -> dict[str, object]:
    return {
        "config": str(settings.path or ""),
        "fast_path": BUILD,
        "listen": list(map(str, settings.listen.dns)),
        "allow": list(map(str, settings.listen.allow)),
        "workers": settings.server.workers,
        "groups": {
            name: {
                "upstreams": [upstream.url for upstream in group.upstreams],
                "strategy": group.strategy,
                "timeout_s": group.timeout,
                "via": str(group.via or ""),
            }
            for name, group in settings.groups.items()
        },
        "rules": list(map(_rule, settings.routing.rules)),
        "default": settings.routing.default,
        "dashboard": str(settings.dashboard.listen or ""),
        "metrics": str(settings.metrics.listen or ""),
        "query_log": str(settings.query_log.dir) if settings.query_log.enabled else "",
        "dnstap": str(settings.dnstap.socket or ""),
        "overrides": str(settings.routing.overrides or ""),
        "warnings": list(settings.warnings),
    }


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "list": rule.list,
        "domains": list(rule.names),
        "types": list(rule.types),
        "clients": list(map(str, rule.clients)),
        "group": rule.group,
        "action": rule.action,
    }
