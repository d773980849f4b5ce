"""What becomes of requests in batches: their states, lines that are wrong, limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import LimitReachedError, StoppedError, UsageError
from phraseproof.models.openai.batch import calls
from phraseproof.store.queries import Run
from support.batch_desk import COURSE, BatchDesk
from support.fault_server import Fault, FaultServer, serving, share_of
from support.parity_project import write_project
from support.served_rows import checked_rows

EXAMPLES, WORDINGS = 10, 4
PROMPTS = EXAMPLES * WORDINGS
EXPIRES = ("in_progress", "expired")
BROKEN = "Wording 2: item 7"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "wait_s", lambda attempt, first_s, requested_s: 0.001 * attempt)


def evaluate(project: Path, base_url: str, **args: str) -> Run:
    """Score the task by the first token, through the batch API: one request per prompt."""
    import phraseproof

    settings = {"base_url": base_url, "endpoint": "chat", "batch_api": "true", "batch_poll_s": "0.001"}
    return phraseproof.evaluate(
        "openai/m",
        project / "task.yaml",
        {"mine": project / "wordings.yaml"},
        project / "run",
        scoring="first_token",
        log_samples=True,
        self_test=False,
        model_options=phraseproof.ModelOptions(args=settings | args),
    )


def test_the_answers_of_an_expired_batch_are_used_and_the_rest_is_submitted_again(project: Path) -> None:
    desk = BatchDesk(lambda number: EXPIRES if number < 3 else COURSE, answered=lambda n, text: share_of(text) < n / 3)
    with serving(FaultServer(desk=desk)) as server:
        run = evaluate(project, server.base_url)
    assert len(checked_rows(run)) == PROMPTS
    assert desk.sizes == [PROMPTS, *(sum(share_of(text) >= n / 3 for text in desk.texts) for n in (1, 2))]
    assert set(desk.answers.values()) == {1}


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_a_batch_that_ends_without_answers_stops_the_run_and_the_same_command_submits_again(
    project: Path, end: str
) -> None:
    desk = BatchDesk(lambda n: ("in_progress", "cancelling", end) if n == 1 else COURSE, answered=lambda n, _: n > 1)
    with serving(FaultServer(desk=desk)) as server:
        with pytest.raises(StoppedError, match=rf"batch_1 (was )?{end}.*0 of 40 prompts are stored in"):
            evaluate(project, server.base_url)
        assert desk.sizes == [PROMPTS]
        run = evaluate(project, server.base_url)
    assert len(checked_rows(run)) == PROMPTS


def test_the_answers_of_a_cancelled_batch_are_used(project: Path) -> None:
    desk = BatchDesk(
        lambda n: ("cancelled",) * 2 if n == 1 else COURSE, answered=lambda n, t: n > 1 or share_of(t) < 0.5
    )
    with serving(FaultServer(desk=desk)) as server:
        with pytest.raises(StoppedError, match="was cancelled at the server"):
            evaluate(project, server.base_url)
        run = evaluate(project, server.base_url)
    assert len(checked_rows(run)) == PROMPTS
    assert set(desk.answers.values()) == {1}


def test_a_batch_that_the_server_refuses_stops_the_run_with_its_reason(project: Path) -> None:
    desk = BatchDesk(lambda n: ("validating", "failed") if n == 1 else COURSE)
    with serving(FaultServer(desk=desk)) as server:
        with pytest.raises(StoppedError, match=r"refuses the batch batch_1 .got The file is wrong"):
            evaluate(project, server.base_url)
        assert len(checked_rows(evaluate(project, server.base_url))) == PROMPTS
    assert set(desk.computed.values()) == {1}


@pytest.mark.parametrize("most", [7, 15, 39])
def test_a_limit_of_waiting_tokens_makes_batches_smaller(project: Path, most: int) -> None:
    desk = BatchDesk(most_waiting=most)
    with serving(FaultServer(desk=desk)) as server:
        run = evaluate(project, server.base_url, batch_requests="20")
    assert len(checked_rows(run)) == PROMPTS
    assert max(desk.sizes) <= most
    assert set(desk.computed.values()) == {1}


Change = Callable[[list[dict[str, Any]], dict[str, Any]], list[dict[str, Any]]]


def _with(**changes: object) -> Change:
    def change(lines: list[dict[str, Any]], broken: dict[str, Any]) -> list[dict[str, Any]]:
        return [line | changes if line is broken else line for line in lines]

    return change


def _status(code: int) -> Change:
    return _with(response={"status_code": code, "body": {"error": {"message": "a failure on purpose"}}})


def _several(lines: list[dict[str, Any]], broken: dict[str, Any]) -> list[dict[str, Any]]:
    other = json.loads(json.dumps(broken))
    other["response"]["body"]["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["logprob"] -= 0.5
    return [other, *lines]


LINE_FAULTS: dict[str, tuple[Change, str]] = {
    "missing": (lambda lines, broken: [line for line in lines if line is not broken], "hold no answer to this request"),
    "several answers": (_several, "several answers to this request"),
    "refused": (_status(400), "refuses the request: HTTP 400.*a failure on purpose"),
    "no model": (_status(404), "refuses the request: HTTP 404"),
    "500 every time": (_status(500), "HTTP 500 .tried 2 times"),
    "429 every time": (_status(429), "HTTP 429 .tried 2 times"),
    "an error": (_with(response=None, error={"code": "odd"}), "in place of an answer: odd .tried 2 times"),
    "nothing": (_with(response=None), "in place of an answer: not named"),
    "a wrong shape": (_with(response={"status_code": 200, "body": [1]}), "not of OpenAI's protocol"),
    "no log-probabilities": (
        _with(response={"status_code": 200, "body": {"choices": [{"message": {"content": "x"}}]}}),
        "does not list",
    ),
}


@pytest.mark.parametrize("kind", list(LINE_FAULTS))
def test_a_line_that_is_wrong_fails_its_row_with_the_reason(project: Path, kind: str) -> None:
    change, reason = LINE_FAULTS[kind]
    is_broken = True

    def output(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        broken = [line for line in lines if is_broken and desk.text_of[line["custom_id"]] == BROKEN]
        return change(lines, broken[0]) if broken else lines

    desk = BatchDesk(change=output)
    with serving(FaultServer(desk=desk)) as server:
        run = evaluate(project, server.base_url, retries="1")
        (failure,) = run.failures
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(failure.error)
        assert failure.cell.instruction == "parities/w2"
        is_broken = False
        run = evaluate(project, server.base_url)
    assert len(checked_rows(run)) == PROMPTS
    assert {text for text, count in desk.texts.items() if count > 1} == {BROKEN}


def _foreign(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [lines[0] | {"custom_id": "ab" * 16}, *lines]


@pytest.mark.parametrize("change", [lambda lines: lines[::-1], lambda lines: lines * 2, _foreign])
def test_order_equal_copies_and_foreign_lines_change_nothing(project: Path, change: Any) -> None:
    desk = BatchDesk(change=change)
    with serving(FaultServer(desk=desk)) as server:
        run = evaluate(project, server.base_url)
    assert len(checked_rows(run)) == PROMPTS
    assert set(desk.computed.values()) == {1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lambda text: text[:-40], "ends within a line"),
        (lambda text: text.replace('{"id"', "{id", 1), "1 lines of the batch's files are not of"),
        (lambda text: text.replace('"custom_id"', '"custom"', 1), "1 lines of the batch's files are not of"),
        (lambda text: "[]\n" + text.partition("\n")[2], "1 lines of the batch's files are not of"),
    ],
)
def test_a_damaged_file_fails_the_rows_that_it_lacks_and_no_others(project: Path, text: Any, reason: str) -> None:
    desk = BatchDesk(text=text)
    with serving(FaultServer(desk=desk)) as server:
        run = evaluate(project, server.base_url, retries="1")
        (failure,) = run.failures
        assert reason in failure.error
        assert server.requests["GET content"] == (2 if "ends within" in reason else 1)
        rows = checked_rows(run)
        assert len(rows) == PROMPTS - EXAMPLES
        desk.text = lambda text: text
        assert len(checked_rows(evaluate(project, server.base_url))) == PROMPTS
    assert sorted(desk.texts.values()) == [1] * (PROMPTS - 1) + [2]


def test_limits_of_requests_and_size_hold(project: Path) -> None:
    desk = BatchDesk()
    with serving(FaultServer(desk=desk)) as server:
        with pytest.raises(LimitReachedError, match=r"max-requests 26.*25 of 40 prompts are stored") as caught:
            evaluate(project, server.base_url, max_requests="26")  # the trial is one of them
        assert caught.value.exit_code == 4
        assert desk.sizes == [25]
        run = evaluate(project, server.base_url, max_requests="26")
    assert desk.sizes == [25, 15]
    assert len(checked_rows(run)) == PROMPTS
    assert set(desk.computed.values()) == {1}


@pytest.mark.parametrize(("share", "least", "most"), [("1", 15, 25), ("0.5", 40, 40)])
def test_a_limit_of_cost_counts_batches_at_their_share_of_the_price(
    project: Path, share: str, least: int, most: int
) -> None:
    # The trial has 23 tokens by the server's count; a request is expected to have eight, and a token costs 1.
    desk = BatchDesk()
    limit = {"max_cost": "190", "price_per_million": "1000000,0", "batch_share": share}
    with serving(FaultServer(desk=desk)) as server:
        if most < PROMPTS:
            with pytest.raises(LimitReachedError, match="max-cost"):
                evaluate(project, server.base_url, **limit)
        else:
            evaluate(project, server.base_url, **limit)
    assert least <= sum(desk.sizes) <= most


def test_a_run_with_batches_at_the_server_is_not_continued_without_them(project: Path) -> None:
    desk = BatchDesk(lambda n: ("in_progress", "expired"), answered=lambda *_: False)
    with serving(
        FaultServer(lambda text, *_: Fault("status", 401) if text == "GET batch" else None, desk=desk)
    ) as server:
        with pytest.raises(StoppedError, match=r"1 batch at the server, 0 of 40 requests done .batch_1 submitted"):
            evaluate(project, server.base_url)
        with pytest.raises(UsageError, match=r"--batch-api: requests of this run are in 1 batches.*batch_1"):
            evaluate(project, server.base_url, batch_api="false")
    assert desk.sizes == [PROMPTS]
