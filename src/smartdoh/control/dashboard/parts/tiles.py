"""The large numbers at the head of a page."""

from __future__ import annotations

from nicegui import ui


class Tile:
    """One number with its name above it and a word below."""

    def __init__(self, label: str, value: str = "–", note: str = "") -> None:
        with ui.element("div").classes("tile"):
            ui.label(label).classes("tile-name")
            self._value = ui.label(value).classes("tile-value")
            self._note = ui.label(note).classes("tile-note")

    def show(self, value: str, note: str = "", tone: str = "") -> None:
        """Another number; `tone` is good, warn or bad."""
        if value != self._value.text:
            self._value.set_text(value)
        if note != self._note.text:
            self._note.set_text(note)
        wanted = [f"is-{tone}"] if tone else []
        if [name for name in self._value.classes if name.startswith("is-")] != wanted:
            self._value.classes(remove="is-good is-warn is-bad", add=" ".join(wanted))
