"""Runs against a chat server that fails: every row is right or failed with its reason; no answer is requested twice.

The two ways to read answers there, `first_token` and `generate`. An answer to another prompt cannot be noticed on chat,
because nothing of the prompt comes back.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import LimitReachedError, StoppedError
from phraseproof.models.openai import traffic
from phraseproof.store.queries import Run
from support.fault_server import Fault, FaultServer, serving, share_of
from support.parity_project import write_project
from support.served_rows import checked_rows, evaluate_served, of_run

EXAMPLES, WORDINGS = 6, 4
PROMPTS = EXAMPLES * WORDINGS
IN_FLIGHT = 8
READINGS = ("first_token", "generate")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "wait_s", lambda attempt, first_s, requested_s: requested_s + 0.002 * attempt)


def evaluate(project: Path, base_url: str, reading: str, **args: str) -> Run:
    """Score the task on the chat endpoint."""
    return evaluate_served(project, base_url, reading, "chat", **({"concurrency": str(IN_FLIGHT)} | args))


STORMS = {
    "429": [Fault("status", 429)],
    "429 with Retry-After": [Fault("status", 429, (("retry-after", "0.005"),))],
    "500": [Fault("status", 500)],
    "all of them": [
        Fault("status", 429),
        Fault("status", 503, (("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),)),
        Fault("status", 500),
        Fault("reset"),
        Fault("lost"),
        Fault("cut"),
        Fault("half"),
        Fault("body", change=lambda _: {"error": {"code": 503, "message": "busy"}}),
    ],
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("kind", list(STORMS))
def test_what_passes_changes_no_row_and_nothing_answered_is_sent_again(project: Path, reading: str, kind: str) -> None:
    kinds = STORMS[kind]

    def fault(text: str, attempt: int, number: int) -> Fault | None:
        return kinds[number % len(kinds)] if attempt <= 1 + 3 * share_of(text) else None

    with serving(FaultServer(fault)) as server:
        run = evaluate(project, server.base_url, reading)
    assert len(checked_rows(run)) == PROMPTS
    answered, sent = of_run(server.answered), of_run(server.requests)
    assert (len(answered), set(answered.values())) == (PROMPTS, {1})
    assert sum(sent.values()) > 2 * PROMPTS  # the faults did happen
    assert server.most_at_once <= IN_FLIGHT


def _changed(*path: str | int, to: object) -> Fault:
    """The right answer with another value at one place of its choice."""

    def change(answer: dict[str, Any]) -> object:
        place: Any = answer["choices"][0]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to
        return answer

    return Fault("body", change=change)


def _several(answer: dict[str, Any]) -> object:
    return {"choices": answer["choices"] * 2}


TOP = ("logprobs", "content", 0, "top_logprobs")
OF_BOTH = {
    "a bomb": (Fault("bomb"), "too large"),
    "a slow drip": (Fault("drip"), "did not answer within 1 s"),
    "duplicated choices": (Fault("body", change=_several), "several answers"),
    "another choice": (_changed("index", to=1), "another choice"),
    "a wrong shape": (Fault("body", change=lambda _: {"choices": "none"}), "not of OpenAI's protocol"),
    "a list": (Fault("body", change=lambda _: [1, 2]), "not of OpenAI's protocol"),
    "a choice that is a text": (Fault("body", change=lambda _: {"choices": ["even"]}), "not of OpenAI's protocol"),
    "nothing": (Fault("body", change=lambda _: None), "not of OpenAI's protocol"),
    "a refusal": (Fault("status", 400), "refuses the request"),
    "500 every time": (Fault("status", 500), "HTTP 500 .tried 2 times"),
    "half of the JSON every time": (Fault("half"), "not JSON"),
}
ROW_FAULTS = {
    "first_token": {
        "no log-probabilities": (_changed("logprobs", to=None), "does not list"),
        "an empty list": (_changed(*TOP, to=[]), "does not list"),
        "no number": (_changed(*TOP, 0, "logprob", to="x"), "is not a number"),
        "a missing number": (_changed(*TOP, 0, "logprob", to=None), "has no log-probability"),
        "not a number": (_changed(*TOP, 0, "logprob", to=math.nan), "is impossible"),
        "a positive number": (_changed(*TOP, 0, "logprob", to=3.5), "is impossible"),
        "more than certain": (_changed(*TOP, 1, "logprob", to=-0.01), "add up to"),
        "a token without a name": (_changed(*TOP, 0, "token", to=5), "name is not text"),
        "a thought": (_changed("message", "reasoning", to="Well"), "writes its thoughts"),
    },
    "generate": {
        "no message": (_changed("message", to=None), "holds no message"),
        "a number for a text": (_changed("message", "content", to=5), "content is not text"),
    },
}
CASES = [
    *((reading, kind) for reading in READINGS for kind in ROW_FAULTS[reading]),
    *((READINGS[number % 2], kind) for number, kind in enumerate(OF_BOTH)),
]


@pytest.mark.parametrize(("reading", "kind"), CASES)
def test_an_answer_that_cannot_be_used_fails_its_row_with_the_reason(project: Path, reading: str, kind: str) -> None:
    fault, reason = (OF_BOTH | ROW_FAULTS[reading])[kind]
    broken = "Wording 2: item 5"
    is_broken = True
    with serving(FaultServer(lambda text, *_: fault if is_broken and text == broken else None)) as server:
        run = evaluate(project, server.base_url, reading, retries="1", timeout_s="1" if kind == "a slow drip" else "20")
        (failure,) = run.failures
        assert failure.cell.instruction == "parities/w2"
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(failure.error)
        assert len(checked_rows(run)) == PROMPTS - EXAMPLES
        is_broken = False
        run = evaluate(project, server.base_url, reading)
    assert len(checked_rows(run)) == PROMPTS
    assert set(of_run(server.answered).values()) == {1}
    assert {text for text, count in of_run(server.requests).items() if count > 1} == {broken}


def _listed_again(answer: dict[str, Any]) -> object:
    listed = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    listed[:] = [*reversed(listed), *listed[:2]]
    return answer


def test_the_order_of_tokens_and_equal_copies_change_nothing(project: Path) -> None:
    with serving(FaultServer(lambda *_: Fault("body", change=_listed_again))) as server:
        assert len(checked_rows(evaluate(project, server.base_url, "first_token"))) == PROMPTS


@pytest.mark.parametrize(
    ("reading", "fault", "message"),
    [
        ("first_token", Fault("status", 401), "HTTP 401"),
        ("generate", Fault("status", 307, (("location", "http://127.0.0.1:9/v1"),)), "redirects .HTTP 307"),
        ("first_token", Fault("status", 429, (("retry-after", "7200"),)), "asks for a pause of 7,200 s"),
        ("generate", Fault("reset"), "the connection was lost.*tried 2 times"),
    ],
)
def test_a_server_that_ends_stops_the_run_in_one_line_and_it_continues(
    project: Path, reading: str, fault: Fault, message: str
) -> None:
    is_over = is_healed = False

    def failing(text: str, attempt: int, number: int) -> Fault | None:
        nonlocal is_over
        is_over = is_over or number > 15
        return fault if is_over and not is_healed else None

    with serving(FaultServer(failing)) as server:
        with pytest.raises(StoppedError, match=rf"{message}.* of {PROMPTS} prompts are stored in") as caught:
            evaluate(project, server.base_url, reading, retries="1")
        assert "\n" not in str(caught.value)
        is_healed = True
        run = evaluate(project, server.base_url, reading)
    assert len(checked_rows(run)) == PROMPTS
    assert set(of_run(server.answered).values()) == {1}


@pytest.mark.parametrize("reading", READINGS)
def test_a_limit_of_requests_stops_and_the_same_command_continues(project: Path, reading: str) -> None:
    with serving(FaultServer()) as server:
        with pytest.raises(LimitReachedError, match=rf"max-requests 20.* of {PROMPTS} prompts are stored"):
            evaluate(project, server.base_url, reading, max_requests="20")
        run = evaluate(project, server.base_url, reading)
    assert len(checked_rows(run)) == PROMPTS
    assert set(of_run(server.answered).values()) == {1}
