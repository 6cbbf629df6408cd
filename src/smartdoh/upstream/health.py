"""What is known of an upstream's speed and health: smoothed latency, its 95th percentile, rests with growing pauses."""

from __future__ import annotations

from collections import deque

SMOOTHING = 1 / 8  # of a new sample, as in TCP's round-trip estimate (RFC 6298 section 2)
SAMPLES = 64  # latencies the percentile is taken of
RECOUNT = 16  # samples after which it is taken again
P95 = 0.95
UNKNOWN_LATENCY = 0.05  # seconds, for an upstream that was never heard of: good enough to be tried
UNKNOWN_P95 = 0.3  # seconds
FAILURES_TO_REST = 2
FIRST_REST = 1.0  # seconds
LONGEST_REST = 60.0  # seconds; RFC 2308 section 7.2 allows five minutes
PROBE = 3.0  # seconds that a probe may take before there is another
STALLED = 0.3  # seconds of silence, at least, while requests wait


class Health:
    """Latency and failures of one upstream. Times are in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.latency = UNKNOWN_LATENCY
        self.p95 = UNKNOWN_P95
        self.failures = 0  # in a row
        self.rest_until = 0.0
        self.put_aside_until = 0.0  # by a person: asked while nobody else does well
        self.is_barred = False  # a loop: asked when nobody else is left, to say so
        self._samples: deque[float] = deque(maxlen=SAMPLES)
        self._since_count = 0
        self._is_probed = False
        self._waiting = 0
        self._silent_since = 0.0

    @property
    def is_known(self) -> bool:
        """Whether it has ever answered."""
        return bool(self._samples)

    def asked(self, now: float) -> None:
        """A request went. The first after a rest is a probe; until it ends, none is due."""
        if self._waiting == 0:
            self._silent_since = now
        self._waiting += 1
        if self.failures >= FAILURES_TO_REST and now >= self.rest_until:
            self._is_probed = True
            self.rest_until = now + PROBE

    def answered(self, now: float, latency: float) -> None:
        """A valid answer came after `latency` seconds."""
        self._ended(now)
        self.failures = 0
        self.rest_until = 0.0
        self._is_probed = False
        samples = self._samples
        self.latency = self.latency + (latency - self.latency) * SMOOTHING if samples else latency
        samples.append(latency)
        self._since_count += 1
        if self._since_count >= RECOUNT:
            self._since_count = 0
            self.p95 = sorted(samples)[int(len(samples) * P95)]

    def failed(self, now: float) -> bool:
        """No valid answer came; whether that is news. From the second time in a row on it rests: 1 s, 2 s, ... 60 s."""
        self._ended(now)
        return self.contradicted(now)

    def contradicted(self, now: float) -> bool:
        """It was of no use; as `failed`, where the request has ended before: SERVFAIL that another knew better."""
        if now < self.rest_until and not self._is_probed:
            return False  # asked before it went to rest
        self._is_probed = False
        self.failures += 1
        if self.failures >= FAILURES_TO_REST:
            exponent = min(self.failures - FAILURES_TO_REST, 10)
            self.rest_until = now + min(LONGEST_REST, FIRST_REST * 2**exponent)
        return True

    def forgive(self, now: float) -> None:
        """The way to it is another: what failed before says nothing, and it is tried again at once."""
        self.failures = 0
        self.rest_until = 0.0
        self._is_probed = False
        self._silent_since = now

    def is_put_aside(self, now: float) -> bool:
        """Whether a person wants it to rest."""
        return now < self.put_aside_until

    def ended(self, now: float) -> None:
        """A request ended in a way that says nothing of health."""
        self._ended(now)

    def is_due(self, now: float) -> bool:
        """Whether it has rested long enough to be tried again."""
        return self.failures >= FAILURES_TO_REST and now >= self.rest_until and not self.is_barred

    def is_doubtful(self, now: float) -> bool:
        """Whether others are the better choice: it rests or has not shown yet that it is back, or is silent."""
        if self.failures >= FAILURES_TO_REST or self.is_barred or now < self.put_aside_until:
            return True
        return self._waiting > 0 and now - self._silent_since > max(STALLED, 4 * self.p95)

    def _ended(self, now: float) -> None:
        self._waiting -= 1
        self._silent_since = now
