"""Which language and which theme a browser gets: what was chosen in it, else what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from smartdoh.control.dashboard.texts import LANGUAGES

Theme = Literal["auto", "light", "dark"]

LANGUAGE_COOKIE = "smartdoh_language"
THEME_COOKIE = "smartdoh_theme"
DEFAULT = "en"
MOST_ASKED = 20  # languages of a header that are looked at


def language_of(headers: Mapping[str, str], cookies: Mapping[str, str]) -> str:
    """One of LANGUAGES."""
    chosen = cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return asked_for(headers.get("accept-language", ""))


def asked_for(header: str) -> str:
    """The best of ours for an Accept-Language (RFC 9110 section 12.5.4)."""
    wanted: list[tuple[float, int, str]] = []
    for part in header.split(",")[:MOST_ASKED]:
        tag, _, quality = part.strip().partition(";q=")
        wanted.append((-_quality(quality), len(wanted), tag.strip().lower().partition("-")[0]))
    for weight, _, tag in sorted(wanted):
        if weight and tag in LANGUAGES:
            return tag
    return DEFAULT


def theme_of(chosen: str | None) -> Theme:
    """The theme that a browser has chosen."""
    if chosen == "light":
        return "light"
    return "dark" if chosen == "dark" else "auto"


def _quality(text: str) -> float:
    try:
        return max(0.0, min(1.0, float(text))) if text else 1.0
    except ValueError:
        return 0.0
