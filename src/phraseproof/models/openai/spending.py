"""How many requests were sent and what they cost, and whether another one may be sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from phraseproof.errors import LimitReachedError
from phraseproof.models.price import Price

CHARACTERS_PER_TOKEN = 3.0
"""Assumed until the server reports numbers of tokens. A low number: costs are rather expected too high."""


class Spending:
    """Counts requests and cost of one command against its limits.

    Cost counts the tokens that the server reports, and the expected cost of requests that are in flight or were sent
    and lost. Where the server reports no tokens, it counts the expected ones.

    Args:
        max_requests: how many requests may be sent; `None` sets no limit.
        max_cost: what all answers may cost; `None` sets no limit.
        price: of tokens; without it nothing costs anything.
    """

    def __init__(
        self, *, max_requests: int | None = None, max_cost: float | None = None, price: Price | None = None
    ) -> None:
        self._max_requests = max_requests
        self._max_cost = max_cost
        self._price = price or Price(0.0, 0.0)
        self._characters_reported = 0
        self._input_tokens_reported = 0
        self._expected: dict[int, float] = {}
        self._next_ticket = 0
        self.requests = 0
        self.cost = 0.0
        """Of answers, and of requests whose answer was lost."""

    def take(self, body: Mapping[str, object], *, share: float = 1.0) -> int:
        """Count a request that is about to be sent; returns a ticket for `answered`, `lost` or `free`.

        Args:
            body: the request.
            share: of the price, which this request costs.

        Raises:
            LimitReachedError: it would exceed a limit.
        """
        if self._max_requests is not None and self.requests >= self._max_requests:
            raise LimitReachedError(f"stopped by --max-requests {self._max_requests:,}")
        expected = share * self._expected_cost(body)
        spent = self.cost + sum(self._expected.values())
        if self._max_cost is not None and spent + expected > self._max_cost:
            raise LimitReachedError(
                f"stopped by --max-cost {self._max_cost:g}: {self.cost:.4g} is spent, and another request may cost "
                f"{expected:.2g}"
            )
        self.requests += 1
        self._next_ticket += 1
        self._expected[self._next_ticket] = expected
        return self._next_ticket

    def answered(self, ticket: int | None, body: Mapping[str, object], usage: object, *, share: float = 1.0) -> None:
        """Count the cost of an answer by its section `usage`, if the server sends one.

        Args:
            ticket: of the request; `None` if an earlier command sent it.
            body: the request.
            usage: the section.
            share: of the price, which this request costs.
        """
        expected = share * self._expected_cost(body) if ticket is None else self._expected.pop(ticket)
        found = cast("Mapping[str, object]", usage) if isinstance(usage, Mapping) else {}
        read, written = _count(found.get("prompt_tokens")), _count(found.get("completion_tokens"))
        if read is None:
            self.cost += expected
            return
        self._characters_reported += _characters(body)
        self._input_tokens_reported += read
        self.cost += share * self._price.of(read, written or 0)

    def lost(self, ticket: int) -> None:
        """Count a request without an answer in full: its server may have computed it."""
        self.cost += self._expected.pop(ticket, 0.0)

    def free(self, ticket: int) -> None:
        """Count no cost for a request that the server refused."""
        self._expected.pop(ticket, None)

    def unsent(self, ticket: int) -> None:
        """Count a request as not sent: the server refused the batch that held it."""
        if self._expected.pop(ticket, None) is not None:
            self.requests -= 1

    def _expected_cost(self, body: Mapping[str, object]) -> float:
        if self._price == Price(0.0, 0.0):
            return 0.0
        count = _characters(body)
        per_token = CHARACTERS_PER_TOKEN
        if self._input_tokens_reported:
            per_token = self._characters_reported / self._input_tokens_reported
        most = body.get("max_tokens", body.get("max_completion_tokens"))
        return self._price.of(count / per_token, most if isinstance(most, int) else 0)


def _characters(body: Mapping[str, object]) -> int:
    prompt = body.get("prompt", body.get("messages", ""))
    return len(prompt) if isinstance(prompt, str) else len(json.dumps(prompt, ensure_ascii=False))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
