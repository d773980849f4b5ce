"""How a server is reached, and how much may be requested of it: from the provider's options."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from phraseproof.errors import UsageError
from phraseproof.models.options import positive_int
from phraseproof.models.price import Price

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"

NATIVE_GENERATE = "/generate"
"""SGLang's own endpoint, which is not below `/v1` as those of OpenAI's protocol are."""

SETTING_NAMES = (
    "api_key_env",
    "base_url",
    "batch_api",
    "batch_share",
    "batch_mb",
    "batch_poll_s",
    "batch_requests",
    "concurrency",
    "max_cost",
    "max_requests",
    "price_per_million",
    "retries",
    "timeout_s",
)
"""The names of `--model-arg` that this module reads."""


class ServerSettings(NamedTuple):
    """How a server is reached.

    Attributes:
        base_url: everything before `/chat/completions`.
        key_variable: the environment variable that holds the key; none is sent where it is not set.
        timeout_s: seconds within which one answer must be complete.
        retries: how often a request is repeated after a time-out, a lost connection or 5xx. A request that was refused
            because the server is busy is repeated more often, as long as the server answers others.
        concurrency: the largest number of simultaneous requests; fewer are sent to a server that is busy.
        first_wait_s: the longest wait before the first repetition; doubled for each further one, up to a minute.
        max_requests: how many requests may be sent, repetitions included; `None` sets no limit.
        max_cost: how much the answers may cost, in the currency of `price`; `None` sets no limit.
        price: what tokens cost; required by `max_cost`.
        is_batched: whether a run's requests go to the batch API.
        batch_share: what a batch costs as a share of `price`.
        batch_requests: the maximum number of requests of a batch.
        batch_bytes: the maximum size of a batch's file of requests.
        batch_poll_s: the longest time between two questions for a batch's state.
    """

    base_url: str = DEFAULT_BASE_URL
    key_variable: str = DEFAULT_KEY_VARIABLE
    timeout_s: float = 120.0
    retries: int = 5
    concurrency: int = 32
    first_wait_s: float = 1.0
    max_requests: int | None = None
    max_cost: float | None = None
    price: Price | None = None
    is_batched: bool = False
    batch_share: float = 1.0
    batch_requests: int = 50_000
    batch_bytes: int = 200_000_000
    batch_poll_s: float = 60.0

    def address(self, path: str) -> str:
        """The address of an endpoint."""
        return (self.base_url.removesuffix("/v1") if path == NATIVE_GENERATE else self.base_url) + path


def read_settings(args: Mapping[str, str], *, batch_size: int | None = None) -> ServerSettings:
    """The settings that `--model-arg` gives.

    Args:
        args: the provider's options; those that are not in `SETTING_NAMES` are ignored.
        batch_size: of `--batch-size`: the default of `concurrency`.

    Raises:
        UsageError: a value cannot be read, or a limit of cost lacks a price.
    """
    plain = ServerSettings()
    counts = {name: positive_int(args[name], name=name) for name in _COUNTS if name in args}
    price = _price(args["price_per_million"]) if "price_per_million" in args else None
    max_cost = _amount(args["max_cost"], "max_cost") if "max_cost" in args else None
    if max_cost is not None and price is None:
        raise UsageError(
            "--max-cost requires --price-per-million",
            hint="Give the prices of a million input and output tokens, as in --price-per-million 0.15,0.60",
        )
    return ServerSettings(
        base_url=_address(args.get("base_url") or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL),
        key_variable=args.get("api_key_env", DEFAULT_KEY_VARIABLE),
        timeout_s=counts.get("timeout_s", plain.timeout_s),
        retries=counts.get("retries", plain.retries),
        concurrency=counts.get("concurrency", batch_size or plain.concurrency),
        max_requests=counts.get("max_requests"),
        max_cost=max_cost,
        price=price,
        is_batched=_switch(args.get("batch_api", "false"), "batch_api"),
        batch_share=_amount(args["batch_share"], "batch_share") if "batch_share" in args else 1.0,
        batch_requests=counts.get("batch_requests", plain.batch_requests),
        batch_bytes=1_000_000 * counts["batch_mb"] if "batch_mb" in counts else plain.batch_bytes,
        batch_poll_s=_amount(args["batch_poll_s"], "batch_poll_s") if "batch_poll_s" in args else plain.batch_poll_s,
    )


_COUNTS = ("timeout_s", "retries", "concurrency", "max_requests", "batch_requests", "batch_mb")


def _switch(text: str, name: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise UsageError("neither true nor false", got=text, where=_where(name))
    return text.lower() == "true"


def _price(text: str) -> Price:
    """Two prices separated by a comma, as in `0.15,0.60`."""
    parts = text.split(",")
    if len(parts) != 2:
        raise UsageError(
            "not a price", expected="two prices, as in 0.15,0.60", got=text, where=_where("price_per_million")
        )
    return Price(*(_amount(part, "price_per_million") for part in parts))


def _amount(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError("not an amount", expected="a number of zero or more", got=text.strip(), where=_where(name))
    return number


def _where(name: str) -> str:
    return f"--model-arg {name}"


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        secret = bool(parts.username or parts.password)
    except ValueError:
        usable = secret = False
    if secret:  # not repeated: it holds a password
        raise UsageError(
            "the server's address holds a user name or password",
            where="--model-arg base_url",
            hint=f"Put the key into the environment variable {DEFAULT_KEY_VARIABLE}, which is never stored",
        )
    if not usable:
        raise UsageError(
            "not an address of a server",
            expected="such as http://localhost:8000/v1",
            got=text,
            where="--model-arg base_url",
        )
    return text.rstrip("/")
