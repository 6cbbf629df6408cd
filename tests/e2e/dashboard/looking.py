"""A tab of the browser, with all that goes wrong in it written down."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import ConsoleMessage, Locator, Page, Request

from tests.e2e.waiting import until

PAGES = ("overview", "queries", "upstreams", "cache", "rules", "settings")
SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
SECONDS = 1000  # in Playwright's milliseconds
PATIENCE = 20 * SECONDS


class Looking:
    """What a person does at one tab, and what the browser says of it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._see)

    def open(self, name: str, query: str = "") -> None:
        """A page, until it is drawn and connected."""
        self.page.goto(f"{self.url}/{'' if name == 'overview' else name}{query}")
        self.page.locator("nav.menu a.here").wait_for()
        self.page.locator(".state.is-good").wait_for()

    def row(self, words: str) -> Locator:
        """The first row of a table with these words."""
        return self.page.locator(".rows tbody tr", has_text=words).first

    def search(self, words: str) -> None:
        """Search until a row with these words is there: the log is written some times a second."""

        def is_there() -> bool:
            self.button("Search").click()
            self.page.wait_for_timeout(200)
            return self.row(words).is_visible()

        until(is_there)

    def press(self, row: str, act: str) -> None:
        """A row's button."""
        self.row(row).locator(f".act-{act}").click()

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)

    def notice(self, words: str) -> None:
        """Wait until somebody is told this."""
        self.page.locator(".q-notification", has_text=words).first.wait_for()

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        found: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    def shoot(self, name: str) -> None:
        """Keep what is to be seen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    def check(self) -> None:
        assert not self.problems, "\n".join(self.problems)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.problems.append(f"asked elsewhere: {request.url}")
