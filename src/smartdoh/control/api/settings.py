"""The running config as the API shows it: plain values, without what nobody but its owner should read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from smartdoh.config import ProxyUrl, Settings
from smartdoh.control.api.shapes import SettingsShown

HIDDEN = "***"
BESIDES = ("path", "warnings")  # of Settings: about the config, and not in it


def shown(settings: Settings) -> SettingsShown:
    """All of it, by table and key."""
    fields = _plain(settings)
    for name in BESIDES:
        fields.pop(name)
    return SettingsShown(path=str(settings.path or ""), settings=fields, warnings=list(settings.warnings))


def _plain(value: Any) -> Any:
    """Text for what JSON does not know; what a dataclass keeps out of its repr is hidden."""
    if isinstance(value, ProxyUrl):
        return _without_password(value)
    if dataclasses.is_dataclass(value) and "__str__" not in type(value).__dict__:
        return {
            field.name: _plain(getattr(value, field.name)) if field.repr else HIDDEN
            for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _without_password(url: ProxyUrl) -> str:
    login, is_there, _ = url.url.partition("://")[2].rpartition("@")
    if not is_there:
        return str(url)
    user, has_password, _ = login.partition(":")
    return str(url).replace("://", f"://{user}{f':{HIDDEN}' if has_password else ''}@", 1)
