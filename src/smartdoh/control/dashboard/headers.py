"""What browsers are told that a page of ours may do: load from here alone, and be shown in no other page."""

from __future__ import annotations

import re
import secrets

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,261}")
_SCRIPT = re.compile(rb"<script(?=[\s>])")

COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # with none at all browsers send forms with the Origin "null"
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

PLAIN = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""For the log-in page, which has no scripts."""


def nonce() -> str:
    """A word that marks the scripts of one page as ours."""
    return secrets.token_urlsafe(18)


def policy(word: str, host: str) -> str:
    """The Content-Security-Policy of a page whose scripts have this nonce, at this Host.

    Vue compiles templates and NiceGUI its handlers in the browser, so 'unsafe-eval' stays; styles are set on elements.
    """
    sockets = (
        f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    )  # browsers for which 'self' is http alone
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{word}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; font-src 'self'; connect-src 'self'{sockets}; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def marked(page: bytes, word: str) -> bytes:
    """The page with the nonce on each of its scripts. What it shows of others' words has no bare `<`."""
    return _SCRIPT.sub(b'<script nonce="' + word.encode() + b'"', page)
