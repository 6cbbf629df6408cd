"""What is around every page: menu, title, the proxy's state, theme and language; and how pages speak to people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from nicegui import ui
from nicegui.client import Client
from nicegui.element import Element

from smartdoh.control.dashboard.desk import Desk
from smartdoh.control.dashboard.texts import LANGUAGES, text
from smartdoh.control.failures import NotRunningError, RefusedError
from smartdoh.errors import SmartDohError

T = TypeVar("T")

HEAD = (
    '<script src="/static/dashboard.js"></script><link rel="stylesheet" href="/static/dashboard.css">'
    '<link rel="icon" href="/static/icon.svg">'
)
NOTICE_SECONDS = 6

MENU = (  # path, key of its name, icon
    ("/", "overview", "space_dashboard"),
    ("/queries", "queries", "manage_search"),
    ("/upstreams", "upstreams", "dns"),
    ("/cache", "cache", "bolt"),
    ("/rules", "rules", "rule"),
    ("/settings", "settings", "settings"),
)


class Page:
    """One open page."""

    def __init__(self, desk: Desk, client: Client, name: str, language: str) -> None:
        self.desk = desk
        self.client = client
        self.name = name
        self.language = language

    def t(self, key: str, **values: object) -> str:
        """The text in this page's language."""
        return text(self.language, key, **values)

    def say(self, words: str, kind: str = "positive") -> None:
        """A notice, shown as text."""
        with self.client:
            ui.notify(words, type=kind, position="bottom-right", timeout=1000 * NOTICE_SECONDS)  # type: ignore[arg-type]

    async def tried(self, asked: Awaitable[T]) -> T | None:
        """What came of asking the proxy; None where it refused, which the person is told."""
        try:
            return await asked
        except (NotRunningError, RefusedError) as error:
            self.say(self.words_of(error), "negative")
            return None

    def words_of(self, error: SmartDohError) -> str:
        """An error for a person."""
        if isinstance(error, NotRunningError):
            return self.t("error.gone")
        return str(error)

    def live(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when there is something new, as long as the page is open."""
        feed, client = self.desk.feed, self.client
        key = object()

        def update() -> None:
            if client.has_socket_connection:
                with client:
                    listener()

        feed.add(key, update)
        client.on_delete(lambda: feed.remove(key))
        client.on_connect(update)

    @contextmanager
    def shell(self) -> Iterator[None]:
        """The frame; the page is built within."""
        ui.add_head_html(f'<script>document.documentElement.lang = "{self.language}"</script>{HEAD}')
        self.client.title = f"{self.t('nav.' + self.name)} · smartdoh"
        with ui.element("div").classes("shell"):
            self._menu()
            with ui.element("main").classes("main"):
                self._top()
                with ui.element("div").classes("body"):
                    yield

    def _menu(self) -> None:
        with named(ui.element("nav").classes("menu"), **{"aria-label": self.t("nav.menu")}):
            with ui.element("a").classes("brand").props('href="/"'):
                ui.element("img").props('src="/static/icon.svg" alt=""')
                text_of("span", "smartdoh")
            for path, name, icon in MENU:
                is_here = name == self.name
                with ui.element("a").classes("item here" if is_here else "item") as link:
                    link.props(f'href="{path}"' + (' aria-current="page"' if is_here else ""))
                    text_of("i", icon).classes("material-icons").props('aria-hidden="true"')
                    text_of("span", self.t(f"nav.{name}"))

    def _top(self) -> None:
        with ui.element("header").classes("top"):
            text_of("h1", self.t(f"nav.{self.name}"))
            with ui.element("span").classes("state").props('role="status"') as state:
                words = text_of("span", "").classes("words")
            self.live(lambda: self._state(state, words))
            other = next(code for code in LANGUAGES if code != self.language)
            _round(LANGUAGES[other], f"() => chooseLanguage('{other}')", LANGUAGES[other], "language")
            with _round("", "() => nextTheme()", self.t("frame.theme"), "theme"):
                text_of("i", "").classes("material-icons")
            if self.desk.secret.is_asked_for:
                with _round("", "() => leave()", self.t("frame.leave"), "leave"):
                    text_of("i", "logout").classes("material-icons")

    def _state(self, state: Element, words: Element) -> None:
        problem = self.desk.feed.problem
        is_gone = isinstance(problem, NotRunningError)
        said = self.t("frame.gone" if is_gone else "frame.answers")
        if words._text != said:
            set_text(words, said)
            state.classes(add="is-bad" if is_gone else "is-good", remove="is-good" if is_gone else "is-bad")


def text_of(tag: str, words: str) -> Element:
    """An element with text in it, escaped by the browser's side."""
    element = ui.element(tag)
    set_text(element, words)
    return element


def set_text(element: Element, words: str) -> None:
    """Other words in it."""
    element._text = words
    element.update()


def _round(words: str, handler: str, label: str, name: str) -> Element:
    found = named(
        ui.element("button").classes(f"round {name}"), type="button", title=label, **{"aria-label": label}
    )
    if words:
        set_text(found, words)
    found.on("click", js_handler=handler)
    return found


@contextmanager
def card(title: str, width: str = "", about: str = "") -> Iterator[None]:
    """A card with a heading; tables in it become cards of their own on narrow screens."""
    with ui.element("section").classes(f"card cards {width}"):
        with ui.element("div").classes("head"):
            text_of("h2", title)
            if about:
                text_of("span", about).classes("about")
        yield


def button(words: str, act: Callable[[], object], kind: str = "quiet") -> ui.button:
    """A button; `kind` is quiet, strong (the one thing to do) or danger."""
    return ui.button(words, on_click=act, color=None).props("unelevated no-caps").classes(kind)


def submit(words: str) -> ui.button:
    """The button of a form; Enter in a field does the same."""
    return ui.button(words, color=None).props("unelevated no-caps type=submit").classes("strong")


def named(element: Element, **attributes: str) -> Element:
    """The element with attributes of any text."""
    element._props.update(attributes)
    return element


def help_text(words: str, tone: str = "") -> Element:
    """What to do where there is nothing to see."""
    with ui.element("div").classes(f"help {tone}").props('role="note"') as box:
        text_of("span", words).classes("words")
    return box


def facts(pairs: list[tuple[str, str]]) -> None:
    """Names with what they are."""
    with ui.element("dl").classes("facts"):
        for name, value in pairs:
            text_of("dt", name)
            text_of("dd", value)
