"""How much one upstream may be asked: requests in flight and requests a second, both learnt from its refusals.

Public resolvers limit each client and say so with HTTP 429 or 503. A budget starts without a rate, halves on a
refusal what was being sent, and grows back slowly. It knows nothing of health: a refusal is no illness.
"""

from __future__ import annotations

import math

SHRINK = 0.5
GROWTH = 1.1  # a second without a refusal
PAUSE_BETWEEN_CUTS = 1.0  # seconds: the refusals of one burst are one refusal
MIN_RATE = 2.0  # requests a second
LEAST_SEEN = (
    40.0  # requests a second that count as sent where there were fewer: one refusal is no reason to crawl
)
LEAST_SEEN_IN_FLIGHT = 8.0
FORGET_AFTER = 60.0  # seconds without a refusal after which there is no rate any more
FEW_MILLISECONDS = 0.02  # seconds a request may be paced by before another upstream is the better choice
BURST = 0.1  # seconds' worth of the rate that may go at once


class Budget:
    """Requests that one upstream may get. Times are in seconds of one monotonic clock."""

    def __init__(self, max_in_flight: int) -> None:
        self._max = float(max_in_flight)
        self.limit = self._max
        self.rate = math.inf
        self.in_flight = 0
        self.blocked_until = -math.inf
        self._tokens = 0.0
        self._refilled_at = 0.0
        self._cut_at = -math.inf
        self._grown_at = 0.0
        self._second, self._sent, self._sent_before = 0, 0, 0

    def is_short(self, now: float) -> bool:
        """Whether the upstream has lately said that it is asked too much: no time for hedges."""
        return now - max(self._cut_at, self.blocked_until) <= FORGET_AFTER

    def wait(self, now: float) -> float:
        """Seconds until one more request may go: 0.0 now, infinity if only an answer can make room."""
        if self.rate < math.inf or self.limit < self._max:
            self._grow(now)
        if self.in_flight >= self.limit:
            return math.inf
        if self.rate == math.inf:
            return 0.0
        self._refill(now)
        blocked = max(0.0, self._refilled_at - now)
        return blocked if self._tokens >= 1 else blocked + (1 - self._tokens) / self.rate

    def take(self, now: float) -> None:
        """A request goes. One that is paced takes its token in advance, so that the next waits longer."""
        self.in_flight += 1
        second = int(now)
        if second != self._second:
            self._sent_before = self._sent if second == self._second + 1 else 0
            self._second, self._sent = second, 0
        self._sent += 1
        if self.rate < math.inf:
            self._tokens -= 1

    def give_back(self) -> None:
        """A request ended, however it did."""
        self.in_flight -= 1

    def refused(self, now: float, retry_after: float) -> None:
        """HTTP 429 or 503 came: send half as much, and nothing for `retry_after` seconds."""
        self.blocked_until = max(self.blocked_until, now + retry_after)
        if now - self._cut_at >= PAUSE_BETWEEN_CUTS:
            self._cut(now)
        self._refilled_at = max(self._refilled_at, self.blocked_until)  # nothing is saved up meanwhile
        self._grown_at = max(self._grown_at, self.blocked_until)

    def _cut(self, now: float) -> None:
        self._cut_at = self._grown_at = now
        seen = max(LEAST_SEEN, self._sent, self._sent_before)
        self.rate = max(MIN_RATE, min(self.rate, seen) * SHRINK)
        in_flight = max(LEAST_SEEN_IN_FLIGHT, self.in_flight + 1.0)
        self.limit = max(1.0, min(self.limit, in_flight) * SHRINK)
        self._tokens, self._refilled_at = min(self._tokens, 0.0), now

    def _grow(self, now: float) -> None:
        if not self.is_short(now):
            self.rate, self.limit = math.inf, self._max
            return
        steps = int(now - self._grown_at)
        if steps > 0:
            self._grown_at += steps
            self.rate = (self.rate + steps) * GROWTH**steps
            self.limit = min(self._max, (self.limit + steps) * GROWTH**steps)

    def _refill(self, now: float) -> None:
        if now > self._refilled_at:
            most = max(1.0, self.rate * BURST)
            self._tokens = min(most, self._tokens + (now - self._refilled_at) * self.rate)
            self._refilled_at = now
