"""The tree of errors."""

from __future__ import annotations


class SmartDohError(Exception):
    """Anything that smartdoh raises on purpose."""


class ConfigError(SmartDohError):
    """The config cannot be used; `key` says where, `message` what is wrong and what is allowed."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key
        self.message = message
