"""Options of a server as values."""

from __future__ import annotations

import pytest

from phraseproof.errors import UsageError
from phraseproof.models.openai.server_settings import ServerSettings, read_settings
from phraseproof.models.price import Price


def test_every_option_is_read() -> None:
    args = {
        "base_url": "http://localhost:1/v1/",
        "api_key_env": "KEY",
        "timeout_s": "7",
        "retries": "2",
        "concurrency": "9",
        "max_requests": "100",
        "max_cost": "1.5",
        "price_per_million": "0.15,0.6",
    }
    expected = ServerSettings(
        "http://localhost:1/v1", "KEY", 7, 2, 9, max_requests=100, max_cost=1.5, price=Price(0.15, 0.6)
    )
    assert read_settings(args, batch_size=3) == expected
    assert read_settings({"base_url": "http://h"}, batch_size=3).concurrency == 3
    batches = {
        "batch_api": "True",
        "batch_share": "0.5",
        "batch_mb": "100",
        "batch_poll_s": "2.5",
        "batch_requests": "7",
    }
    found = read_settings(batches)
    assert (found.is_batched, found.batch_share, found.batch_bytes) == (True, 0.5, 100_000_000)
    assert (found.batch_poll_s, found.batch_requests) == (2.5, 7)
    plain = read_settings({})
    assert (plain.is_batched, plain.batch_share, plain.batch_bytes, plain.batch_requests) == (
        False,
        1,
        2 * 10**8,
        50_000,
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"max_cost": "1"}, "--max-cost requires --price-per-million"),
        ({"max_cost": "-1", "price_per_million": "1,1"}, "max_cost: not an amount"),
        ({"max_cost": "nan", "price_per_million": "1,1"}, "max_cost: not an amount"),
        ({"price_per_million": "1"}, "price_per_million: not a price"),
        ({"price_per_million": "1,x"}, "price_per_million: not an amount"),
        ({"max_requests": "0"}, "max_requests"),
        ({"batch_api": "yes"}, "batch_api: neither true nor false"),
        ({"batch_share": "-1"}, "batch_share: not an amount"),
        ({"batch_requests": "0"}, "batch_requests"),
        ({"base_url": "http://user:secret@host"}, "holds a user name or password"),
        ({"base_url": "localhost"}, "not an address"),
    ],
)
def test_wrong_values_are_named(args: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read_settings(args)
    assert "secret" not in str(caught.value)
