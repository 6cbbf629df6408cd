"""Whether an upstream is down, as the log tells it: a line when it goes, one when it is back, and few of both."""

from __future__ import annotations

import math

import structlog

from smartdoh.errors import BadCertificate

QUIET = 60.0  # seconds after a line that it is down in which there is no other

_log = structlog.get_logger()


class Standing:
    """One upstream's. Times are in seconds of one monotonic clock.

    One that comes and goes is told of once a minute at most, with how often it went and came back unmentioned; one that
    stays down is told of at its next failure after that.
    """

    __slots__ = ("_about", "_failing_since", "_is_told", "_told_at", "_unmentioned", "_was_down")

    def __init__(self, upstream: str, group: str = "") -> None:
        self._about = {"group": group, "upstream": upstream} if group else {"upstream": upstream}
        self._failing_since: float | None = None
        self._was_down = False
        self._is_told = False
        self._told_at = -math.inf
        self._unmentioned = 0

    def failed(self, now: float, kind: str, why: str, rest_until: float = 0.0) -> None:
        """It was of no use once more; it counts as down where it rests until later than `now`, or could not prove who
        it is: that is told of at once."""
        if self._failing_since is None:
            self._failing_since = now
        if rest_until <= now and kind != BadCertificate.kind:
            return
        self._was_down = True
        if self._is_told or now - self._told_at < QUIET:
            return
        self._is_told, self._told_at = True, now
        unmentioned, self._unmentioned = self._unmentioned, 0
        _log.warning(
            "upstream down",
            **self._about,
            kind=kind,
            reason=why,
            failing_s=round(now - self._failing_since, 1),
            rests_s=round(max(0.0, rest_until - now), 1),
            **({"times_before": unmentioned} if unmentioned else {}),
        )

    def answered(self, now: float) -> None:
        """It answers."""
        since, self._failing_since = self._failing_since, None
        if since is None:
            return
        if self._is_told:
            self._is_told = False
            _log.info("upstream up", **self._about, down_s=round(now - since, 1))
        else:
            self._unmentioned += self._was_down
        self._was_down = False
