"""Where the writer process puts what was asked.

Another output joins like this: a class with the three verbs of `Output`, a dataclass of its settings that JSON can
hold, a line in `OUTPUTS` that makes it of them, and a line in `questions.writing.wanted_outputs` that says from which
part of the config its settings come. It then gets every record that there is, in the order of time, in the writer's
only thread: what takes long there makes the others lose records, so it sends without waiting and drops what finds no
room. It is imported when it is wanted, so that nobody pays for what is off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from smartdoh.app.ledger import Leaves
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.fastpath.packed import Packed


class Output(Protocol):
    """Takes what was asked. Nothing that goes wrong outside may raise."""

    def take(self, records: list[Packed], ahead: float, lost: int) -> None:
        """Some records, the oldest first; `ahead` is how far the time of day is ahead of their clock, in seconds.

        `lost` were lost on the way here. Clients are whole: who writes them down looks at `privacy`.
        """

    def tick(self, now: float, wall: float) -> None:
        """Called a few times a second: `now` by a clock that never goes back, `wall` the time of day, in seconds."""

    def close(self, wall: float) -> None:
        """Write what is left: there comes no more."""


@runtime_checkable
class TakesLeaves(Protocol):
    """An output that also takes what the ledgers count."""

    def take_leaves(self, leaves: list[Leaves], lost: int) -> None:
        """What one of them counted since the last time; for `lost` requests it had no room."""


def _lines(settings: Mapping[str, Any], log: PlainLog) -> Output:
    from smartdoh.app.questions.log.lines import Lines, LinesSettings  # noqa: PLC0415 - if it is wanted

    return Lines(LinesSettings(**{**settings, "exclude": tuple(settings["exclude"])}), log)


def _ledger(settings: Mapping[str, Any], log: PlainLog) -> Output:
    from smartdoh.app.leaks.output import LedgerSettings, LedgerTable  # noqa: PLC0415 - if it is wanted

    return LedgerTable(LedgerSettings(**{**settings, "exclude": tuple(settings["exclude"])}), log)


def _dnstap(settings: Mapping[str, Any], log: PlainLog) -> Output:
    from smartdoh.app.dnstap.output import Dnstap, DnstapSettings  # noqa: PLC0415 - if it is wanted

    return Dnstap(DnstapSettings(**{**settings, "exclude": tuple(settings["exclude"])}), log)


OUTPUTS: dict[str, Callable[[Mapping[str, Any], PlainLog], Output]] = {
    "lines": _lines,
    "ledger": _ledger,
    "dnstap": _dnstap,
}
"""What makes each kind of output, by the name that a plan has for it."""
