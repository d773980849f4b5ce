"""Runs against a server that fails: every row is right or failed with its reason, and no answer is requested twice."""

from __future__ import annotations

import math
import os
import random
import signal
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import LimitReachedError, StoppedError
from phraseproof.models.openai import traffic
from phraseproof.store.queries import Run, load_run
from support.command_line import Done, run_command
from support.fault_server import TOKEN, Fault, FaultServer, serving
from support.forked import fork_context
from support.parity_project import write_project
from support.served_rows import checked_rows, evaluate_served, of_run

EXAMPLES, WORDINGS = 8, 4
TEXTS = EXAMPLES * WORDINGS * 2
IN_FLIGHT = 8
KILLS = 15


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A run of 240 texts."""
    return write_project(tmp_path, examples=20, wordings=6)


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "wait_s", lambda attempt, first_s, requested_s: requested_s + 0.002 * attempt)


def evaluate(project: Path, base_url: str, **args: str) -> Run:
    """Score the task behind the server."""
    settings = {"concurrency": str(IN_FLIGHT)} | args
    return evaluate_served(project, base_url, "loglikelihood", "completions", **settings)


def share(text: str) -> float:
    """A number from 0 to 1 that follows from the text."""
    return zlib.crc32(text.encode()) / 2**32


STORMS = {
    "429": Fault("status", 429),
    "429 with Retry-After": Fault("status", 429, (("retry-after", "0.005"),)),
    "503 with a date": Fault("status", 503, (("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),)),
    "500": Fault("status", 500),
    "reset": Fault("reset"),
    "cut": Fault("cut"),
    "half of the JSON": Fault("half"),
}


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize("kind", [*STORMS, "all of them"])
def test_what_passes_changes_no_row_and_nothing_answered_is_sent_again(project: Path, kind: str) -> None:
    kinds = list(STORMS.values())

    def fault(text: str, attempt: int, number: int) -> Fault | None:
        if kind == "all of them":
            return kinds[number % len(kinds)] if attempt <= 1 + 3 * share(text) else None
        return STORMS[kind] if attempt <= 4 * share(text) else None

    with serving(FaultServer(fault)) as server:
        run = evaluate(project, server.base_url)
    assert not run.missing
    assert len(checked_rows(run)) == EXAMPLES * WORDINGS
    answered, sent = of_run(server.answered), of_run(server.requests)
    assert (len(answered), set(answered.values())) == (TEXTS, {1})
    assert sum(sent.values()) > 2 * TEXTS  # the faults did happen
    assert server.most_at_once <= IN_FLIGHT
    assert not (project / "run" / "answers.sqlite").exists()


def _without_logprobs(answer: dict[str, Any]) -> object:
    del answer["choices"][0]["logprobs"]
    return answer


def _with_logprob(value: object) -> Any:
    def change(answer: dict[str, Any]) -> object:
        answer["choices"][0]["logprobs"]["token_logprobs"][-2] = value
        return answer

    return change


def _duplicated(answer: dict[str, Any]) -> object:
    return {"choices": answer["choices"] * 2}


def _of_another_choice(answer: dict[str, Any]) -> object:
    answer["choices"][0]["index"] = 1
    return answer


def _of_another_prompt(answer: dict[str, Any]) -> object:
    answer["choices"][0]["logprobs"]["tokens"][1] = " 7:"
    return answer


ROW_FAULTS = {
    "a bomb": (Fault("bomb"), "too large"),
    "a slow drip": (Fault("drip"), "did not answer within 1 s"),
    "no log-probabilities": (Fault("body", change=_without_logprobs), "does not send the log-probabilities"),
    "a log-probability that is not a number": (Fault("body", change=_with_logprob(math.nan)), "is impossible"),
    "a positive log-probability": (Fault("body", change=_with_logprob(3.5)), "is impossible"),
    "a text for a log-probability": (Fault("body", change=_with_logprob("x")), "is not a number"),
    "duplicated choices": (Fault("body", change=_duplicated), "several answers"),
    "another choice": (Fault("body", change=_of_another_choice), "another choice"),
    "the answer to another prompt": (Fault("body", change=_of_another_prompt), "do not spell the prompt"),
    "a wrong shape": (Fault("body", change=lambda _: {"choices": "none"}), "not of OpenAI's protocol"),
    "a list": (Fault("body", change=lambda _: [1, 2]), "not of OpenAI's protocol"),
    "a refusal": (Fault("status", 400), "refuses the request"),
    "500 every time": (Fault("status", 500), "HTTP 500 .tried 2 times"),
}


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize("kind", list(ROW_FAULTS))
def test_an_answer_that_cannot_be_used_fails_its_row_with_the_reason(project: Path, kind: str) -> None:
    fault, reason = ROW_FAULTS[kind]
    broken = {"Wording 2: item 7 even", "Wording 3: item 3 odd"}
    is_broken = True
    server = FaultServer(lambda text, *_: fault if is_broken and text in broken else None)
    with serving(server):
        run = evaluate(project, server.base_url, retries="1", timeout_s="1" if kind == "a slow drip" else "20")
        assert {failure.cell.instruction for failure in run.failures} == {"parities/w2", "parities/w3"}
        for failure in run.failures:
            with pytest.raises(AssertionError, match=reason):
                raise AssertionError(failure.error)
        assert len(checked_rows(run)) == EXAMPLES * (WORDINGS - 2)
        is_broken = False
        run = evaluate(project, server.base_url)
    assert len(checked_rows(run)) == EXAMPLES * WORDINGS
    # Only the options that failed were sent again.
    assert set(of_run(server.answered).values()) == {1}
    twice = {text for text, count in of_run(server.requests).items() if count > 1}
    assert twice == broken


@pytest.mark.usefixtures("_short_waits")
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("status", 401), "HTTP 401"),
        (Fault("status", 307, (("location", "http://127.0.0.1:9/v1"),)), "redirects .HTTP 307"),
        (Fault("status", 429, (("retry-after", "7200"),)), "asks for a pause of 7,200 s"),
        (Fault("reset"), "the connection was lost.*tried 2 times"),
    ],
)
def test_a_server_that_ends_stops_the_run_in_one_line_and_it_continues(large: Path, fault: Fault, message: str) -> None:
    is_over = False

    def failing(text: str, attempt: int, number: int) -> Fault | None:
        nonlocal is_over
        is_over = is_over or (number > 100 and not is_healed)
        return fault if is_over and not is_healed else None

    is_healed = False
    with serving(FaultServer(failing)) as server:
        with pytest.raises(StoppedError, match=message) as caught:
            evaluate(large, server.base_url, retries="1")
        assert "\n" not in str(caught.value)
        assert "of 120 prompts are stored in" in str(caught.value)
        assert sum(server.requests.values()) <= 100 + 3 * IN_FLIGHT
        is_healed = True
        run = evaluate(large, server.base_url)
    assert len(checked_rows(run)) == 120
    assert set(of_run(server.answered).values()) == {1}


def test_a_limit_of_requests_stops_and_the_same_command_continues(large: Path) -> None:
    with serving(FaultServer()) as server:
        for step in range(1, 6):
            with pytest.raises(LimitReachedError, match=r"max-requests 50.* of 120 prompts are stored") as caught:
                evaluate(large, server.base_url, max_requests="50")
            assert caught.value.exit_code == 4
            assert sum(server.requests.values()) == 50 * step
        run = evaluate(large, server.base_url, max_requests="50")
    assert len(checked_rows(run)) == 120
    assert set(of_run(server.answered).values()) == {1}


def test_a_limit_of_cost_is_not_exceeded(large: Path) -> None:
    with serving(FaultServer()) as server, pytest.raises(LimitReachedError, match="max-cost 300"):
        evaluate(large, server.base_url, max_cost="300", price_per_million="1000000,0")
    # Every text of the run has five tokens.
    spent = sum(len(TOKEN.findall(text)) * count for text, count in server.answered.items())
    assert 200 < spent <= 300


@pytest.mark.slow
def test_kills_at_random_moments_lose_only_what_is_in_flight(large: Path) -> None:
    context, threads = fork_context(), threading.active_count()
    moments = random.Random(20231120)
    server = FaultServer(delay_s=0.03)
    done = 0
    with serving(server):
        while done < KILLS:
            worker = context.Process(target=evaluate, args=(large, server.base_url))
            before = sum(server.requests.values())
            worker.start()
            deadline = time.monotonic() + 30
            while worker.is_alive() and sum(server.requests.values()) == before and time.monotonic() < deadline:
                time.sleep(0.002)
            worker.join(moments.uniform(0.0, 1.0 / KILLS))
            assert worker.is_alive(), "the work ended before all kills: the server is too fast"
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
            done += 1
        evaluate(large, server.base_url)
    run = load_run(large / "run")
    assert not run.missing
    assert len(checked_rows(run)) == 120
    answered = of_run(server.answered)
    assert len(answered) == 240
    # Only what was in flight at a kill was sent again.
    assert sum(of_run(server.requests).values()) - 240 <= KILLS * IN_FLIGHT
    assert threading.active_count() == threads


def test_the_command_stops_at_its_limit_and_says_what_is_kept(large: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command(url: str, *options: str) -> Done:
        arguments = ["evaluate", "--model", "openai/m", "--base-url", url, "--tasks", str(large / "task.yaml")]
        arguments += ["--instructions", f"mine={large / 'wordings.yaml'}", "--out", str(large / "run")]
        arguments += ["--scoring", "loglikelihood", "--model-arg", "endpoint=completions", "--no-self-test", *options]
        return run_command(capsys, *arguments)

    with serving(FaultServer()) as server:
        stopped = command(server.base_url, "--max-requests", "100")
        assert stopped.code == 4
        assert "stopped by --max-requests 100. " in stopped.err.splitlines()[-1]
        assert "of 120 prompts are stored in" in stopped.err.splitlines()[-1]
        assert "Traceback" not in stopped.err
        assert sum(server.requests.values()) == 100
        assert command(server.base_url).code == 0
        assert set(of_run(server.answered).values()) == {1}
        wrong = command(server.base_url, "--max-cost", "1")
    assert wrong.code == 2
    assert "--max-cost requires --price-per-million" in wrong.err
