"""Requests of one call: in flight, repeated, stopped."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import anyio
import httpx

from phraseproof.errors import LimitReachedError, ModelError, StoppedError
from phraseproof.models.openai.adaptive_limit import AdaptiveLimit
from phraseproof.models.openai.exchange import Exchange, ServerAnswer
from phraseproof.models.openai.server_settings import ServerSettings
from phraseproof.models.openai.spending import Spending
from phraseproof.models.openai.traffic import Traffic

GOOD = {"choices": [{"text": "A"}]}


def asked(
    answer: Callable[[int], httpx.Response], *, requests: int = 1, max_requests: int | None = None, **changes: Any
) -> tuple[list[ServerAnswer | ModelError], Traffic, list[int]]:
    """What some requests at once give, and how many were in flight at each of them."""
    settings = ServerSettings("http://server/v1", first_wait_s=0.001)._replace(**changes)
    inside, flights = 0, list[int]()

    async def handle(_: httpx.Request) -> httpx.Response:
        nonlocal inside
        inside += 1
        flights.append(inside)
        number = len(flights)
        await anyio.sleep(0.001)
        inside -= 1
        return answer(number)

    async def run() -> tuple[list[ServerAnswer | ModelError], Traffic]:
        found: list[ServerAnswer | ModelError] = []
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            limit = AdaptiveLimit(settings.concurrency, time_limit_s=settings.timeout_s)
            exchange = Exchange(client, settings, "")
            traffic = Traffic(exchange, settings, limit, Spending(max_requests=max_requests))

            async def one() -> None:
                with contextlib.suppress(StoppedError):
                    found.append(await traffic.ask("/completions", {}))

            async with anyio.create_task_group() as group:
                for _ in range(requests):
                    group.start_soon(one)
        return found, traffic

    return *anyio.run(run), flights


def reply(status: int, body: object = None, **headers: str) -> httpx.Response:
    content = httpx.ByteStream(json.dumps(body).encode())
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return httpx.Response(status, stream=content, headers=named)


def test_no_more_are_in_flight_than_allowed() -> None:
    found, _, flights = asked(lambda _: reply(200, GOOD), requests=200, concurrency=12)
    assert len(found) == len(flights) == 200
    assert flights[:4] == [1, 2, 3, 4]
    assert max(flights[:8]) <= 8
    assert 8 < max(flights) <= 12


def test_a_request_that_always_fails_gives_its_reason_and_the_others_go_on() -> None:
    found, traffic, flights = asked(lambda number: reply(500) if number < 4 else reply(200, GOOD), retries=2)
    assert [str(each) for each in found] == [
        "http://server/v1: the server answers with HTTP 500 (tried 3 times). The same command continues from there"
    ]
    assert (len(flights), traffic.stopped, traffic.failures) == (3, None, 1)


def test_refusals_of_a_busy_server_do_not_use_up_the_retries_of_a_living_one() -> None:
    found, _, flights = asked(
        lambda number: reply(200, GOOD) if number == 1 or number > 16 else reply(429), requests=3, retries=1
    )
    assert [each for each in found if isinstance(each, ModelError)] == []
    assert len(flights) > 16


def test_many_failures_in_a_row_stop_everything() -> None:
    found, traffic, flights = asked(lambda _: reply(500), requests=100, retries=0, concurrency=4)
    assert isinstance(traffic.stopped, StoppedError)
    assert 8 <= len(found) <= 12
    assert len(flights) <= 12


def test_a_refused_key_stops_at_once_and_what_is_in_flight_is_handed_over() -> None:
    found, traffic, flights = asked(
        lambda number: reply(401, {"error": "no"}) if number == 2 else reply(200, GOOD), requests=50, concurrency=4
    )
    assert "HTTP 401" in str(traffic.stopped)
    assert len(flights) <= 5
    assert len(found) == len(flights) - 1


def test_a_limit_of_requests_is_kept_exactly() -> None:
    found, traffic, flights = asked(lambda _: reply(200, GOOD), requests=50, max_requests=17)
    assert isinstance(traffic.stopped, LimitReachedError)
    assert len(found) == len(flights) == 17


def test_a_pause_holds_back_all_requests() -> None:
    times: list[float] = []

    def answer(number: int) -> httpx.Response:
        times.append(anyio.current_time())
        return reply(429, retry_after="0.3") if number == 1 else reply(200, GOOD)

    asked(answer, requests=30, concurrency=1)
    assert times[1] - times[0] >= 0.3
