"""The dnstap output of the writer process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smartdoh import __version__
from smartdoh.app.dnstap.collector import Collector
from smartdoh.app.dnstap.messages import Encoder
from smartdoh.app.questions.log.privacy import Excluded, Privacy
from smartdoh.app.workers.plainlog import PlainLog
from smartdoh.fastpath.packed import Packed

TELL_EVERY = 60.0  # seconds between two lines on what is lost


@dataclass(frozen=True, slots=True)
class DnstapSettings:
    """Where messages go, and what they tell."""

    path: str
    identity: str
    privacy: Privacy
    exclude: tuple[str, ...]


class Dnstap:
    """Gives every record to the collector's thread, and tells now and then what that had to drop."""

    def __init__(self, settings: DnstapSettings, log: PlainLog) -> None:
        version = f"smartdoh {__version__}"
        encoder = Encoder(settings.identity, version, settings.privacy, Excluded(settings.exclude))
        self._log = log
        self._collector = Collector(Path(settings.path), encoder.payload, self._say)
        self._lost_before = 0  # on the way to the writer
        self._told = 0
        self._next = 0.0

    def take(self, records: list[Packed], ahead: float, lost: int) -> None:
        """As in Output."""
        self._lost_before += lost
        self._collector.take(records, ahead)

    def tick(self, now: float, wall: float) -> None:
        """As in Output."""
        lost = self._lost_before + self._collector.lost
        if lost > self._told and now >= self._next:
            self._log.warning("questions are not in the dnstap output", lost=lost - self._told)
            self._told, self._next = lost, now + TELL_EVERY

    def close(self, wall: float) -> None:
        """As in Output."""
        self._collector.close()

    def _say(self, what: str, why: str, *, is_well: bool) -> None:
        tell = self._log.info if is_well else self._log.warning
        tell(what, collector=why)
