"""What comes up before the tables: a text to read, or a question to say yes or no to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

HELP = """\
What you see
  questions         how many are asked a second now, and in the minutes that are counted
  from the cache    the share that memory or disk answered, of all that they could have
  others waited     how long clients waited for what was not in memory
  outcomes          hit: from memory or disk · stale: the same, and being fetched again · miss: fetched
                    blocked: by a rule or list · local: answered here · refused: may not ask · failed

Keys
  Tab, Shift+Tab    the next table, the one before; 1 to 5: that one; arrows: a row
  Enter             why the name gets its answer: the rule, the list and its line, what is kept
  b, a              block or allow the name and all below it, from now on (asks first; in overrides.json)
  f                 forget what is kept of the name, so that it is fetched anew
  r, w              let the upstream rest for ten minutes, or wake it (in the table of upstreams)
  /                 show only rows with these words; Escape: all again
  p                 pause, and go on
  t                 light or dark
  q                 quit

What you see costs the proxy nothing once nobody looks. Counting begins when somebody does."""


class Dialog(ModalScreen[bool]):
    """A text that stays until a key is pressed; for a question, y means yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "close(True)", "Yes"),
        Binding("n,escape,enter,q,question_mark", "close(False)", "Close"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """The text, which can be scrolled."""
        with VerticalScroll() as scroll:
            scroll.border_title = Content(self._title)  # a text would be read as markup
            scroll.border_subtitle = "y: yes · n: no" if self._title.endswith("?") else "Escape: close"
            yield Static(self._text, markup=False)

    def action_close(self, answer: bool) -> None:
        """Close, with what was said."""
        self.dismiss(answer)
