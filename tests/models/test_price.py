"""What tokens cost."""

from __future__ import annotations

import pytest

from phraseproof.models.price import Price


def test_prices_are_for_a_million_tokens() -> None:
    assert Price(0.15, 0.6).of(2_000_000, 500_000) == pytest.approx(0.3 + 0.3)


def test_batches_cost_a_share_of_the_price() -> None:
    assert Price(4.0, 8.0, 0.5).in_batches == Price(2.0, 4.0)
    assert Price(4.0, 8.0).in_batches == Price(4.0, 8.0)
