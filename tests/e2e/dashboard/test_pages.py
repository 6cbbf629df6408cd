"""Every page in light and dark, on a desk and on a telephone: drawn, whole, and from here alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.dashboard.conftest import SLOW, Shown
from tests.e2e.dashboard.looking import PAGES, Looking
from tests.servers.zone import full_name

SEEN = {  # on each page, once it has what it shows
    "overview": ".tile-value",
    "queries": ".rows tbody tr",
    "upstreams": ".rows tbody tr",
    "cache": ".tile-value",
    "rules": ".rows tbody tr",
    "settings": ".facts dd",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits(browser: Browser, shown: Shown, theme: str, width: int) -> None:
    """No sideways scrolling, no error in the console, nothing from elsewhere."""
    size = {"width": width, "height": 844 if width < 500 else 900}
    context = browser.new_context(
        viewport=size,  # type: ignore[arg-type]
        color_scheme=theme,  # type: ignore[arg-type]
        locale="en-US",
    )
    looking = Looking(context.new_page(), shown.url)
    for name in PAGES:
        looking.open(name, "?name=" + full_name("one") if name in ("cache", "rules") else "")
        looking.page.locator(SEEN[name]).first.wait_for()
        assert looking.page.evaluate("document.documentElement.dataset.theme") == theme
        assert looking.overflow() <= 0, name
        looking.shoot(f"{name}-{theme}-{width}")
    looking.check()
    context.close()


def test_the_overview_shows_who_asks_what_and_the_slowest_upstream(looking: Looking, shown: Shown) -> None:
    looking.open("overview")
    for _ in range(3):
        shown.ask(full_name("one"))
        shown.ask(full_name("ads"))
    expect(looking.row("one.smartdoh.example")).to_be_visible()
    expect(looking.row("127.0.0.1").first).to_be_visible()
    expect(looking.page.locator(".card", has_text="Most blocked").locator("tbody tr")).to_have_count(1)
    slowest = looking.page.locator("tr", has_text="slowest")
    expect(slowest).to_have_count(1)
    shown_ms = float(slowest.locator("td").nth(2).inner_text().split()[0])
    assert shown_ms >= 1000 * SLOW
    looking.page.locator(".card", has_text="Questions by outcome").locator("canvas").wait_for()


def test_it_speaks_the_browsers_language_and_the_chosen_one(browser: Browser, shown: Shown) -> None:
    context = browser.new_context(locale="zh-CN")
    looking = Looking(context.new_page(), shown.url)
    for name in PAGES:
        looking.open(name)
        looking.shoot(f"{name}-zh")
    looking.open("overview")
    expect(looking.page.locator("h1")).to_have_text("概览")
    looking.page.locator("button.language").click()
    expect(looking.page.locator("h1")).to_have_text("Overview")
    looking.open("cache")
    expect(looking.page.locator("h1")).to_have_text("Cache")
    assert looking.page.evaluate("document.documentElement.lang") == "en"
    looking.check()
    context.close()


def test_the_theme_can_be_chosen_and_stays(looking: Looking) -> None:
    looking.open("cache")
    theme = "document.documentElement.dataset.theme"
    looking.page.locator("button.theme").click()  # from automatic to light
    looking.page.locator("button.theme").click()
    assert looking.page.evaluate(theme) == "dark"
    looking.open("rules")
    assert looking.page.evaluate(theme) == "dark"


def test_the_menu_can_be_used_by_keyboard(looking: Looking) -> None:
    looking.open("overview")
    looking.page.keyboard.press("Tab")
    looking.page.keyboard.press("Tab")
    looking.page.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('href')"
    assert looking.page.evaluate(focused) == "/queries"
    width = looking.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "2px"
    looking.page.keyboard.press("Enter")
    expect(looking.page.locator("h1")).to_have_text("Queries")
