"""How often one visitor may ask: limits in memory, per invitation and per address."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from phraseproof.collect.web.security import RefusedRequest

PER_INVITATION = 300
"""Requests per minute of one invitation: each pause while writing is one."""
PER_ADDRESS = 1_200
"""Requests per minute by visitors who have not entered, from one address, which a whole office may share."""
WRONG_LINKS = 20
"""Links per minute that are not valid, from one address."""


class RequestRates:
    """Counts requests, and refuses those above a limit.

    Args:
        scale: a factor of all limits; tests change it.
    """

    def __init__(self, *, scale: float = 1.0) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._items = {
            name: RateLimitItemPerMinute(max(1, round(count * scale)), namespace=name)
            for name, count in (("invitation", PER_INVITATION), ("address", PER_ADDRESS), ("link", WRONG_LINKS))
        }

    def count(self, kind: str, who: str) -> None:
        """Count one request: `kind` is `invitation`, `address` or `link`.

        Raises:
            RefusedRequest: there were too many in the last minute.
        """
        if not self._limiter.hit(self._items[kind], who):
            raise RefusedRequest(429, "rate")

    def require_room(self, kind: str, who: str) -> None:
        """Refuse, without counting, what is above the limit. Raises as `count` does."""
        if not self._limiter.test(self._items[kind], who):
            raise RefusedRequest(429, "rate")
